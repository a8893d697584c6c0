"""The token endpoint, and the one where a device begins a sign-in.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow,
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.entra import client_assertions, entra_errors, people_errors
from airflow_graph_cancel.sandbox.entra.app_registrations import PERSON_APP, TENANT_ID
from airflow_graph_cancel.sandbox.entra.id_tokens import client_info
from airflow_graph_cancel.sandbox.entra.login_endpoint import Form, LoginEndpoint, token_answer
from airflow_graph_cancel.sandbox.entra.people import Asked, person
from airflow_graph_cancel.sandbox.traffic.ledger import TokenRequest

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response

    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.entra.id_tokens import IdTokens
    from airflow_graph_cancel.sandbox.entra.sign_ins import Redeemed
    from airflow_graph_cancel.sandbox.state import World

#: Names for whatever tenant a person turns out to be of.
HOUSEHOLD_NAMES = ("common", "organizations")
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_GRANTS = ("client_credentials", "refresh_token", DEVICE_CODE)


class TokenEndpoint(LoginEndpoint):
    """``POST /{tenant}/oauth2/v2.0/token``: client credentials, refresh tokens and device codes."""

    def __init__(self, world: World, id_tokens: IdTokens) -> None:
        super().__init__(world)
        self._id_tokens = id_tokens

    def describe(self, form: Form) -> TokenRequest:
        """Return what is known of a request before it is looked at."""
        return TokenRequest(form.get("grant_type", ""), form.get("client_id", ""), form.get("scope", ""))

    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Answer a request with a token.

        :raises EntraError: if it is refused.
        """
        grant = form.get("grant_type", "")
        _only_post(request, self._world, people=grant != "client_credentials")
        if grant not in _GRANTS:
            raise entra_errors.unsupported_grant()
        app = _app(form, self._world)
        entry.credential = _authenticate(form, app, grant, _audiences(request))
        if grant == "client_credentials" and app.client_id != PERSON_APP:
            return self._for_app(app, form)
        if grant == "client_credentials":
            return self._for_nobody_present(app, form, entry)
        if grant == "refresh_token":
            token = _field(form, "refresh_token")
            redeemed = self._world.sign_ins.redeem_refresh_token(token, app, form.get("scope", ""), self._world)
            response = self._for_person(app, redeemed, form, entry, renew=True)
            self._world.sign_ins.use(token)
            return response
        code = _field(form, "device_code")
        return self._for_person(
            app, self._world.sign_ins.redeem_device(code, app, self._world.settings), form, entry, renew=False
        )

    def _for_app(self, app: App, form: Form) -> JSONResponse:
        lifetime = self._world.settings.token_lifetime
        token = self._world.tokens.issue_to_app(app, _default_scope(form), lifetime)
        return self._issued({"access_token": token})

    def _for_nobody_present(self, app: App, form: Form, entry: TokenRequest) -> JSONResponse:
        """Answer the shortcut: a token of a person who did not sign in."""
        resource, lifetime = _default_scope(form), self._world.settings.token_lifetime
        somebody = person(self._world, None)
        if somebody is None:
            raise people_errors.unknown_person("Contoso")
        entry.person = somebody.upn
        return self._issued({"access_token": self._world.tokens.issue_for(somebody, app, resource, lifetime)})

    def _for_person(
        self, app: App, redeemed: Redeemed, form: Form, entry: TokenRequest, *, renew: bool
    ) -> JSONResponse:
        asked = Asked.read(redeemed.scope)
        asked.check(app)
        world, somebody, lifetime = self._world, redeemed.person, self._world.settings.token_lifetime
        entry.person = somebody.upn
        body: dict[str, object] = {
            "scope": asked.granted(app),
            "access_token": world.tokens.issue_for(somebody, app, asked.resource, lifetime),
        }
        if renew or "offline_access" in asked.openid:
            body["refresh_token"] = world.sign_ins.issue_refresh_token(app, somebody.upn, redeemed.scope)
        if "openid" in asked.openid:
            body["id_token"] = self._id_tokens.issue(app.client_id, somebody, lifetime)
        if form.get("client_info") == "1":
            body["client_info"] = client_info(somebody)
        return self._issued(body)

    def _issued(self, body: dict[str, object]) -> JSONResponse:
        lifetime = self._world.settings.token_lifetime
        self._world.ledger.count_token()
        return token_answer({"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, **body})


class DeviceCodeEndpoint(LoginEndpoint):
    """``POST /{tenant}/oauth2/v2.0/devicecode``: begins a sign-in that a person finishes in a browser.

    :param page: Where they do so.
    """

    def __init__(self, world: World, page: str) -> None:
        super().__init__(world)
        self._page = page

    def describe(self, form: Form) -> TokenRequest:
        """Return what is known of a request before it is looked at."""
        return TokenRequest("device_code_request", form.get("client_id", ""), form.get("scope", ""))

    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Answer a request with a code for the device and another one for the person.

        :raises EntraError: if it is refused.
        """
        _only_post(request, self._world, people=True)
        app, scope = _app(form, self._world), _field(form, "scope")
        Asked.read(scope)
        settings = self._world.settings
        code, device = self._world.sign_ins.begin(app, scope, settings)
        return token_answer(
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


def check_tenant(name: str, world: World, *, people: bool = False) -> None:
    """Accept the tenant's GUID and the domains of its mailboxes.

    :param people: Also the names for whatever tenant a person is of.
    :raises EntraError: for any other name.
    """
    if people and name in HOUSEHOLD_NAMES:
        return
    if name != TENANT_ID and not any(address.endswith(f"@{name.lower()}") for address in world.store.mailboxes):
        raise entra_errors.unknown_tenant(name)


def _only_post(request: Request, world: World, *, people: bool) -> None:
    if request.method != "POST":
        raise entra_errors.EntraError(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
    check_tenant(request.path_params["tenant"], world, people=people)


def _field(form: Form, name: str) -> str:
    if name not in form:
        raise entra_errors.missing(name)
    return form[name]


def _app(form: Form, world: World) -> App:
    client_id = form.get("client_id", "")
    app = world.apps.find(client_id)
    if app is None:
        raise entra_errors.unknown_app(client_id)
    return app


def _authenticate(form: Form, app: App, grant: str, audiences: set[str]) -> str | None:
    """Let the application prove who it is; return by what."""
    presents = "client_assertion" in form or "client_secret" in form
    if app.public and presents:
        raise entra_errors.public_with_credential()
    if "client_assertion" in form:
        if form.get("client_assertion_type") != client_assertions.TYPE:
            raise entra_errors.missing("client_assertion_type")
        return client_assertions.check(form["client_assertion"], app, audiences)
    if "client_secret" in form:
        if form["client_secret"] != app.secret:
            raise entra_errors.wrong_secret(app.client_id)
        return "secret"
    if not app.public or grant == "client_credentials":
        raise entra_errors.no_credential(grant)
    return None


def _audiences(request: Request) -> set[str]:
    """Return what an assertion may be for: this endpoint or the issuer, by the tenant's id or the name in the path."""
    origin = f"{request.url.scheme}://{request.url.netloc}"
    tenants = (request.path_params["tenant"], TENANT_ID)
    return {f"{origin}/{tenant}/{path}" for tenant in tenants for path in ("oauth2/v2.0/token", "v2.0")}


def _default_scope(form: Form) -> str:
    """Return the resource of an application's scope, which can only be all of it."""
    scope = form.get("scope", "")
    if not scope.endswith("/.default"):
        raise entra_errors.no_app_scope(scope)
    return scope.removesuffix("/.default")
