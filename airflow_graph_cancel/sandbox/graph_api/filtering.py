"""``$filter``, as far as calendars need it: comparisons with literals, joined by ``and``."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.traffic.messages import GraphError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_graph_cancel.sandbox.tenant.entities import Json

_COMPARISON = re.compile(r"\s*([A-Za-z/]+)\s+(eq|ne|gt|ge|lt|le)\s+('(?:[^']|'')*'|[^\s']+)\s*(?:and\s|$)")
_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}


def comparisons(expression: str) -> list[tuple[str, str, str]]:
    """Return the expression's comparisons as (path, operator, literal without quotes).

    :raises GraphError: 400 if it is anything else.
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


def matches(expression: str, row: Json) -> bool:
    """Tell whether the row is what the expression asks for."""
    return all(
        _OPERATORS[compare](_text(value_at(row, path)), literal) for path, compare, literal in comparisons(expression)
    )


def value_at(row: Json, path: str) -> object:
    """Return the value at a path such as ``start/dateTime``."""
    value: object = row
    for name in path.split("/"):
        if not isinstance(value, dict) or name not in value:
            raise GraphError(400, "BadRequest", f"Could not find a property named '{name}'.")
        value = value[name]
    return value


def unsupported(expression: str) -> GraphError:
    """Return the refusal of an expression that the service does not filter by."""
    return GraphError(400, "UnsupportedEntityExpression", f"{expression} is not a supported filter expression.")


def _text(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)
