"""The machine's endpoints for managed identities: as on a virtual machine, and as in App Service.

They use plain HTTP, as the real ones do, and are for this machine only.

Source: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token and
https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
"""

from __future__ import annotations

import re
import secrets
import time
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from airflow_graph_cancel.sandbox.entra.authority import Form, LoginEndpoint, token_response
from airflow_graph_cancel.sandbox.traffic.ledger import TokenRequest

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.entra.sign_ins import IdentityProvider

_IMDS_PATH = "/metadata/identity/oauth2/token"
_APP_SERVICE_PATH = "/msi/token"
#: Query options that name an identity, and the property that they name it by.
_SELECTORS = {
    "client_id": "client_id",
    "object_id": "object_id",
    "principal_id": "object_id",
    "mi_res_id": "resource_id",
    "msi_res_id": "resource_id",
}


class ManagedIdentities:
    """Both endpoints, and the environment variables with which a client finds each of them."""

    def __init__(self, provider: IdentityProvider, port: int) -> None:
        origin = f"http://127.0.0.1:{port}"
        # A page in a browser, or a server that can be tricked into a request, does not know it.
        header = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
        self.app = Router(
            [Route(_IMDS_PATH, ImdsEndpoint(provider)), Route(_APP_SERVICE_PATH, AppServiceEndpoint(provider, header))]
        )
        self.environment: dict[str, dict[str, str]] = {
            "managed_identity": {"AZURE_POD_IDENTITY_AUTHORITY_HOST": origin},
            "managed_identity_app_service": {
                "IDENTITY_ENDPOINT": f"{origin}{_APP_SERVICE_PATH}",
                "IDENTITY_HEADER": header,
            },
        }


class _RefusalError(Exception):
    """Why no token is issued, in the words of the endpoint."""

    def __init__(self, error: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.message = message
        self.status = status


class _MachineEndpoint(LoginEndpoint):
    grant_type = "managed_identity"
    credential = ""
    #: The first supported ``api-version``.
    oldest = ""

    def describe(self, form: Form) -> TokenRequest:
        """Return the ledger's entry for a request, before it is checked."""
        named = next((form[name] for name in _SELECTORS if name in form), "")
        return TokenRequest(self.grant_type, named, form.get("resource", ""), self.credential)

    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Return a token of one of the machine's identities, or the reason why there is none."""
        try:
            self._admit(request.headers)
            if request.method != "GET":
                raise _RefusalError("invalid_request", "Method not allowed", 405)
            version, oldest = form.get("api-version", ""), self.oldest
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", version) or version < oldest:
                raise _RefusalError("invalid_request", f"api-version {version!r} is not supported: use {oldest}")
            if not form.get("resource"):
                raise _RefusalError("invalid_request", "Required query variable 'resource' is missing")
            app = self._chosen(form)
        except _RefusalError as refusal:
            entry.error = refusal.error
            return JSONResponse(self._refused(refusal), refusal.status)
        entry.client_id = app.client_id
        now, lifetime = int(time.time()), self._provider.state.settings.token_lifetime
        token = self._provider.tokens.issue_to_app(app, form["resource"], lifetime)
        self._provider.state.ledger.tokens += 1
        # All values are text, numbers too.
        return token_response(
            {
                "access_token": token,
                "client_id": app.client_id,
                "expires_on": str(now + lifetime),
                "not_before": str(now),
                "resource": form["resource"],
                "token_type": "Bearer",
                **self._more(lifetime),
            }
        )

    @abstractmethod
    def _admit(self, headers: Mapping[str, str]) -> None:
        """Accept a client that knows the endpoint's header.

        :raises _RefusalError: for any other client.
        """

    @abstractmethod
    def _refused(self, refusal: _RefusalError) -> dict[str, object]:
        """Return a refusal in the endpoint's format."""

    def _more(self, lifetime: int) -> dict[str, object]:
        """Return further members of this endpoint's response."""
        return {}

    @abstractmethod
    def _missing(self, *, named: bool) -> str:
        """Tell that there is no such identity, in the endpoint's words."""

    def _chosen(self, form: Form) -> App:
        """Return the identity that one of its ids names; without an id, the system-assigned one.

        :raises _RefusalError: if there is no such identity, or the request is ambiguous.
        """
        identities = [app for app in self._provider.apps.values() if app.identity]
        named = [name for name in _SELECTORS if name in form]
        if len(named) > 1:
            raise _RefusalError("invalid_request", f"{' and '.join(named)} cannot be used together")
        if named:
            value, name = form[named[0]].lower(), _SELECTORS[named[0]]
            found = next((app for app in identities if str(getattr(app, name)).lower() == value), None)
        else:
            # If the only identity is user-assigned, the request need not name it.
            system = [app for app in identities if app.identity == "system"]
            if not system and len(identities) > 1:
                message = "Multiple user assigned identities exist, please specify the clientId / resourceId of the "
                raise _RefusalError("invalid_request", f"{message}identity in the token request")
            found = next(iter(system or identities), None)
        if found is None:
            raise _RefusalError("invalid_request", self._missing(named=bool(named)))
        return found


class ImdsEndpoint(_MachineEndpoint):
    """``GET /metadata/identity/oauth2/token``, as on a virtual machine."""

    credential = "imds"
    oldest = "2018-02-01"

    def _admit(self, headers: Mapping[str, str]) -> None:
        # A request that came through a proxy is refused like one without the header.
        if headers.get("metadata") != "true" or "x-forwarded-for" in headers:
            raise _RefusalError("bad_request_102", "Required metadata header not specified")

    def _refused(self, refusal: _RefusalError) -> dict[str, object]:
        return {"error": refusal.error, "error_description": refusal.message}

    def _more(self, lifetime: int) -> dict[str, object]:
        return {"expires_in": str(lifetime), "ext_expires_in": str(lifetime), "refresh_token": ""}

    def _missing(self, *, named: bool) -> str:
        return "Identity not found"


class AppServiceEndpoint(_MachineEndpoint):
    """``GET /msi/token``, as in App Service and Functions.

    :param header: The required value of ``X-IDENTITY-HEADER``.
    """

    credential = "app_service"
    oldest = "2019-08-01"

    def __init__(self, provider: IdentityProvider, header: str) -> None:
        super().__init__(provider)
        self._header = header

    def _admit(self, headers: Mapping[str, str]) -> None:
        # How the service refuses a wrong header is not documented.
        if not secrets.compare_digest(headers.get("x-identity-header", "").encode(), self._header.encode()):
            raise _RefusalError("unauthorized", "The X-IDENTITY-HEADER is missing or wrong", 401)

    def _refused(self, refusal: _RefusalError) -> dict[str, object]:
        return {"statusCode": refusal.status, "message": refusal.message, "correlationId": str(uuid.uuid4())}

    def _missing(self, *, named: bool) -> str:
        kind = "User Assigned or Delegated Managed Identity" if named else "Managed Identity"
        return f"No {kind} found for specified ClientId/ResourceId/PrincipalId."
