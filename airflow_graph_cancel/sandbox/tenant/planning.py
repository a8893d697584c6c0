"""Laying out a meeting on the calendar, before it is put into anybody's mailbox."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.tenant.entities import Attendee, Meeting, Slot

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.recurrence import Recurrence


def plan(
    *,
    uid: str,
    organizer: Attendee,
    subject: str,
    start: datetime.datetime,
    end: datetime.datetime,
    attendees: list[Attendee],
    body: str = "",
    recurrence: Recurrence | None = None,
    is_private: bool = False,
    location: str = "",
    is_all_day: bool = False,
    organizer_elsewhere: str | None = None,
) -> Meeting:
    """Lay out a meeting and, if it recurs, all its dates, at the same local time in the zone of ``start``.

    :raises ValueError: if it ends before it starts, recurs on no date at all, or lasts all day from another hour than
        midnight on.
    """
    # Of two times in one zone Python compares the clocks, which may have been set back in between.
    if end.astimezone(datetime.UTC) < start.astimezone(datetime.UTC):
        raise ValueError("the meeting ends before it starts")
    if is_all_day and not (start < end and start.time() == end.time() == datetime.time()):
        raise ValueError("an event of whole days starts at midnight and ends at a later one")
    created = datetime.datetime.now(datetime.UTC)
    zone = start.tzinfo or datetime.UTC
    slots: dict[datetime.date | None, Slot] = {None: Slot(start.astimezone(datetime.UTC), end.astimezone(datetime.UTC))}
    for date in recurrence.dates() if recurrence else ():
        begins = datetime.datetime.combine(date, start.timetz())
        first = slots[None]
        # A meeting keeps its length when clocks change, whole days keep their midnights.
        ends = begins + (end - start) if is_all_day else begins.astimezone(datetime.UTC) + (first.end - first.start)
        slots[date] = Slot(begins.astimezone(datetime.UTC), ends.astimezone(datetime.UTC))
    if recurrence and len(slots) == 1:
        raise ValueError("the recurrence has no dates at all")
    return Meeting(
        uid, organizer, subject, body, attendees, slots, created, zone, recurrence, is_private, location, is_all_day,
        organizer_elsewhere,
    )  # fmt: skip


def moment(value: str | datetime.datetime, time_zone: str | None) -> datetime.datetime:
    """Return an aware time, in the zone of that IANA name if there is one.

    :raises ValueError: if the text has no offset, or the zone is unknown.
    """
    found = datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
    if found.tzinfo is None:
        raise ValueError(f"{value!s} has no offset from UTC, such as Z or +02:00")
    return found.astimezone(zoneinfo.ZoneInfo(time_zone)) if time_zone else found


def date_of(value: str | datetime.date) -> datetime.date:
    """Return a date that may come as ISO 8601 text."""
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value
