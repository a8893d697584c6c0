"""Up to twenty requests in one: the body of a ``$batch`` and the responses of its parts.

msgraph-core has classes for this, but they write absolute URLs into the body, and Graph wants them relative to the
version. Inside an outer 200 every part has its own status and its own ``Retry-After``.

Source: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from airflow_graph_cancel.graph.http.response import Response


class Part(NamedTuple):
    """One request of a batch.

    :param method: HTTP method.
    :param path: below the version, with a leading slash.
    :param body: a JSON object as bytes, None for none.
    """

    method: str
    path: str
    body: bytes | None = None


def batch_body(parts: Sequence[Part]) -> bytes:
    """Return the body of a batch of these requests; the place of a request is its id."""
    return b'{"requests":[' + b",".join(_encode(place, part) for place, part in enumerate(parts)) + b"]}"


def _encode(place: int, part: Part) -> bytes:
    request: dict[str, object] = {"id": str(place), "method": part.method, "url": part.path}
    if part.body is None:
        return json.dumps(request, separators=(",", ":")).encode()
    request["headers"] = {"Content-Type": "application/json"}
    # The body is JSON already, as the SDK wrote it: it is put in as it is.
    return json.dumps(request, separators=(",", ":")).encode()[:-1] + b',"body":' + part.body + b"}"


def batch_responses(outer: Response, count: int) -> list[Response | None]:
    """Return the responses of the parts in the order of the requests, None for one that is missing.

    :param outer: the response to the batch; unless it is a 200, it stands for every part.
    :param count: how many requests the batch had.
    """
    if outer.status != 200:
        return [outer] * count
    found: list[Response | None] = [None] * count
    parts = outer.json.get("responses")
    for part in parts if isinstance(parts, list) else []:
        place = str(part.get("id")) if isinstance(part, dict) else ""
        # JSON's true would count as an integer.
        if place.isdecimal() and int(place) < count and type(part.get("status")) is int:
            found[int(place)] = _part(part, outer)
    return found


def _part(part: dict[str, object], outer: Response) -> Response:
    given = part.get("headers")
    headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    # Support finds the request by the outer id as well, for a part that has none.
    headers.setdefault("request-id", outer.request_id or "")
    headers.setdefault("date", outer.headers.get("date", ""))
    status, body = int(str(part["status"])), part.get("body")
    if isinstance(body, dict):
        return Response(status, headers, body=body)
    return Response(status, headers, b"" if body is None else json.dumps(body).encode())
