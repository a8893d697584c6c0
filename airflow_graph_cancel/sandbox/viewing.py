"""Lists of events: ``/events``, ``/calendarView`` and ``/instances``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox import filtering, finding, paging, rendering, timezones
from airflow_graph_cancel.sandbox.exchange import Answer, GraphError
from airflow_graph_cancel.sandbox.model import Calendar, Item

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_graph_cancel.sandbox.service import Call

PAGE = 10


def events(call: Call) -> Answer:
    """Answer ``GET .../events``: masters and singles, never occurrences."""
    mailbox = call.mailbox
    calendar = finding.calendar(call.address, mailbox)
    rows = [Item(event, None) for event in mailbox.events.values() if _in(calendar, event.calendar_id)]
    expression = call.request.query.get("$filter", "")
    for path, compare, literal in filtering.comparisons(expression):
        if path == "uid":
            if call.request.version == "v1.0" and call.world.settings.guesses.uid_filter == "unsupported":
                raise filtering.unsupported(expression)
            path = "iCalUId"
        if (path, compare) == ("iCalUId", "eq"):
            found = mailbox.by_uid.get(literal)
            rows = [Item(found, None)] if found and _in(calendar, found.calendar_id) else []
    return _listed(call, rows)


def calendar_view(call: Call) -> Answer:
    """Answer ``GET .../calendarView``: singles and occurrences that overlap the window, cancelled copies too."""
    start, end = _window(call)
    calendar = finding.calendar(call.address, call.mailbox)
    entries = call.mailbox.agenda.between(start.timestamp(), end.timestamp())
    return _listed(call, [each.item for each in entries if _in(calendar, each.item.event.calendar_id)])


def instances(call: Call) -> Answer:
    """Answer ``GET .../events/{master}/instances``: what is left of a series within the window."""
    start, end = _window(call)
    event, date = finding.item(call)
    if date is not None or event.meeting.recurrence is None:
        message = "Your request can't be completed. The event is not a series master."
        raise GraphError(400, "ErrorInvalidRequest", message)
    items = [Item(event, each) for each in event.meeting.dates() if each not in event.removed_dates]
    rows = [each for each in items if each.slot.start < end and each.slot.end > start]
    return _listed(call, sorted(rows, key=lambda each: each.slot.start))


def _listed(call: Call, rows: Sequence[Item]) -> Answer:
    style = rendering.style_of(call.request)
    answer = paging.answer(call.request, rows, rendering.comparable, lambda item: rendering.event(item, style), PAGE)
    if style.applied:
        answer.headers["Preference-Applied"] = ", ".join(style.applied)
    return answer


def _window(call: Call) -> tuple[datetime.datetime, datetime.datetime]:
    options = {name.lower(): value for name, value in call.request.query.items()}
    try:
        texts = options["startdatetime"], options["enddatetime"]
    except KeyError:
        message = (
            "This request requires a time window specified by the query string parameters "
            "StartDateTime and EndDateTime."
        )
        raise GraphError(400, "ErrorInvalidParameter", message) from None
    start, end = (
        moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC) for moment in map(timezones.parse, texts)
    )
    if end < start:
        raise GraphError(400, "ErrorInvalidParameter", "The EndDateTime must be later than the StartDateTime.")
    return start, end


def _in(calendar: Calendar | None, calendar_id: str) -> bool:
    return calendar is None or calendar.id == calendar_id
