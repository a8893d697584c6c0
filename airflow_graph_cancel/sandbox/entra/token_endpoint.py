"""The token endpoint, and the endpoint at which a device begins a sign-in.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow,
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.entra import client_assertions, entra_errors
from airflow_graph_cancel.sandbox.entra.app_registrations import PERSON_APP, TENANT_ID
from airflow_graph_cancel.sandbox.entra.login_endpoint import Form, LoginEndpoint, token_response
from airflow_graph_cancel.sandbox.entra.sign_ins import RequestedScopes
from airflow_graph_cancel.sandbox.entra.tokens import client_info
from airflow_graph_cancel.sandbox.traffic.ledger import TokenRequest

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import JSONResponse, Response

    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.entra.identity_provider import IdentityProvider
    from airflow_graph_cancel.sandbox.entra.sign_ins import Redeemed
    from airflow_graph_cancel.sandbox.entra.tokens import IdTokens, Person

#: Names that stand for the tenant of the person who signs in.
HOUSEHOLD_NAMES = ("common", "organizations")
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
_GRANTS = ("client_credentials", "refresh_token", DEVICE_CODE)


class TokenEndpoint(LoginEndpoint):
    """``POST /{tenant}/oauth2/v2.0/token``: client credentials, refresh tokens and device codes."""

    def __init__(self, provider: IdentityProvider, id_tokens: IdTokens) -> None:
        super().__init__(provider)
        self._id_tokens = id_tokens

    def describe(self, form: Form) -> TokenRequest:
        """Return the ledger's entry for a request, before it is checked."""
        return TokenRequest(form.get("grant_type", ""), form.get("client_id", ""), form.get("scope", ""))

    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Return a response with a token.

        :raises EntraError: if the request is refused.
        """
        grant, provider = form.get("grant_type", ""), self._provider
        _only_post(request, provider, people=grant != "client_credentials")
        if grant not in _GRANTS:
            raise entra_errors.unsupported_grant()
        app = _app(form, provider)
        entry.credential = _authenticate(form, app, grant, _audiences(request))
        if grant == "client_credentials" and app.client_id != PERSON_APP:
            return self._for_app(app, form)
        if grant == "client_credentials":
            return self._for_absent_person(app, form, entry)
        if grant == "refresh_token":
            token, scope = _field(form, "refresh_token"), form.get("scope", "")
            redeemed = provider.sign_ins.redeem_refresh_token(token, app, scope, provider.state.settings)
            response = self._for_person(app, redeemed, form, entry, renew=True)
            provider.sign_ins.use(token)
            return response
        redeemed = provider.sign_ins.redeem_device(_field(form, "device_code"), app, provider.state.settings)
        return self._for_person(app, redeemed, form, entry, renew=False)

    def _for_app(self, app: App, form: Form) -> JSONResponse:
        token = self._provider.tokens.issue_to_app(app, _default_scope(form), self._lifetime)
        return self._issued({"access_token": token})

    def _for_absent_person(self, app: App, form: Form, entry: TokenRequest) -> JSONResponse:
        """Answer the shortcut: a token of a person who did not sign in."""
        resource, person = _default_scope(form), self._person(None)
        entry.person = person.upn
        return self._issued({"access_token": self._provider.tokens.issue_for(person, app, resource, self._lifetime)})

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
            raise entra_errors.unknown_person("Contoso")
        return person

    def _issued(self, body: dict[str, object]) -> JSONResponse:
        self._provider.state.ledger.count_token()
        times = {"expires_in": self._lifetime, "ext_expires_in": self._lifetime}
        return token_response({"token_type": "Bearer", **times, **body})


class DeviceCodeEndpoint(LoginEndpoint):
    """``POST /{tenant}/oauth2/v2.0/devicecode``: begins a sign-in that a person finishes in a browser.

    :param page: The page on which they finish it.
    """

    def __init__(self, provider: IdentityProvider, page: str) -> None:
        super().__init__(provider)
        self._page = page

    def describe(self, form: Form) -> TokenRequest:
        """Return the ledger's entry for a request, before it is checked."""
        return TokenRequest("device_code_request", form.get("client_id", ""), form.get("scope", ""))

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


def check_tenant(name: str, provider: IdentityProvider, *, people: bool = False) -> None:
    """Accept the tenant's GUID and the domains of its mailboxes.

    :param people: Also accept the names in ``HOUSEHOLD_NAMES``.
    :raises EntraError: for any other name.
    """
    if people and name in HOUSEHOLD_NAMES:
        return
    if name != TENANT_ID and not any(each.endswith(f"@{name.lower()}") for each in provider.state.store.mailboxes):
        raise entra_errors.unknown_tenant(name)


def _only_post(request: Request, provider: IdentityProvider, *, people: bool) -> None:
    if request.method != "POST":
        raise entra_errors.EntraError(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
    check_tenant(request.path_params["tenant"], provider, people=people)


def _field(form: Form, name: str) -> str:
    if name not in form:
        raise entra_errors.missing(name)
    return form[name]


def _app(form: Form, provider: IdentityProvider) -> App:
    client_id = form.get("client_id", "")
    app = provider.apps.find(client_id)
    if app is None:
        raise entra_errors.unknown_app(client_id)
    return app


def _authenticate(form: Form, app: App, grant: str, audiences: set[str]) -> str | None:
    """Check the application's credential; return its kind."""
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
    """Return the accepted audiences of an assertion: this endpoint or the issuer, with the tenant's id or name."""
    origin = f"{request.url.scheme}://{request.url.netloc}"
    tenants = (request.path_params["tenant"], TENANT_ID)
    return {f"{origin}/{tenant}/{path}" for tenant in tenants for path in ("oauth2/v2.0/token", "v2.0")}


def _default_scope(form: Form) -> str:
    """Return the resource of an application's scope, which must be ``.default``."""
    scope = form.get("scope", "")
    if not scope.endswith("/.default"):
        raise entra_errors.no_app_scope(scope)
    return scope.removesuffix("/.default")
