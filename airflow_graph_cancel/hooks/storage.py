"""Plans and reports that are too long for XCom, in files that any worker can reach."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from airflow.configuration import AIRFLOW_HOME
from airflow.sdk import ObjectStoragePath

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.graph.template_values import parse_text
from airflow_graph_cancel.hooks.files import write_whole

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

__all__ = ["MOST_ROWS", "cancelled_rows", "load_events", "load_plan", "load_rows", "own_path", "save_plan"]

Document = dict[str, object]
MOST_ROWS = 1000
"""Rows of a plan that may stand in XCom, which lives in Airflow's database."""


def save_plan(plan: Mapping[str, object], path: str) -> Document:
    """Write a plan as JSON, whole or not at all; return what stands for it in XCom.

    :param path: anything that ``ObjectStoragePath`` takes: a file, ``s3://...``, ``abfs://...``.
    """
    write_whole(path, json.dumps(plan).encode())
    kept = ("window", "totals", "digest", "made_at", "summary")
    return {"path": path, **{name: plan[name] for name in kept}}


def own_path(context: Context) -> str:
    """Return where a plan goes for which nobody named a place: a file of its own for each try's task.

    :param context: of the task.
    """
    task = context["ti"]
    # Names of runs and tasks hold colons and slashes.
    parts = [quote(name, safe="") for name in (task.dag_id, task.run_id, task.task_id)]
    return str(Path(AIRFLOW_HOME, "graph_cancel_plans", *parts[:2], f"{parts[2]}-{max(task.map_index or 0, 0)}.json"))


def load_events(events: object) -> object:
    """Return events as they were given, or the plan that they stand for.

    :param events: a list, a plan, what :func:`save_plan` returned, or the text of one, as a template gives.
    :raises InvalidInputError: if the file of a plan is not there, or holds another plan.
    """
    if isinstance(events, str):
        events = parse_text("events", events)
    if isinstance(events, Mapping) and "meetings" not in events and isinstance(events.get("path"), str):
        return _load(events)
    return events


def load_plan(plan: object) -> Document:
    """Return a plan, wherever it is.

    :param plan: a plan, what :func:`save_plan` returned, or the text of one.
    :raises InvalidInputError: if it is no plan.
    """
    found = load_events(plan)
    if not isinstance(found, Mapping) or not isinstance(found.get("meetings"), list):
        raise InvalidInputError(
            f"This is no plan but {type(found).__name__}: give what GraphFindEventsOperator returned.",
            nothing_sent=False,
        )
    return cast("Document", dict(found))


def load_rows(result: object) -> list[Document]:
    """Return the rows of a report that a cancelling task wrote; none if it was given no ``report_path``.

    :param result: what ``GraphCancelEventsOperator`` returned, or the text of it.
    :raises InvalidInputError: if it is no such result, or its report is not there.
    """
    if isinstance(result, str):
        result = parse_text("result", result)
    if not isinstance(result, Mapping) or "counts" not in result:
        raise InvalidInputError("This is no result of GraphCancelEventsOperator: it has no counts.", nothing_sent=False)
    path = result.get("report")
    if not isinstance(path, str):
        return []
    return [json.loads(line) for line in _read(path, "report").splitlines() if line.strip()]


def cancelled_rows(events: object) -> object:
    """Return the events that a cancelling task says it cancelled, or events as they were given.

    :param events: what ``GraphCancelEventsOperator`` returned, a list of those, the text of either; or anything that it
        takes.
    :raises InvalidInputError: if a result has no report to read events from.
    """
    if isinstance(events, str):
        events = parse_text("events", events)
    # What mapped tasks return comes as a sequence that is no list.
    several = list(events) if isinstance(events, Sequence) else [events]
    results = [result for result in several if isinstance(result, Mapping) and "counts" in result]
    if not results or len(results) < len(several):
        return events
    if any(result.get("total") and not isinstance(result.get("report"), str) for result in results):
        raise InvalidInputError(
            "The result of the cancelling task names no report, so that its events are not known: give that task a "
            "report_path, or give the plan.",
            nothing_sent=False,
        )
    cancelled = {outcome for outcome in Outcome if outcome.is_cancelled}
    return [row for result in results for row in load_rows(result) if row.get("outcome") in cancelled]


def _load(pointer: Mapping[str, object]) -> Document:
    path = str(pointer["path"])
    text = _read(path, "plan")
    try:
        plan = json.loads(text)
    except ValueError as error:
        raise InvalidInputError(f"The plan in {path} is no JSON.") from error
    if not isinstance(plan, dict) or plan.get("digest") != pointer.get("digest"):
        raise InvalidInputError(
            f"The plan in {path} is another one than the one that was found and approved: a later run may have "
            "written to the same path. Put {{ run_id }} into plan_path, and search again."
        )
    return plan


def _read(path: str, what: str) -> str:
    try:
        return str(ObjectStoragePath(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(
            f"The {what} {path} cannot be read ({type(error).__name__}). With several workers it must be in storage "
            "that all of them reach.",
            nothing_sent=False,
        ) from error
