"""The report for spreadsheets and databases: one row per event."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.formatting import local_iso

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.plan import PlanRow
    from airflow_graph_cancel.report.model import CancellationReport

__all__ = ["COLUMNS", "to_csv"]

COLUMNS = (
    "record",
    "start",
    "end",
    "organizer",
    "subject",
    "rooms",
    "people",
    "outside_people",
    "outcome",
    "reason",
    "still_there",
    "attempts",
    "decided_at",
    "request_id",
    "message",
    "in_plan",
    "type",
    "scope",
    "event_id",
    "ical_uid",
)
# A spreadsheet takes a value that begins like this for a formula, also behind blanks and in wide characters.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Cells = dict[str, str | int | None]


def to_csv(report: CancellationReport) -> str:
    r"""Return the report as CSV after RFC 4180, lines ended by ``\r\n``.

    Times have the offset of the plan's zone, except ``decided_at``, which is in UTC. Meetings that the plan excludes
    have ``left`` as their ``record``, and a reason. A value that a spreadsheet would take for a formula gets an
    apostrophe in front, because subjects are other people's text.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for cells in _rows(report):
        writer.writerow({name: _harmless(value) for name, value in cells.items()})
    return out.getvalue()


def _rows(report: CancellationReport) -> Iterator[Cells]:
    for event in report.events:
        yield {
            **_meeting(event.plan, report.zone),
            "record": "meeting",
            "organizer": event.mailbox,
            "people": event.plan.people,
            "outside_people": event.plan.outside,
            "outcome": event.outcome,
            "still_there": event.still_there,
            "attempts": event.attempts,
            "decided_at": event.at,
            "request_id": event.request_id,
            "message": event.message,
            "in_plan": "yes" if event.planned else "no",
            "type": event.plan.type,
            "scope": event.plan.scope,
            "event_id": event.event_id,
        }
    for row in report.excluded:
        yield {
            **_meeting(row, report.zone),
            "record": "left",
            "organizer": row.organizer,
            "reason": row.reason,
            "in_plan": "yes",
            "event_id": row.event_id,
        }


def _meeting(row: PlanRow, zone: tzinfo) -> Cells:
    return {
        "start": local_iso(row.start, zone),
        "end": local_iso(row.end, zone),
        "subject": row.subject,
        "rooms": "; ".join(row.rooms),
        "ical_uid": row.uid,
    }


def _harmless(value: str | int | None) -> str | int | None:
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.startswith(_FORMULA) or value.lstrip().startswith(_FORMULA) else value
