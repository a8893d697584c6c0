"""The login authority: OpenID configuration, instance discovery, its endpoints, and a page to sign in on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.entra.app_registrations import TENANT_ID
from airflow_graph_cancel.sandbox.entra.device_page import DevicePage
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError
from airflow_graph_cancel.sandbox.entra.id_tokens import IdTokens
from airflow_graph_cancel.sandbox.entra.token_endpoint import DeviceCodeEndpoint, TokenEndpoint, check_tenant

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_graph_cancel.sandbox.state import World

_PAGE = "/devicelogin"


def routes(world: World, port: int) -> list[Route]:
    """Return the authority's routes.

    :param port: On which it will be reached.
    """
    origin = f"https://localhost:{port}"
    issuer = f"{origin}/{TENANT_ID}/v2.0"
    id_tokens = IdTokens(issuer)

    async def openid_configuration(request: Request) -> Response:
        tenant = request.path_params["tenant"]
        try:
            check_tenant(tenant, world, people=True)
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

    return [
        Route("/common/discovery/instance", instance),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration),
        Route("/{tenant}/discovery/v2.0/keys", keys),
        Route("/{tenant}/oauth2/v2.0/token", TokenEndpoint(world, id_tokens)),
        Route("/{tenant}/oauth2/v2.0/devicecode", DeviceCodeEndpoint(world, f"{origin}{_PAGE}")),
        Route(_PAGE, DevicePage(world).answer, methods=["GET", "POST"]),
    ]
