"""The authority: OpenID configuration, instance discovery, its endpoints, and the page to sign in on."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.entra.app_registrations import TENANT_ID
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError
from airflow_graph_cancel.sandbox.entra.token_endpoint import DeviceCodeEndpoint, TokenEndpoint, check_tenant
from airflow_graph_cancel.sandbox.entra.tokens import IdTokens

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_graph_cancel.sandbox.entra.identity_provider import IdentityProvider

_PAGE = "/devicelogin"
_HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in to the sandbox</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 10vh auto; padding: 0 1rem; }}
  label, select, input {{ display: block; width: 100%; box-sizing: border-box; font: inherit; }}
  select, input {{ margin: .2rem 0 1rem; padding: .5rem; }}
  button {{ font: inherit; padding: .5rem 1rem; }}
</style>
<h1>Enter the code</h1>
<p role="status">{message}</p>
<form method="post">
  <label>Code that the device shows
    <input name="user_code" value="{code}" autocomplete="off" autofocus required></label>
  <label>Sign in as
    <select name="as">{people}</select></label>
  <button name="decision" value="approve">Allow</button>
  <button name="decision" value="decline" formnovalidate>Cancel</button>
</form>
</html>
"""


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
            check_tenant(tenant, provider, people=True)
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
        Route("/{tenant}/oauth2/v2.0/devicecode", DeviceCodeEndpoint(provider, f"{origin}{_PAGE}")),
        Route(_PAGE, device_page, methods=["GET", "POST"]),
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
    page = _HTML.format(message=html.escape(message), code=html.escape(code), people=people)
    return HTMLResponse(page, status)
