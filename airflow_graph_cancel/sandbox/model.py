"""What the sandbox's tenant is made of: mailboxes, meetings, and a copy of each meeting in each mailbox."""

from __future__ import annotations

import datetime
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_graph_cancel.sandbox.identifiers import instance_uid, occurrence_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_graph_cancel.sandbox.recurrence import Recurrence

Json = dict[str, object]


@dataclass(slots=True)
class Revision:
    """A number that only ever grows, raised by whatever changes, so that a page can ask whether there is news."""

    number: int = 0

    def bump(self) -> int:
        """Note a change."""
        self.number += 1
        return self.number


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody invited, or a room that was booked (``kind`` ``resource``)."""

    address: str
    name: str
    kind: str = "required"


@dataclass(slots=True)
class Slot:
    """When one date of a meeting takes place; ``moved`` makes the occurrence an exception."""

    start: datetime.datetime
    end: datetime.datetime
    moved: bool = False
    subject: str | None = None


@dataclass(slots=True, eq=False)
class Meeting:
    """What all copies of one meeting share.

    ``slots`` holds the meeting's own times under ``None`` and, for a series, one entry for each original date.
    """

    uid: str
    organizer: Attendee
    subject: str
    body: str
    attendees: list[Attendee]
    slots: dict[datetime.date | None, Slot]
    created: datetime.datetime
    time_zone: datetime.tzinfo
    recurrence: Recurrence | None = None
    is_private: bool = False
    location: str = ""
    copies: list[Event] = field(default_factory=list)

    def dates(self) -> list[datetime.date]:
        """Return the original dates of a series; nothing for a single event."""
        return [date for date in self.slots if date is not None]

    def original_start(self, date: datetime.date) -> datetime.datetime:
        """Return when this date of a series was meant to begin, whatever became of it since, in UTC."""
        first = self.slots[None].start.astimezone(self.time_zone)
        return datetime.datetime.combine(date, first.timetz()).astimezone(datetime.UTC)


@dataclass(slots=True, eq=False)
class Event:
    """One mailbox's copy of a meeting, under an id of its own."""

    id: str
    immutable_id: str
    meeting: Meeting
    mailbox: Mailbox
    calendar_id: str
    is_organizer: bool
    is_cancelled: bool = False
    cancelled_dates: set[datetime.date] = field(default_factory=set)
    removed_dates: set[datetime.date] = field(default_factory=set)
    given_ids: dict[datetime.date, str] = field(default_factory=dict)


class Item(NamedTuple):
    """What an id leads to: a copy as a whole (single event, series master) or one date of it."""

    event: Event
    date: datetime.date | None

    @property
    def id(self) -> str:
        """The default id, which is this mailbox's alone."""
        event, date = self
        return event.id if date is None else event.given_ids.get(date) or occurrence_id(event.id, date)

    @property
    def immutable_id(self) -> str:
        """The id that survives moves within the mailbox."""
        event, date = self
        return event.immutable_id if date is None else occurrence_id(event.immutable_id, date)

    @property
    def uid(self) -> str:
        """The ``iCalUId``, equal in all mailboxes."""
        uid = self.event.meeting.uid
        return uid if self.date is None else instance_uid(uid, self.date)

    @property
    def slot(self) -> Slot:
        """When it takes place."""
        return self.event.meeting.slots[self.date]

    @property
    def is_cancelled(self) -> bool:
        """Whether this copy shows it as cancelled (attendees and rooms; an organizer's copy is gone instead)."""
        return self.event.is_cancelled or self.date in self.event.cancelled_dates


class Entry(NamedTuple):
    """A line of a mailbox's agenda, in the order of its start."""

    start: float
    number: int
    end: float
    item: Item


class Agenda:
    """What a mailbox's ``calendarView`` is read from: singles and occurrences, by start.

    A window costs what it contains, not what the mailbox holds.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._lines: dict[tuple[Event, datetime.date | None], Entry] = {}
        self._longest = 0.0
        self._numbers = 0

    def add(self, item: Item) -> None:
        """Enter a single event or an occurrence."""
        slot = item.slot
        self._numbers += 1
        entry = Entry(slot.start.timestamp(), self._numbers, slot.end.timestamp(), item)
        self._longest = max(self._longest, entry.end - entry.start)
        self._lines[item.event, item.date] = entry
        insort(self.entries, entry)

    def discard(self, item: Item) -> bool:
        """Take a line out, if it is there."""
        entry = self._lines.pop((item.event, item.date), None)
        if entry is None:
            return False
        del self.entries[bisect_left(self.entries, entry)]
        return True

    def between(self, start: float, end: float) -> Iterable[Entry]:
        """Yield what overlaps the window, in the order of its start (both in epoch seconds)."""
        low = bisect_left(self.entries, (start - self._longest,))
        high = bisect_left(self.entries, (end,))
        for entry in self.entries[low:high]:
            if entry.end > start or entry.start >= start:
                yield entry


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar of a mailbox, in one of its calendar groups."""

    id: str
    name: str
    group_id: str
    is_default: bool = False


@dataclass(slots=True, weakref_slot=True, eq=False)
class Mailbox:
    """A person, a room or a group, with calendars and everything in them.

    ``items`` finds whatever an id of this mailbox leads to, in constant time; ``retired`` what an id once led to;
    ``version`` grows with each change.
    """

    id: str
    address: str
    display_name: str
    kind: str
    members: tuple[str, ...] = ()
    building: str | None = None
    floor: int | None = None
    capacity: int | None = None
    cloud: bool = True
    remove_cancelled_meetings: bool = False
    calendars: dict[str, Calendar] = field(default_factory=dict)
    calendar_groups: dict[str, str] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    by_uid: dict[str, Event] = field(default_factory=dict)
    agenda: Agenda = field(default_factory=Agenda)
    deleted_items: dict[str, Event] = field(default_factory=dict)
    retired: dict[str, Item] = field(default_factory=dict)
    cancelled: int = 0
    numbers: int = 0
    version: int = 0

    @property
    def default_calendar(self) -> Calendar:
        """The calendar that ``/calendar`` means."""
        return next(iter(self.calendars.values()))

    def find_calendar(self, id_or_name: str) -> Calendar | None:
        """Return the calendar with this id or this name."""
        found = self.calendars.get(id_or_name)
        return found or next((each for each in self.calendars.values() if each.name == id_or_name), None)

    def next_number(self) -> int:
        """Return a number that no item of this mailbox has had."""
        self.numbers += 1
        return self.numbers


@dataclass(frozen=True, slots=True)
class Message:
    """A mail that the service sent on behalf of an organizer.

    :param kind: ``cancellation`` or ``update``.
    :param occurrence: Original date if it concerns one date of a series, else None.
    """

    n: int
    at: datetime.datetime
    kind: str
    organizer: str
    uid: str
    event_id: str
    subject: str
    start: datetime.datetime
    end: datetime.datetime
    comment: str | None
    occurrence: datetime.date | None
    recipients: tuple[str, ...]
