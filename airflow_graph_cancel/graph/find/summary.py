"""A plan as Markdown, for the person who approves it; times are in the zone of the place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.formatting import counted, escape_markdown, markdown_table, span, zone_name, zone_of

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.plan import Meeting, Plan

_ROWS = 100
"""More than anybody reads; the plan itself has them all."""


def summarize(plan: Plan) -> str:
    """Return what would be cancelled, and what would not and why.

    Airflow shows it as the body of an approval.
    """
    # The zone that reports use too, so that all show the same times.
    zone = zone_of(plan.window.as_row())
    parts = (_head(plan, zone), _series_warning(plan.meetings), _meetings(plan.meetings, zone), _excluded(plan, zone))
    return "\n\n".join(filter(None, parts)) + "\n"


def _head(plan: Plan, zone: tzinfo) -> str:
    totals = plan.totals
    window = f"{span(plan.window.start, plan.window.end, zone)} ({escape_markdown(zone_name(zone))})"
    if not plan.meetings:
        return f"**No meeting to cancel**, {window}."
    people = counted(totals["people"], "person", "people")
    outside = f", {totals['outside_people']} of them outside" if totals["outside_people"] else ""
    organizers = counted(totals["organizers"], "organizer", "organizers")
    return f"**{counted(totals['meetings'], 'meeting', 'meetings')}** of {organizers}, {people}{outside}, {window}."


def _series_warning(meetings: Sequence[Meeting]) -> str:
    if not (series := sum(meeting.scope == "series" for meeting in meetings)):
        return ""
    return (
        f"⚠ {series} whole series would be cancelled: **all** dates, also those outside of the window and those in "
        "the past."
    )


def _meetings(meetings: Sequence[Meeting], zone: tzinfo) -> str:
    if not meetings:
        return ""
    subjects = any(meeting.subject is not None for meeting in meetings)
    head = ["When", *(["Subject"] if subjects else []), "Organizer", "Rooms", "People", "Outside", "What"]
    rows = [
        [
            span(meeting.start, meeting.end, zone),
            *([meeting.subject or ""] if subjects else []),
            meeting.user_id,
            _rooms(meeting.rooms),
            str(meeting.people),
            str(meeting.outside),
            _what(meeting),
        ]
        for meeting in meetings[:_ROWS]
    ]
    return _table(head, rows, len(meetings))


def _what(meeting: Meeting) -> str:
    if meeting.scope == "series":
        return f"whole series ({counted(meeting.dates, 'date', 'dates')} in the window)"
    return "one date of a series" if meeting.dates else "meeting"


def _excluded(plan: Plan, zone: tzinfo) -> str:
    if not plan.excluded:
        return ""
    reasons = Counter(str(each.reason) for each in plan.excluded)
    by_reason = sorted(plan.excluded, key=lambda each: (str(each.reason), each.start))
    # No subjects: these meetings take place, and are none of the approver's business.
    rows = [
        [span(each.start, each.end, zone), each.organizer, _rooms(each.rooms), str(each.reason)]
        for each in by_reason[:_ROWS]
    ]
    why = ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items()))
    table = _table(("When", "Organizer", "Rooms", "Why"), rows, len(by_reason))
    return f"**{counted(len(by_reason), 'meeting', 'meetings')} left alone**: {why}.\n\n{table}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], count: int) -> str:
    more = f"\n\nand {count - _ROWS:,} more, which are in the plan." if count > _ROWS else ""
    return "\n".join(markdown_table(head, rows)) + more


def _rooms(rooms: Iterable[str]) -> str:
    # The part before the @ is what people call a room; a plan has rooms of one tenant only.
    return ", ".join(room.partition("@")[0] for room in rooms)
