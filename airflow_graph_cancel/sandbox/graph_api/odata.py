"""OData collections: ``$filter`` and ``$orderby``, and pages that ``@odata.nextLink`` connects."""

from __future__ import annotations

import base64
import binascii
import operator
import re
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from airflow_graph_cancel.sandbox.traffic.messages import GraphError, Request, Response, bad_request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_graph_cancel.sandbox.tenant.entities import Json

Row = TypeVar("Row")
_LARGEST = 1000
_MARK = "sandbox:"
_COMPARISON = re.compile(r"\s*([A-Za-z/]+)\s+(eq|ne|gt|ge|lt|le)\s+('(?:[^']|'')*'|[^\s']+)\s*(?:and\s|$)")
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "gt", "ge", "lt", "le")
}


def page(
    request: Request,
    rows: Sequence[Row],
    show: Callable[[Row], Json],
    comparable: Callable[[Row], Json] | None = None,
    size: int = 100,
) -> Response:
    """Return one page of a collection, filtered and sorted as the request asks.

    :param show: A row as the reader wants it.
    :param comparable: A row with everything that it can be filtered and sorted by; ``show`` if not given.
    :param size: Rows in a page if the request does not say.
    :raises GraphError: 400 for an invalid query option.
    """
    query, comparable = request.query, comparable or show
    if "$filter" in query:
        rows = [row for row in rows if _matches(query["$filter"], comparable(row))]
    if "$orderby" in query:
        path, _, direction = query["$orderby"].partition(" ")
        rows = sorted(rows, key=lambda row: str(_value_at(comparable(row), path)))
        rows = rows[::-1] if direction.strip().lower() == "desc" else rows
    preferred = request.preferences().get("odata.maxpagesize")
    top = _number(query.get("$top", preferred or str(size)), "$top")
    if not 1 <= top <= _LARGEST:
        raise bad_request(f"The value of $top must be between 1 and {_LARGEST}.")
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
    return Response(200, body)


def comparisons(expression: str) -> list[tuple[str, str, str]]:
    """Return a filter's comparisons, joined by ``and``, as (path, operator, literal without quotes).

    :raises GraphError: 400 for any other expression.
    """
    found: list[tuple[str, str, str]] = []
    position = 0
    while position < len(expression):
        match = _COMPARISON.match(expression, position)
        if match is None:
            raise unsupported(expression)
        path, compare, literal = match.groups()
        found.append((path, compare, literal[1:-1].replace("''", "'") if literal.startswith("'") else literal))
        position = match.end()
    return found


def unsupported(expression: str) -> GraphError:
    """Refuse an expression that the service does not filter by."""
    return GraphError(400, "UnsupportedEntityExpression", f"{expression} is not a supported filter expression.")


def _matches(expression: str, row: Json) -> bool:
    return all(
        _OPERATORS[compare](_text(_value_at(row, path)), literal) for path, compare, literal in comparisons(expression)
    )


def _value_at(row: Json, path: str) -> object:
    """Return the value at a path such as ``start/dateTime``."""
    value: object = row
    for name in path.split("/"):
        if not isinstance(value, dict) or name not in value:
            raise bad_request(f"Could not find a property named '{name}'.")
        value = value[name]
    return value


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)


def _number(text: str, name: str) -> int:
    if not text.isdecimal():
        raise bad_request(f"Invalid value '{text}' for {name} query option found.")
    return int(text)


def _position(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix(_MARK))
    except (binascii.Error, ValueError) as error:
        raise bad_request("The $skiptoken is not valid.") from error
