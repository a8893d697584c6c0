"""Twenty requests in one: the body of a ``$batch`` and what comes back.

msgraph-core has classes for this, but they put absolute URLs into the body, and Graph wants them relative to the
version. Inside an outer 200 every part has a status and a ``Retry-After`` of its own.

Source: https://learn.microsoft.com/graph/json-batching
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from airflow_graph_cancel.graph.http.response import Response

__all__ = ["Part", "batch_answers", "batch_body"]


class Part(NamedTuple):
    """One request of a batch.

    :param method: HTTP method.
    :param path: below the version, with a leading slash.
    :param body: a JSON object, None for none.
    """

    method: str
    path: str
    body: dict[str, object] | None = None


def batch_body(parts: Sequence[Part]) -> bytes:
    """Return the body of a batch of these requests; their places are their ids."""
    requests: list[dict[str, object]] = []
    for place, part in enumerate(parts):
        request: dict[str, object] = {"id": str(place), "method": part.method, "url": part.path}
        if part.body is not None:
            request |= {"headers": {"Content-Type": "application/json"}, "body": part.body}
        requests.append(request)
    return json.dumps({"requests": requests}, separators=(",", ":")).encode()


def batch_answers(outer: Response, count: int) -> list[Response | None]:
    """Return the parts' answers in the order of the requests, None for one that is not there.

    :param outer: the answer to the batch; if it is no 200 it is every part's answer.
    :param count: how many requests were in it.
    """
    if outer.status != 200:
        return [outer] * count
    answers: list[Response | None] = [None] * count
    responses = outer.json.get("responses")
    for response in responses if isinstance(responses, list) else []:
        place = str(response.get("id")) if isinstance(response, dict) else ""
        if place.isdecimal() and int(place) < count and isinstance(response.get("status"), int):
            answers[int(place)] = _part(response, outer)
    return answers


def _part(response: dict[str, object], outer: Response) -> Response:
    given = response.get("headers")
    headers = {str(name).lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    # The outer id stands in where a part has none: support finds the request by either.
    headers.setdefault("request-id", outer.request_id or "")
    headers.setdefault("date", outer.headers.get("date", ""))
    status, body = int(str(response["status"])), response.get("body")
    if isinstance(body, dict):
        return Response(status, headers, body=body)
    return Response(status, headers, b"" if body is None else json.dumps(body).encode())
