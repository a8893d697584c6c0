"""The authority: discovery, the endpoints that issue tokens and device codes, and the page to sign in on.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow,
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
"""

from __future__ import annotations

import asyncio
import html
import importlib.resources
import time
from abc import ABC, abstractmethod
from string import Template
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.entra import client_assertions
from airflow_graph_cancel.sandbox.entra.app_registrations import PERSON_APP, TENANT_ID
from airflow_graph_cancel.sandbox.entra.entra_errors import (
    EntraError,
    invalid_client,
    invalid_grant,
    invalid_request,
    invalid_scope,
    missing,
)
from airflow_graph_cancel.sandbox.entra.sign_ins import IdentityProvider, RequestedScopes
from airflow_graph_cancel.sandbox.entra.tokens import IdTokens, client_info
from airflow_graph_cancel.sandbox.traffic.asgi import Receive, Scope, Send, break_connection
from airflow_graph_cancel.sandbox.traffic.faults import BREAKS, HEADER, Fault
from airflow_graph_cancel.sandbox.traffic.ledger import TokenRequest
from airflow_graph_cancel.sandbox.traffic.messages import Delivery
from airflow_graph_cancel.sandbox.traffic.messages import Response as GraphResponse

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.entra.sign_ins import Redeemed
    from airflow_graph_cancel.sandbox.entra.tokens import Person

Form = dict[str, str]
#: Names that stand for the tenant of the person who signs in.
HOUSEHOLD_NAMES = ("common", "organizations")
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_GRANTS = ("client_credentials", "refresh_token", DEVICE_CODE)
_DEVICE_PAGE = "/devicelogin"


def routes(provider: IdentityProvider, port: int) -> list[Route]:
    """Return the authority's routes.

    :param port: The port at which clients reach it.
    """
    origin = f"https://localhost:{port}"
    issuer = f"{origin}/{TENANT_ID}/v2.0"
    id_tokens = IdTokens(issuer)

    async def openid_configuration(request: Request) -> Response:
        tenant = request.path_params["tenant"]
        try:
            _check_tenant(tenant, provider, people=True)
        except EntraError as error:
            return error.response()
        base = f"{origin}/{tenant}"
        return JSONResponse(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "issuer": issuer,
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "profile", "email", "offline_access"],
            }
        )

    async def instance(request: Request) -> Response:
        host = f"localhost:{port}"
        body: dict[str, object] = {
            "tenant_discovery_endpoint": f"{issuer}/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
        return JSONResponse(body)

    async def keys(request: Request) -> Response:
        return JSONResponse(id_tokens.keys())

    async def device_page(request: Request) -> Response:
        return await _device_page(request, provider)

    return [
        Route("/common/discovery/instance", instance),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration),
        Route("/{tenant}/discovery/v2.0/keys", keys),
        Route("/{tenant}/oauth2/v2.0/token", TokenEndpoint(provider, id_tokens)),
        Route("/{tenant}/oauth2/v2.0/devicecode", DeviceCodeEndpoint(provider, f"{origin}{_DEVICE_PAGE}")),
        Route(_DEVICE_PAGE, device_page, methods=["GET", "POST"]),
    ]


async def _device_page(request: Request, provider: IdentityProvider) -> Response:
    """Return the page for a device's code, and carry out a decision. It asks for no password and lists everybody."""
    message, status, code = "The device then acts for the person you choose.", 200, ""
    if request.method == "POST":
        sent = (await request.body()).decode("utf-8", "replace")
        form = {name: values[-1] for name, values in parse_qs(sent).items()}
        code = form.get("user_code", "")
        person = provider.person(form.get("as"))
        try:
            provider.sign_ins.decide(code, form.get("decision", ""), person.upn if person else None)
            message = "Done. You can close this page."
        except ValueError as error:
            message, status = f"That did not work: {error}.", 400
    people = "".join(f"<option>{html.escape(each.address)}</option>" for each in provider.state.store.of_kind("user"))
    template = importlib.resources.files(__package__).joinpath("device_page.html").read_text(encoding="utf-8")
    page = Template(template).substitute(message=html.escape(message), code=html.escape(code), people=people)
    return HTMLResponse(page, status)


class LoginEndpoint(ABC):
    """An ASGI application that answers requests for tokens.

    Faults apply to it if their ``path`` matches, and the ledger logs each request.
    """

    #: What the ledger calls a request without a grant.
    grant_type = ""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider

    def describe(self, form: Form) -> TokenRequest:
        """Return the ledger's entry for a request, before it is checked."""
        grant_type = self.grant_type or form.get("grant_type", "")
        return TokenRequest(grant_type, form.get("client_id", ""), form.get("scope", ""))

    @abstractmethod
    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Return the response to a request, and complete its entry in the ledger.

        :raises EntraError: if the request is refused.
        """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, unless a fault applies."""
        request = Request(scope, receive, send)
        sent = await request.body() if request.method == "POST" else scope["query_string"]
        form = {name: values[-1] for name, values in parse_qs(sent.decode("utf-8", "replace")).items()}
        entry = self.describe(form)
        try:
            fault = self._provider.state.faults.pick(
                request.method, request.url.path, request.headers.get(HEADER), at_sign_in=True
            )
        except ValueError as error:
            response: Response = invalid_request(900144, f"{error}.").response()
            await response(scope, receive, send)
            return
        if fault and fault.delay and fault.kind != "hang":
            await asyncio.sleep(fault.delay)
        if fault is None or fault.kind == "slow" or fault.after_effect:
            response = self._answer_or_refuse(request, form, entry)
        if fault and fault.kind != "slow":
            entry.fault = fault.kind
            if fault.kind in BREAKS:
                self._log(entry, None)
                seconds = fault.delay if fault.kind == "hang" else 0.0
                delivery = Delivery(GraphResponse(503), fault.kind, seconds)
                await break_connection(delivery, scope, receive, send)
                return
            response = _failed(fault)
        self._log(entry, response.status_code)
        await response(scope, receive, send)

    def _answer_or_refuse(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        try:
            return self.answer(request, form, entry)
        except EntraError as error:
            entry.error, entry.code = error.error, error.number
            return error.response()

    def _log(self, entry: TokenRequest, status: int | None) -> None:
        entry.status, entry.at = status, time.time()
        self._provider.state.ledger.token_requests.append(entry)


def token_response(body: dict[str, object]) -> JSONResponse:
    """Return a response with a token, which no intermediary may store."""
    return JSONResponse(body, headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})


def _failed(fault: Fault) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else None
    status = int(fault.kind.removeprefix("empty-")[:3])
    if fault.kind == "502-html":
        return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", status, headers)
    if fault.kind == "empty-500":
        return Response(None, status, headers)
    message = "A transient error has occurred. Please try again."
    response = EntraError(status, "temporarily_unavailable", 90033, message).response()
    response.headers.update(headers or {})
    return response


class TokenEndpoint(LoginEndpoint):
    """``POST /{tenant}/oauth2/v2.0/token``: client credentials, refresh tokens and device codes."""

    def __init__(self, provider: IdentityProvider, id_tokens: IdTokens) -> None:
        super().__init__(provider)
        self._id_tokens = id_tokens

    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Return a response with a token.

        :raises EntraError: if the request is refused.
        """
        grant, provider = form.get("grant_type", ""), self._provider
        _only_post(request, provider, people=grant != "client_credentials")
        if grant not in _GRANTS:
            raise EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        app = _app(form, provider)
        entry.credential = _authenticate(form, app, grant, _audiences(request))
        if grant == "client_credentials":
            return self._for_app(app, form.get("scope", ""), entry)
        if grant == "refresh_token":
            token, scope = _field(form, "refresh_token"), form.get("scope", "")
            redeemed = provider.sign_ins.redeem_refresh_token(token, app, scope, provider.state.settings)
            response = self._for_person(app, redeemed, form, entry, renew=True)
            provider.sign_ins.use(token)
            return response
        redeemed = provider.sign_ins.redeem_device(_field(form, "device_code"), app, provider.state.settings)
        return self._for_person(app, redeemed, form, entry, renew=False)

    def _for_app(self, app: App, scope: str, entry: TokenRequest) -> JSONResponse:
        if not scope.endswith("/.default"):
            message = (
                f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value "
                "with /.default suffixed to the resource identifier."
            )
            raise invalid_scope(1002012, message)
        resource, tokens = scope.removesuffix("/.default"), self._provider.tokens
        if app.client_id != PERSON_APP:
            return self._issued({"access_token": tokens.issue_to_app(app, resource, self._lifetime)})
        # The shortcut: a token of a person who did not sign in.
        person = self._person(None)
        entry.person = person.upn
        return self._issued({"access_token": tokens.issue_for(person, app, resource, self._lifetime)})

    def _for_person(
        self, app: App, redeemed: Redeemed, form: Form, entry: TokenRequest, *, renew: bool
    ) -> JSONResponse:
        provider, person, scopes = self._provider, self._person(redeemed.upn), RequestedScopes.read(redeemed.scope)
        scopes.check(app)
        entry.person = person.upn
        body: dict[str, object] = {
            "scope": scopes.granted(app),
            "access_token": provider.tokens.issue_for(person, app, scopes.resource, self._lifetime),
        }
        if renew or "offline_access" in scopes.openid:
            body["refresh_token"] = provider.sign_ins.issue_refresh_token(app, person.upn, redeemed.scope)
        if "openid" in scopes.openid:
            body["id_token"] = self._id_tokens.issue(app.client_id, person, self._lifetime)
        if form.get("client_info") == "1":
            body["client_info"] = client_info(person)
        return self._issued(body)

    @property
    def _lifetime(self) -> int:
        return self._provider.state.settings.token_lifetime

    def _person(self, upn: str | None) -> Person:
        person = self._provider.person(upn)
        if person is None:
            message = (
                "The user account does not exist in the Contoso directory. To sign into this application, the account "
                "must be added to the directory."
            )
            raise invalid_grant(50034, message)
        return person

    def _issued(self, body: dict[str, object]) -> JSONResponse:
        self._provider.state.ledger.tokens += 1
        times = {"expires_in": self._lifetime, "ext_expires_in": self._lifetime}
        return token_response({"token_type": "Bearer", **times, **body})


class DeviceCodeEndpoint(LoginEndpoint):
    """``POST /{tenant}/oauth2/v2.0/devicecode``: begins a sign-in that a person finishes in a browser.

    :param page: The page on which they finish it.
    """

    grant_type = "device_code_request"

    def __init__(self, provider: IdentityProvider, page: str) -> None:
        super().__init__(provider)
        self._page = page

    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Return a response with a code for the device and another code for the person.

        :raises EntraError: if the request is refused.
        """
        _only_post(request, self._provider, people=True)
        app, scope = _app(form, self._provider), _field(form, "scope")
        RequestedScopes.read(scope)
        settings = self._provider.state.settings
        code, device = self._provider.sign_ins.begin(app, scope, settings)
        return token_response(
            {
                "user_code": device.user_code,
                "device_code": code,
                "verification_uri": self._page,
                "expires_in": settings.device_code_lifetime,
                "interval": settings.device_code_interval,
                "message": f"To sign in, use a web browser to open the page {self._page} and enter the code "
                f"{device.user_code} to authenticate.",
            }
        )


def _check_tenant(name: str, provider: IdentityProvider, *, people: bool = False) -> None:
    """Accept the tenant's GUID and the domains of its mailboxes.

    :param people: Also accept the names in ``HOUSEHOLD_NAMES``.
    :raises EntraError: for any other name.
    """
    if people and name in HOUSEHOLD_NAMES:
        return
    if name != TENANT_ID and not any(each.endswith(f"@{name.lower()}") for each in provider.state.store.mailboxes):
        message = (
            f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
            "correct cloud."
        )
        raise invalid_request(90002, message)


def _only_post(request: Request, provider: IdentityProvider, *, people: bool) -> None:
    if request.method != "POST":
        raise EntraError(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
    _check_tenant(request.path_params["tenant"], provider, people=people)


def _field(form: Form, name: str) -> str:
    if name not in form:
        raise missing(name)
    return form[name]


def _app(form: Form, provider: IdentityProvider) -> App:
    client_id = form.get("client_id", "")
    app = provider.apps.get(client_id)
    if app is None:
        message = f"Application with identifier '{client_id}' was not found in the directory 'Contoso'."
        raise EntraError(400, "unauthorized_client", 700016, message)
    return app


def _authenticate(form: Form, app: App, grant: str, audiences: set[str]) -> str | None:
    """Check the application's credential; return its kind."""
    presents = "client_assertion" in form or "client_secret" in form
    if app.public and presents:
        message = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
        raise invalid_client(700025, message)
    if "client_assertion" in form:
        if form.get("client_assertion_type") != client_assertions.TYPE:
            raise missing("client_assertion_type")
        return client_assertions.check(form["client_assertion"], app, audiences)
    if "client_secret" in form:
        if form["client_secret"] != app.secret:
            message = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{app.client_id}'."
            )
            raise invalid_client(7000215, message)
        return "secret"
    if grant == "client_credentials":
        needed = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
        raise invalid_client(7000216, needed)
    if not app.public:
        needed = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise invalid_client(7000218, needed)
    return None


def _audiences(request: Request) -> set[str]:
    """Return the accepted audiences of an assertion: this endpoint or the issuer, with the tenant's id or name."""
    origin = f"{request.url.scheme}://{request.url.netloc}"
    tenants = (request.path_params["tenant"], TENANT_ID)
    return {f"{origin}/{tenant}/{path}" for tenant in tenants for path in ("oauth2/v2.0/token", "v2.0")}
