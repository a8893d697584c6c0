"""The login authority: OpenID configuration, instance discovery and the token endpoint, in Entra's words."""

from __future__ import annotations

import asyncio
import datetime
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import jwt
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.exchange import Answer
from airflow_graph_cancel.sandbox.faults import BREAKS, HEADER, Fault
from airflow_graph_cancel.sandbox.service import Outcome
from airflow_graph_cancel.sandbox.tokens import APPS, PERSON_APP, SECRET, TENANT_ID
from airflow_graph_cancel.sandbox.wire import Receive, Scope, Send, break_connection

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.world import World

_HOUSEHOLD_NAMES = ("common", "organizations")


class EntraError(Exception):
    """A refusal of the token endpoint.

    :param number: Of the AADSTS code.
    """

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number
        self.message = message

    def response(self) -> JSONResponse:
        """Return the error as Entra words it, with ids to quote to support."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S}Z"
        description = (
            f"AADSTS{self.number}: {self.message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        )
        body = {
            "error": self.error,
            "error_description": description,
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        return JSONResponse(body, self.status)


class TokenEndpoint:
    """``POST /{tenant}/oauth2/v2.0/token``: client credentials, with a secret or an assertion.

    The signature of an assertion is not checked, for the sandbox has no certificates on file.
    """

    def __init__(self, world: World, port: int) -> None:
        self._world = world
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request for a token, unless a fault that names this path strikes."""
        request = Request(scope, receive, send)
        body = await request.body()
        try:
            fault = self._world.faults.pick(
                request.method, request.url.path, request.headers.get(HEADER), at_authority=True
            )
        except ValueError as error:
            await EntraError(400, "invalid_request", 900144, f"{error}.").response()(scope, receive, send)
            return
        if fault and fault.delay and fault.kind != "hang":
            await asyncio.sleep(fault.delay)
        if fault and fault.kind in BREAKS:
            outcome = Outcome(Answer(503), fault.kind, fault.delay if fault.kind == "hang" else 0.0)
            await break_connection(outcome, scope, receive, send)
            return
        response = _failed(fault) if fault and fault.kind != "slow" else self._answer(request, body)
        await response(scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> Response:
        try:
            if request.method != "POST":
                raise EntraError(405, "invalid_request", 900561, "The endpoint only accepts POST requests.")
            check_tenant(request.path_params["tenant"], self._world)
            form = {name: values[-1] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
            return self._issue(form)
        except EntraError as error:
            return error.response()

    def _issue(self, form: dict[str, str]) -> JSONResponse:
        app = form.get("client_id", "")
        if form.get("grant_type") != "client_credentials":
            raise EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        if app not in APPS:
            message = f"Application with identifier '{app}' was not found in the directory 'Contoso'."
            raise EntraError(400, "unauthorized_client", 700016, message)
        if "client_assertion" in form:
            _check_assertion(form["client_assertion"], app)
        elif form.get("client_secret") != SECRET:
            message = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{app}'."
            )
            raise EntraError(401, "invalid_client", 7000215, message)
        scope = form.get("scope", "")
        if not scope.endswith("/.default"):
            message = f"The provided value for scope {scope} is not valid. Client credential flows must have a scope "
            raise EntraError(
                400,
                "invalid_scope",
                1002012,
                message + "value with /.default suffixed to the resource identifier.",
            )
        lifetime = self._world.settings.token_lifetime
        upn = signed_in(self._world) if app == PERSON_APP else None
        token = self._world.tokens.issue(app, scope.removesuffix("/.default"), lifetime, upn)
        self._world.ledger.count_token()
        return JSONResponse(
            {
                "token_type": "Bearer",
                "expires_in": lifetime,
                "ext_expires_in": lifetime,
                "access_token": token,
            }
        )


def signed_in(world: World) -> str | None:
    """Return whom the person's application speaks for: the setting, or the tenant's first person."""
    people = (mailbox.address for mailbox in world.store.mailboxes.values() if mailbox.kind == "user")
    return world.settings.signed_in_as or next(people, None)


def check_tenant(name: str, world: World) -> None:
    """Accept the tenant's GUID and the domains of its mailboxes.

    :raises EntraError: for any other name.
    """
    if name == TENANT_ID or any(address.endswith(f"@{name.lower()}") for address in world.store.mailboxes):
        return
    message = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud."
    )
    raise EntraError(400, "invalid_request", 90002, message)


def routes(world: World, port: int) -> list[Route]:
    """Return the authority's routes."""
    origin = f"https://localhost:{port}"

    async def openid_configuration(request: Request) -> Response:
        tenant = request.path_params["tenant"]
        try:
            if tenant not in _HOUSEHOLD_NAMES:
                check_tenant(tenant, world)
        except EntraError as error:
            return error.response()
        base = f"{origin}/{tenant}"
        return JSONResponse(
            {
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "issuer": f"{origin}/{TENANT_ID}/v2.0",
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
            "tenant_discovery_endpoint": f"{origin}/{TENANT_ID}/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
        return JSONResponse(body)

    return [
        Route("/common/discovery/instance", instance),
        Route("/{tenant}/v2.0/.well-known/openid-configuration", openid_configuration),
        Route("/{tenant}/oauth2/v2.0/token", TokenEndpoint(world, port)),
    ]


def _check_assertion(assertion: str, app: str) -> None:
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.PyJWTError:
        claims = {}
    if claims.get("iss") != app or claims.get("sub") != app:
        raise EntraError(401, "invalid_client", 700027, "Client assertion failed signature validation.")


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
