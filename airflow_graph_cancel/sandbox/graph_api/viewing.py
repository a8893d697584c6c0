"""Lists of events: ``/events``, ``/calendarView`` and ``/instances``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import filtering, lookup, paging, serialize, time_zones
from airflow_graph_cancel.sandbox.tenant.entities import Calendar, Item
from airflow_graph_cancel.sandbox.traffic.messages import Answer, GraphError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_graph_cancel.sandbox.graph_api.pipeline import Call

PAGE = 10
#: Seconds by which the same day can begin at different moments, from UTC+14 to UTC-12.
_DAYS_APART = 26 * 3600


def events(call: Call) -> Answer:
    """Answer ``GET .../events``: masters and singles, never occurrences."""
    mailbox = call.mailbox
    calendar = _calendar(call)
    rows = [Item(event, event.only) for event in mailbox.events.values() if _in(calendar, event.calendar_id)]
    expression = call.request.query.get("$filter", "")
    for path, compare, literal in filtering.comparisons(expression):
        if path == "uid":
            if call.request.version == "v1.0" and call.world.settings.guesses.uid_filter == "unsupported":
                raise filtering.unsupported(expression)
            path = "iCalUId"
        if (path, compare) == ("iCalUId", "eq"):
            found = mailbox.by_uid.get(literal)
            rows = [Item(found, found.only)] if found and _in(calendar, found.calendar_id) else []
    return _listed(call, rows)


def calendar_view(call: Call) -> Answer:
    """Answer ``GET .../calendarView``: singles and occurrences that overlap the window, cancelled copies too."""
    start, end = _window(call)
    calendar = _calendar(call)
    entries = call.mailbox.agenda.between(start.timestamp() - _DAYS_APART, end.timestamp() + _DAYS_APART)
    rows = [each.item for each in entries if _in(calendar, each.item.event.calendar_id)]
    zone = serialize.style_of(call).zone
    return _listed(call, [each for each in rows if _overlaps(*_span(call, each, zone), start, end)])


def instances(call: Call) -> Answer:
    """Answer ``GET .../events/{master}/instances``: what is left of a series within the window."""
    start, end = _window(call)
    event, date = lookup.item(call)
    if date is not None or event.meeting.recurrence is None:
        message = "Your request can't be completed. The event is not a series master."
        raise GraphError(400, "ErrorInvalidRequest", message)
    items = [Item(event, each) for each in event.meeting.dates() if each not in event.removed_dates]
    zone = serialize.style_of(call).zone
    rows = [each for each in items if _overlaps(*_span(call, each, zone), start, end)]
    return _listed(call, sorted(rows, key=lambda each: each.slot.start))


def _listed(call: Call, rows: Sequence[Item]) -> Answer:
    style = serialize.style_of(call)
    answer = paging.answer(call.request, rows, serialize.comparable, lambda item: serialize.event(item, style), PAGE)
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
        moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC) for moment in map(time_zones.parse, texts)
    )
    if end < start:
        raise GraphError(400, "ErrorInvalidParameter", "The EndDateTime must be later than the StartDateTime.")
    return start, end


def _span(call: Call, item: Item, asked: datetime.tzinfo) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the moments by which a window finds the item; for whole days nobody knows in which zone they are taken."""
    start, end, meeting = item.slot.start, item.slot.end, item.event.meeting
    taken_in = call.world.settings.guesses.all_day_window
    if not meeting.is_all_day or taken_in == "own_zone":
        return start, end
    zone = asked if taken_in == "asked_zone" else datetime.UTC
    start, end = (each.astimezone(meeting.time_zone).replace(tzinfo=zone) for each in (start, end))
    return start, end


def _overlaps(
    start: datetime.datetime, end: datetime.datetime, low: datetime.datetime, high: datetime.datetime
) -> bool:
    return start < high and (end > low or start >= low)


def _calendar(call: Call) -> Calendar | None:
    """Return the calendar that is listed; None for all of them."""
    named = lookup.calendar(call.address, call.mailbox)
    if named or call.world.settings.guesses.unnamed_calendar == "all":
        return named
    return call.mailbox.default_calendar


def _in(calendar: Calendar | None, calendar_id: str) -> bool:
    return calendar is None or calendar.id == calendar_id
