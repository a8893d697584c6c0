"""Files that any worker can reach: plans that are too long for XCom, and reports.

Airflow is imported inside the functions, because operators import this and DAG files are parsed all the time.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.graph.template_values import parse_text

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

Document = dict[str, object]
MOST_ROWS = 1000
"""Longest plan, in rows, that is passed through XCom; Airflow stores XCom in its database."""


def write_whole(path: str, content: bytes) -> None:
    """Write a file and create its folders; a reader finds either the whole new content or the old one.

    :param path: anything that ``ObjectStoragePath`` takes: a file, ``s3://...``, ``abfs://...``.
    """
    from airflow.sdk import ObjectStoragePath

    target = ObjectStoragePath(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.protocol not in {"", "file", "local"}:
        # Object stores show an object only when it is complete.
        target.write_bytes(content)
        return
    part = target.with_name(f".{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        os.replace(part.path, target.path)
    except BaseException:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def save_plan(plan: Mapping[str, object], path: str) -> Document:
    """Write a plan as JSON, and return the pointer that takes its place in XCom.

    :param path: anything that ``ObjectStoragePath`` takes.
    """
    write_whole(path, json.dumps(plan).encode())
    kept = ("window", "totals", "digest", "made_at", "summary")
    return {"path": path, **{name: plan[name] for name in kept}}


def default_plan_path(context: Context) -> str:
    """Return where a plan is written if the DAG's author named no path: one file for each task of a run.

    :param context: of the task.
    """
    from airflow.configuration import AIRFLOW_HOME

    task = context["ti"]
    # Names of runs and tasks contain colons and slashes.
    parts = [quote(name, safe="") for name in (task.dag_id, task.run_id, task.task_id)]
    return str(Path(AIRFLOW_HOME, "graph_cancel_plans", *parts[:2], f"{parts[2]}-{max(task.map_index or 0, 0)}.json"))


def load_events(events: object) -> object:
    """Return events as they were given, or the plan that they point to.

    :param events: a list, a plan, what :func:`save_plan` returned, or the text of one, as a template renders it.
    :raises InvalidInputError: if a plan's file cannot be read, or contains another plan.
    """
    if isinstance(events, str):
        events = parse_text("events", events)
    if isinstance(events, Mapping) and "meetings" not in events and isinstance(events.get("path"), str):
        return _load(events)
    return events


def load_plan(plan: object) -> Document:
    """Return a plan, wherever it is.

    :param plan: a plan, what :func:`save_plan` returned, or the text of one.
    :raises InvalidInputError: if it is not a plan.
    """
    found = load_events(plan)
    if not isinstance(found, Mapping) or not isinstance(found.get("meetings"), list):
        what = "it has no list of meetings" if isinstance(found, Mapping) else f"it is {type(found).__name__}"
        raise InvalidInputError(
            f"This is not a plan: {what}. Pass what GraphFindEventsOperator returned.", nothing_sent=False
        )
    return dict(found)


def write_report(path: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Write the report of a cancelling task as JSON Lines.

    In one piece: object stores cannot append, and a reader must never see half a row.

    :param path: anything that ``ObjectStoragePath`` takes.
    :param rows: one for each event.
    """
    write_whole(path, "".join(f"{json.dumps(row, default=str)}\n" for row in rows).encode())


def read_report(path: str) -> list[Document]:
    """Return the rows of a report that a cancelling task wrote.

    :param path: its ``report_path``.
    :raises InvalidInputError: if it cannot be read, or is not such a report.
    """
    try:
        rows = [json.loads(line) for line in _read(path, "report").splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        raise InvalidInputError(
            f"This file is not a report of a cancelling task ({error}). File: {path}.", nothing_sent=False
        ) from error
    if not all(isinstance(row, dict) for row in rows):
        raise InvalidInputError(
            f"This file is not a report of a cancelling task, because not every line is a row. File: {path}.",
            nothing_sent=False,
        )
    return rows


def cancelled_rows(events: object) -> object:
    """Return the events that a cancelling task says it cancelled, or events as they were given.

    :param events: what ``GraphCancelEventsOperator`` returned, a list of those, the text of either; or anything that it
        takes.
    :raises InvalidInputError: if a result has no report to read events from.
    """
    if isinstance(events, str):
        events = parse_text("events", events)
    # What mapped tasks return comes as a sequence that is not a list.
    several = list(events) if isinstance(events, Sequence) else [events]
    results = [result for result in several if isinstance(result, Mapping) and "counts" in result]
    if not results or len(results) < len(several):
        return events
    reports = [result.get("report") for result in results if result.get("total") or result.get("report")]
    if not all(isinstance(report, str) for report in reports):
        raise InvalidInputError(
            "The cancelling task wrote no report, so its events are not known. Give that task a report_path, or pass "
            "the plan instead of its result.",
            nothing_sent=False,
        )
    cancelled = {outcome for outcome in Outcome if outcome.is_cancelled}
    return [row for report in reports for row in read_report(str(report)) if row.get("outcome") in cancelled]


def _load(pointer: Mapping[str, object]) -> Document:
    path = str(pointer["path"])
    try:
        plan = json.loads(_read(path, "plan"))
    except json.JSONDecodeError as error:
        raise InvalidInputError(f"The plan's file is not valid JSON ({error}). File: {path}.") from error
    if not isinstance(plan, dict) or plan.get("digest") != pointer.get("digest"):
        raise InvalidInputError(
            "The plan's file contains another plan than the one that was found and approved. Perhaps a later run wrote "
            f"to the same path: put {{{{ run_id }}}} into plan_path, and search again. File: {path}."
        )
    return plan


def _read(path: str, what: str) -> str:
    from airflow.sdk import ObjectStoragePath

    try:
        return str(ObjectStoragePath(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"The {what} cannot be read ({type(error).__name__}). If there are several workers, it must be in storage "
            f"that all of them reach. File: {path}.",
            nothing_sent=False,
        ) from error
