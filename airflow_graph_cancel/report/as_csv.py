"""The report for spreadsheets and databases: a row an event."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from airflow_graph_cancel.report.times import local_iso

if TYPE_CHECKING:
    from airflow_graph_cancel.report.model import CancellationReport, LeftMeeting, ReportedEvent

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
# A spreadsheet takes a value that begins so for a formula, also behind blanks and in wide letters.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Cells = dict[str, str | int | None]


def to_csv(report: CancellationReport) -> str:
    r"""Return the report as CSV after RFC 4180, lines ended by ``\r\n``.

    Times have the offset of the plan's zone, except ``decided_at``, which is in UTC. Meetings that were left have
    ``left`` under ``record`` and the reason. A value that a spreadsheet would take for a formula gets an apostrophe in
    front, for subjects are strangers' text.
    """
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for cells in (*(_event(event, report) for event in report.events), *(_left(left, report) for left in report.left)):
        writer.writerow({name: _harmless(value) for name, value in cells.items()})
    return out.getvalue()


def _event(event: ReportedEvent, report: CancellationReport) -> Cells:
    return {
        "record": "meeting",
        "start": local_iso(event.start, report.zone),
        "end": local_iso(event.end, report.zone),
        "organizer": event.mailbox,
        "subject": event.subject,
        "rooms": "; ".join(event.rooms),
        "people": event.people,
        "outside_people": event.outside,
        "outcome": event.outcome,
        "still_there": event.still_there,
        "attempts": event.attempts,
        "decided_at": event.at,
        "request_id": event.request_id,
        "message": event.message,
        "in_plan": "yes" if event.planned else "no",
        "type": event.kind,
        "scope": event.scope,
        "event_id": event.event_id,
        "ical_uid": event.ical_uid,
    }


def _left(left: LeftMeeting, report: CancellationReport) -> Cells:
    return {
        "record": "left",
        "start": local_iso(left.start, report.zone),
        "end": local_iso(left.end, report.zone),
        "organizer": left.organizer,
        "subject": left.subject,
        "rooms": "; ".join(left.rooms),
        "reason": left.reason,
        "in_plan": "yes",
        "event_id": left.event_id,
        "ical_uid": left.ical_uid,
    }


def _harmless(value: str | int | None) -> str | int | None:
    if not isinstance(value, str):
        return value
    return f"'{value}" if value.startswith(_FORMULA) or value.lstrip().startswith(_FORMULA) else value
