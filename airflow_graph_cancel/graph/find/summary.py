"""A plan as whoever approves it reads it: Markdown, in the time of the place."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_graph_cancel.graph.model.plan import Excluded, Meeting, Plan

__all__ = ["plain", "summarize"]

_ROWS = 100
"""More than anybody reads; the plan itself has them all."""
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#|!~&])")


def summarize(plan: Plan) -> str:
    """Return what would happen, what would be left and why, as Markdown.

    Airflow shows it as the body of an approval.
    """
    return "\n\n".join(filter(None, [_head(plan), _warnings(plan), _meetings(plan), _left(plan)])) + "\n"


def _head(plan: Plan) -> str:
    window, totals = plan.window, plan.totals
    zone = window.timezone or f"UTC{window.start:%z}"
    span = f"{_moment(plan, window.start)} to {_moment(plan, window.end)} ({plain(zone)})"
    if not plan.meetings:
        return f"**No meeting to cancel**, {span}."
    told = _count(totals["people"], "person", "people")
    outside = f", {totals['outside_people']} of them outside" if totals["outside_people"] else ""
    organizers = _count(totals["organizers"], "organizer", "organizers")
    return f"**{_count(totals['meetings'], 'meeting', 'meetings')}** of {organizers}, {told}{outside}, {span}."


def _warnings(plan: Plan) -> str:
    series = sum(meeting.scope == "series" for meeting in plan.meetings)
    if not series:
        return ""
    return (
        f"⚠ {_count(series, 'whole series', 'whole series')} would be cancelled: **all** dates, also those outside of "
        "the window and those in the past."
    )


def _meetings(plan: Plan) -> str:
    if not plan.meetings:
        return ""
    subjects = any(meeting.subject is not None for meeting in plan.meetings)
    headings = ["When", *(["Subject"] if subjects else []), "Organizer", "Rooms", "People", "Outside", "What"]
    rows = [
        [
            _span(plan, meeting.start, meeting.end),
            *([plain(meeting.subject or "")] if subjects else []),
            plain(meeting.user_id),
            _rooms(meeting.rooms),
            str(meeting.people),
            str(meeting.outside),
            _what(meeting),
        ]
        for meeting in plan.meetings[:_ROWS]
    ]
    return _table(headings, rows) + _more(len(plan.meetings))


def _what(meeting: Meeting) -> str:
    if meeting.scope == "series":
        return f"whole series ({_count(meeting.dates, 'date', 'dates')} in the window)"
    return "one date of a series" if meeting.dates else "meeting"


def _left(plan: Plan) -> str:
    if not plan.excluded:
        return ""
    reasons = Counter(str(left.reason) for left in plan.excluded)
    counted = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items()))
    # A subject of what is left is nobody's business here.
    rows = [
        [_span(plan, left.start, left.end), plain(left.organizer), _rooms(left.rooms), str(left.reason)]
        for left in _by_reason(plan.excluded)[:_ROWS]
    ]
    title = f"**{_count(len(plan.excluded), 'meeting', 'meetings')} left alone**: {counted}."
    return f"{title}\n\n{_table(['When', 'Organizer', 'Rooms', 'Why'], rows)}{_more(len(plan.excluded))}"


def _by_reason(left: Sequence[Excluded]) -> list[Excluded]:
    return sorted(left, key=lambda each: (str(each.reason), each.start))


def _table(headings: list[str], rows: Iterable[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _more(count: int) -> str:
    return f"\n\nand {count - _ROWS} more, which are in the plan." if count > _ROWS else ""


def _rooms(rooms: Iterable[str]) -> str:
    # The part before the @ is what people call a room; two tenants' rooms do not meet in one plan.
    return ", ".join(plain(room.partition("@")[0]) for room in rooms)


def _moment(plan: Plan, moment: datetime) -> str:
    return f"{moment.astimezone(plan.window.zone):%a %d %b %Y %H:%M}"


def _span(plan: Plan, start: datetime, end: datetime) -> str:
    begins, ends = (moment.astimezone(plan.window.zone) for moment in (start, end))
    until = f"{ends:%H:%M}" if begins.date() == ends.date() else _moment(plan, end)
    return f"{_moment(plan, start)} to {until}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def plain(text: str) -> str:
    """Return text as itself, on one line, whatever markup it may hold."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))
