"""Read events: a single one, ``/events``, ``/calendarView`` and ``/instances``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import odata, serialize
from airflow_graph_cancel.sandbox.tenant.entities import Calendar, Item
from airflow_graph_cancel.sandbox.traffic.messages import GraphError, Response, cannot_complete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_graph_cancel.sandbox.graph_api.call import Call

PAGE = 10
#: Seconds between the earliest and the latest start of the same day on earth, from UTC+14 to UTC-12.
_DAYS_APART = 26 * 3600


def event(call: Call) -> Response:
    """Answer ``GET .../events/{id}``, with a series' exceptions if ``$expand`` asks for them."""
    style = serialize.style_of(call)
    item = _found(call)
    body = serialize.event(item, style)
    if "exceptionoccurrences" in call.request.query.get("$expand", "").lower():
        copy = item.event
        changed = [each for each in copy.meeting.dates() if copy.meeting.slots[each].is_exception]
        left = [Item(copy, each) for each in changed if item.date is None and each not in copy.removed_dates]
        body["exceptionOccurrences"] = [serialize.event(each, style) for each in left]
    return style.applied_to(Response(200, body))


def events(call: Call) -> Response:
    """Answer ``GET .../events``: series masters and single events, never occurrences."""
    mailbox = call.mailbox
    calendar = _calendar(call)
    rows = [Item(event, event.only) for event in mailbox.events.values() if _in(calendar, event.calendar_id)]
    expression = call.request.query.get("$filter", "")
    for path, compare, literal in odata.comparisons(expression):
        if path == "uid":
            if call.request.version == "v1.0" and call.guesses.uid_filter == "unsupported":
                raise odata.unsupported(expression)
            path = "iCalUId"
        if (path, compare) == ("iCalUId", "eq"):
            found = mailbox.by_uid.get(literal)
            rows = [Item(found, found.only)] if found and _in(calendar, found.calendar_id) else []
    return _listed(call, rows)


def calendar_view(call: Call) -> Response:
    """Answer ``GET .../calendarView``: single events and occurrences in the window, cancelled copies too."""
    start, end = _window(call)
    calendar = _calendar(call)
    entries = call.mailbox.agenda.between(start.timestamp() - _DAYS_APART, end.timestamp() + _DAYS_APART)
    rows = [each.item for each in entries if _in(calendar, each.item.event.calendar_id)]
    return _listed(call, _overlapping(call, rows, start, end))


def instances(call: Call) -> Response:
    """Answer ``GET .../events/{master}/instances``: the remaining dates of a series in the window."""
    start, end = _window(call)
    event, date = call.item()
    if date is not None or event.meeting.recurrence is None:
        raise cannot_complete("The event is not a series master")
    items = [Item(event, each) for each in event.meeting.dates() if each not in event.removed_dates]
    return _listed(call, sorted(_overlapping(call, items, start, end), key=lambda each: each.slot.start))


def _found(call: Call) -> Item:
    try:
        return call.item()
    except GraphError:
        wanted = call.address.event_id or ""
        deleted = call.mailbox.retired.get(wanted)
        if deleted is None or wanted != deleted.immutable_id or call.guesses.deleted_by_immutable_id == "not_found":
            raise
        return deleted


def _listed(call: Call, rows: Sequence[Item]) -> Response:
    style = serialize.style_of(call)
    return style.applied_to(
        odata.page(call.request, rows, lambda item: serialize.event(item, style), serialize.comparable, PAGE)
    )


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
        moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC) for moment in map(serialize.parse_time, texts)
    )
    if end < start:
        raise GraphError(400, "ErrorInvalidParameter", "The EndDateTime must be later than the StartDateTime.")
    return start, end


def _overlapping(call: Call, rows: Sequence[Item], low: datetime.datetime, high: datetime.datetime) -> list[Item]:
    zone = serialize.style_of(call).zone
    spans = ((each, *_span(call, each, zone)) for each in rows)
    return [each for each, start, end in spans if start < high and (end > low or start >= low)]


def _span(call: Call, item: Item, asked: datetime.tzinfo) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the times by which a window finds the item. For all-day events their time zone is a guess."""
    start, end, meeting = item.slot.start, item.slot.end, item.event.meeting
    guess = call.guesses.all_day_window
    if not meeting.is_all_day or guess == "own_zone":
        return start, end
    zone = asked if guess == "asked_zone" else datetime.UTC
    start, end = (each.astimezone(meeting.time_zone).replace(tzinfo=zone) for each in (start, end))
    return start, end


def _calendar(call: Call) -> Calendar | None:
    """Return the calendar to list; None for all calendars."""
    named = call.calendar()
    if named or call.guesses.unnamed_calendar == "all":
        return named
    return call.mailbox.default_calendar


def _in(calendar: Calendar | None, calendar_id: str) -> bool:
    return calendar is None or calendar.id == calendar_id
