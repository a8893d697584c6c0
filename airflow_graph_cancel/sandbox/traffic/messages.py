"""A request to Graph and the response to it, alone or within a batch; errors in the words that are documented."""

from __future__ import annotations

import datetime
import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.entities import Json


@dataclass(slots=True)
class Caller:
    """The identity that a token stands for.

    :param app: The application's client id.
    :param permissions: Application roles, or delegated scopes if ``upn`` is set.
    :param upn: Address of the signed-in person; None for an application.
    """

    app: str
    permissions: frozenset[str]
    upn: str | None = None


@dataclass(slots=True)
class Request:
    """A request as Graph sees it.

    :param path: Path and query as sent, percent-encoded, including the version.
    :param below: The path below the version, without the query, percent-encoded.
    :param headers: By lower-case name.
    :param origin: Scheme, host and port, for links in the response.
    :param batch: Number of the batch request that contained this one.
    """

    method: str
    path: str
    version: str
    below: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    origin: str
    number: int
    batch: int | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def client_request_id(self) -> str:
        """The caller's own id for the request; the service's id if the caller sent none."""
        return self.headers.get("client-request-id") or self.request_id

    def json(self) -> Json:
        """Return the body as a JSON object.

        :raises GraphError: 400 if it is not one.
        """
        try:
            value = json.loads(self.body) if self.body.strip() else {}
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise bad_request("Unable to read JSON request payload.")
        return value

    def preferences(self) -> dict[str, str]:
        """Return the ``Prefer`` header as name (lower-case) and value."""
        header = self.headers.get("prefer")
        if not header:
            return {}
        found = (each.partition("=") for each in header.split(","))
        return {name.strip().lower(): value.strip().strip('"') for name, _, value in found}


@dataclass(slots=True)
class Response:
    """Graph's response.

    :param body: A JSON object, raw bytes (with their content type in ``headers``), or nothing.
    :param effect: Whether the request changed the tenant.
    """

    status: int
    body: Json | bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    effect: bool = False

    def encoded(self) -> bytes:
        """Return the body's bytes."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(slots=True)
class Delivery:
    """A response, and how the connection fails while it is sent, if it does.

    :param breaks: One of ``faults.BREAKS``; None for an intact response.
    :param seconds: How long the connection is held before it fails.
    """

    response: Response
    breaks: str | None = None
    seconds: float = 0.0


class GraphError(Exception):
    """An error response in the service's words.

    :param bare: Without ``innerError``, as in throttling and policy errors.
    """

    def __init__(
        self, status: int, code: str, message: str, *, bare: bool = False, retry_after: str | None = None
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.bare = bare
        self.retry_after = retry_after

    def response(self, request: Request) -> Response:
        """Return the error response to this request."""
        error: Json = {"code": self.code, "message": self.message}
        if not self.bare:
            error["innerError"] = {
                "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                "request-id": request.request_id,
                "client-request-id": request.client_request_id,
            }
        headers = {"Retry-After": self.retry_after} if self.retry_after is not None else {}
        return Response(self.status, {"error": error}, headers)


def bad_request(message: str) -> GraphError:
    """Refuse a malformed request."""
    return GraphError(400, "BadRequest", message)


def access_denied() -> GraphError:
    """Refuse because of a missing permission, or because of the mailbox."""
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def cannot_complete(reason: str) -> GraphError:
    """Refuse a calendar operation that the service, or the sandbox, cannot carry out."""
    return GraphError(400, "ErrorInvalidRequest", f"Your request can't be completed. {reason}.")


def directory_object_not_found(name: str) -> GraphError:
    """Refuse a name that the directory, rather than the calendar, does not know."""
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", message)
