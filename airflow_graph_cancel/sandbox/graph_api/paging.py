"""Collections: filtered, ordered, and cut into pages that are linked by ``@odata.nextLink``."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from airflow_graph_cancel.sandbox.graph_api import filtering
from airflow_graph_cancel.sandbox.traffic import graph_errors
from airflow_graph_cancel.sandbox.traffic.messages import Answer, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_graph_cancel.sandbox.tenant.entities import Json

Each = TypeVar("Each")
_LARGEST = 1000
_MARK = "sandbox:"


def answer(
    request: Request, rows: Sequence[Each], render: Callable[[Each], Json], show: Callable[[Each], Json], size: int
) -> Answer:
    """Return one page of the collection.

    :param render: A row with all that can be filtered and ordered by.
    :param show: A row as the reader wants it.
    :param size: Rows of a page if the reader does not say.
    :raises GraphError: 400 for a query option that makes no sense.
    """
    query = request.query
    if "$filter" in query:
        rows = [row for row in rows if filtering.matches(query["$filter"], render(row))]
    if "$orderby" in query:
        path, _, direction = query["$orderby"].partition(" ")
        rows = sorted(rows, key=lambda row: str(filtering.value_at(render(row), path)))
        rows = rows[::-1] if direction.strip().lower() == "desc" else rows
    preferred = request.preferences().get("odata.maxpagesize")
    top = _number(query.get("$top", preferred or str(size)), "$top")
    if not 1 <= top <= _LARGEST:
        raise graph_errors.bad_request(f"The value of $top must be between 1 and {_LARGEST}.")
    skip = _position(query["$skiptoken"]) if "$skiptoken" in query else _number(query.get("$skip", "0"), "$skip")
    body: Json = {"@odata.context": f"{request.origin}/{request.version}/$metadata"}
    if query.get("$count", "").lower() == "true":
        body["@odata.count"] = len(rows)
    body["value"] = [show(row) for row in rows[skip : skip + top]]
    if skip + top < len(rows):
        following = {name: value for name, value in query.items() if name not in ("$skip", "$skiptoken")}
        token = base64.urlsafe_b64encode(f"{_MARK}{skip + top}".encode()).decode()
        path = request.path.partition("?")[0]
        body["@odata.nextLink"] = f"{request.origin}{path}?{urlencode({**following, '$skiptoken': token}, safe='$')}"
    return Answer(200, body)


def _number(text: str, name: str) -> int:
    if not text.isdecimal():
        raise graph_errors.bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _position(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix(_MARK))
    except (binascii.Error, ValueError) as error:
        raise graph_errors.bad_request("The $skiptoken is not valid.") from error
