"""Laying out a meeting on the calendar, before it is put into anybody's mailbox."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.model import Attendee, Meeting, Slot

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.recurrence import Recurrence


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
) -> Meeting:
    """Lay out a meeting and, if it recurs, all its dates, at the same local time in the zone of ``start``.

    :raises ValueError: if it ends before it starts, or recurs on no date at all.
    """
    if end < start:
        raise ValueError("the meeting ends before it starts")
    created = datetime.datetime.now(datetime.UTC)
    zone = start.tzinfo or datetime.UTC
    slots: dict[datetime.date | None, Slot] = {None: Slot(start.astimezone(datetime.UTC), end.astimezone(datetime.UTC))}
    for date in recurrence.dates() if recurrence else ():
        begins = datetime.datetime.combine(date, start.timetz()).astimezone(datetime.UTC)
        slots[date] = Slot(begins, begins + (end - start))
    if recurrence and len(slots) == 1:
        raise ValueError("the recurrence has no dates at all")
    return Meeting(uid, organizer, subject, body, attendees, slots, created, zone, recurrence, is_private, location)


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
