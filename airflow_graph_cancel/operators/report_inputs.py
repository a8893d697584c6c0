"""What a report is made from, as templates, skipped tasks and mapped tasks hand it over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.template_values import parse_text

__all__ = ["Results", "is_nothing", "read_mapping", "read_results"]

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Results:
    """What the cancelling tasks reported.

    :param rows: None if there is no result at all, as after a rejected approval; so is ``counts``.
    :param counts: how many events ended how, also those without rows.
    :param notes: sentences about what is missing.
    """

    rows: list[Row] | None = None
    counts: Mapping[str, int] | None = None
    notes: tuple[str, ...] = ()


def is_nothing(value: object) -> bool:
    """Return whether a template rendered nothing, as for a task that was skipped."""
    return value is None or (isinstance(value, str) and value.strip() in {"", "None"})


def read_mapping(argument: str, value: object) -> Row | None:
    """Return a mapping or what the text of one stands for; None for nothing.

    :param argument: its name, for the message.
    :raises InvalidInputError: if it is anything else.
    """
    if is_nothing(value):
        return None
    found = parse_text(argument, value) if isinstance(value, str) else value
    if not isinstance(found, Mapping):
        raise InvalidInputError(f"{argument} must be what a task returned, not {type(found).__name__}.")
    return cast("Row", found)


def read_results(value: object) -> Results:
    """Return the rows and counts of one cancelling task, or of all mapped ones.

    :param value: what the task returned, a list of that, or the text of either; or the path of the task's report, or a
        list of paths, for a task that fails returns nothing and has written its report all the same.
    :raises InvalidInputError: if it is anything else, or a report that a result names cannot be read.
    """
    rows: list[Row] = []
    counts: Counter[str] = Counter()
    notes: list[str] = []
    read: set[str] = set()
    for part in _parts(value):
        result = _result(part)
        if isinstance(result, str):
            found = _rows_of_file(result)
            if found is None:
                notes.append(f"There is no file {result}: cancelling was skipped, or ended before it wrote its report.")
                continue
            counts.update(str(row.get("outcome")) for row in found)
        else:
            # Mapped tasks that share a path have overwritten each other's rows; read once, so that it shows.
            path = str(result.get("report") or "")
            found = _rows_of(result) if not path or path not in read else []
            read.add(path)
            counts.update(cast("Mapping[str, int]", result["counts"]))
        rows += found
    missing = len(notes) == len(_parts(value))
    return Results(None if missing else rows, None if missing else counts, tuple(notes))


def _parts(value: object) -> list[object]:
    if isinstance(value, str) and value.lstrip()[:1] in {"[", "("}:
        value = parse_text("result", value)
    several = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    parts = list(cast("Sequence[object]", value)) if several else [value]
    return [part for part in parts if not is_nothing(part)]


def _result(part: object) -> Row | str:
    """Return a result, or the path of a report, of which only a result begins like a mapping."""
    if isinstance(part, str) and part.lstrip()[:1] != "{":
        return part.strip()
    result = read_mapping("result", part)
    if result is None or not isinstance(result.get("counts"), Mapping):
        raise InvalidInputError("result must be what GraphCancelEventsOperator returned; this has no counts.")
    return result


def _rows_of(result: Row) -> list[Row]:
    if result.get("report"):
        return _loaded(result)
    return cast("list[Row]", result.get("unsettled") or [])


def _rows_of_file(path: str) -> list[Row] | None:
    try:
        return _loaded({"counts": {}, "report": path})
    except InvalidInputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _loaded(result: Row) -> list[Row]:
    from airflow_graph_cancel.hooks.storage import load_rows

    try:
        rows = load_rows(result)
    except InvalidInputError:
        raise
    except ValueError as error:
        raise InvalidInputError(f"{result['report']} is no report of a cancelling task: {error}.") from error
    if not all(isinstance(row, Mapping) for row in rows):
        raise InvalidInputError(f"{result['report']} is no report of a cancelling task: it has lines that are no rows.")
    return cast("list[Row]", rows)
