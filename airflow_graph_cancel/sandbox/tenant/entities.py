"""The entities of a tenant: mailboxes, meetings, and the copy of each meeting in each mailbox."""

from __future__ import annotations

import base64
import datetime
import hashlib
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_graph_cancel.sandbox.tenant.identifiers import instance_uid, occurrence_id

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.recurrence import Recurrence

Json = dict[str, object]


@dataclass(slots=True)
class Revision:
    """A counter that every change increments. A page compares it to see whether anything changed."""

    number: int = 0

    def bump(self) -> int:
        """Count a change; return the new number."""
        self.number += 1
        return self.number


@dataclass(frozen=True, slots=True)
class Attendee:
    """An invited person, or a booked room (``kind`` ``resource``)."""

    address: str
    name: str
    kind: str = "required"


@dataclass(slots=True)
class Slot:
    """Time of one occurrence, and what differs from the series if the occurrence is an exception.

    :param invited: Attendees of this occurrence only, in addition to those of the series.
    """

    start: datetime.datetime
    end: datetime.datetime
    is_exception: bool = False
    subject: str | None = None
    invited: tuple[Attendee, ...] = ()
    modified: datetime.datetime | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Meeting:
    """What all copies of one meeting share.

    :param slots: The meeting's own times under ``None`` and, for a series, one entry for each original date.
    :param is_all_day: ``slots`` holds midnights in ``time_zone``; every reader sees midnights in their own time zone.
    :param organizer_elsewhere: The organizer's address as the copies of attendees and rooms spell it, if different.
    """

    uid: str
    organizer: Attendee
    subject: str
    body: str
    attendees: list[Attendee]
    slots: dict[datetime.date | None, Slot]
    time_zone: datetime.tzinfo
    recurrence: Recurrence | None = None
    is_private: bool = False
    location: str = ""
    is_all_day: bool = False
    organizer_elsewhere: str | None = None
    created: datetime.datetime = field(default_factory=lambda: datetime.datetime.now(datetime.UTC))
    modified: datetime.datetime | None = None
    copies: list[Event] = field(default_factory=list)

    def dates(self) -> list[datetime.date]:
        """Return the original dates of a series; an empty list for a single event."""
        return [date for date in self.slots if date is not None]

    def invited(self, date: datetime.date | None) -> list[Attendee]:
        """Return the attendees of this date of a series, or of the whole meeting."""
        return [*self.attendees, *self.slots[date].invited]

    def mark_modified(self, date: datetime.date | None) -> None:
        """Note that the meeting, or one date of it, changed. Its copies then get another change key."""
        now = self.modified = datetime.datetime.now(datetime.UTC)
        for slot in self.slots.values() if date is None else (self.slots[None], self.slots[date]):
            slot.modified = now

    def original_start(self, date: datetime.date) -> datetime.datetime:
        """Return the start (UTC) that the series planned for this date, even if the occurrence was moved."""
        first = self.slots[None].start.astimezone(self.time_zone)
        return datetime.datetime.combine(date, first.timetz()).astimezone(datetime.UTC)


@dataclass(slots=True, eq=False)
class Event:
    """One mailbox's copy of a meeting, with its own id.

    :param uid: The copy's ``iCalUId``.
    :param only: The only date of the series in this mailbox, if it was invited to that date alone.
    """

    id: str
    immutable_id: str
    uid: str
    meeting: Meeting
    mailbox: Mailbox
    calendar_id: str
    is_organizer: bool
    only: datetime.date | None = None
    is_cancelled: bool = False
    cancelled_dates: set[datetime.date] = field(default_factory=set)
    removed_dates: set[datetime.date] = field(default_factory=set)
    given_ids: dict[datetime.date, str] = field(default_factory=dict)

    def dates(self) -> list[datetime.date]:
        """Return the original dates of the series that this copy holds."""
        return self.meeting.dates() if self.only is None else [self.only]

    def items(self) -> list[Item]:
        """Return the copy as a whole and, for a series, each of its dates."""
        whole = Item(self, self.only)
        return [whole] if self.only else [whole, *(Item(self, date) for date in self.dates())]

    def part(self, date: datetime.date | None) -> Item | None:
        """Return this copy's part of that date, or of the whole meeting; None if it has none."""
        if self.only is None:
            return Item(self, date)
        return Item(self, self.only) if date in (None, self.only) else None


class Item(NamedTuple):
    """What an id identifies: a copy as a whole (single event, series master) or one date of it."""

    event: Event
    date: datetime.date | None

    @property
    def id(self) -> str:
        """The default id, valid in this mailbox only."""
        event, date = self
        if date is None or date == event.only:
            return event.id
        return event.given_ids.get(date) or occurrence_id(event.id, date)

    @property
    def immutable_id(self) -> str:
        """The id that does not change when the item moves within the mailbox."""
        event, date = self
        if date is None or date == event.only:
            return event.immutable_id
        return occurrence_id(event.immutable_id, date)

    @property
    def uid(self) -> str:
        """The ``iCalUId``, the same in all mailboxes."""
        event, date = self
        return event.uid if date is None or date == event.only else instance_uid(event.meeting.uid, date)

    @property
    def slot(self) -> Slot:
        """Its time."""
        return self.event.meeting.slots[self.date]

    @property
    def is_cancelled(self) -> bool:
        """Whether this copy is marked as cancelled (attendees and rooms; an organizer's copy is removed instead)."""
        return self.event.is_cancelled or self.date in self.event.cancelled_dates

    def change_key(self, *, apart: bool) -> str:
        """Return the key that differs between versions of this copy.

        :param apart: Whether each date of a series has its own key, which changes of other dates do not affect.
        """
        event, meeting = self.event, self.event.meeting
        last = (self.slot.modified if apart else meeting.modified) or meeting.created
        text = f"{event.immutable_id}/{self.date if apart else None}/{last.timestamp()}"
        return base64.b64encode(hashlib.blake2b(text.encode(), digest_size=20).digest()).decode()


@dataclass(frozen=True, slots=True)
class Calendar:
    """A calendar of a mailbox, in one of its calendar groups."""

    id: str
    name: str
    group_id: str
    is_default: bool = False


class Entry(NamedTuple):
    """An event or occurrence in an agenda; start and end in epoch seconds."""

    start: float
    number: int
    end: float
    item: Item


class Agenda:
    """A mailbox's single events and occurrences, sorted by start; ``calendarView`` reads it.

    Reading a window costs as much as the window contains, not as much as the mailbox holds.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._by_item: dict[Item, Entry] = {}
        self._longest = 0.0
        self._numbers = 0

    def add(self, item: Item) -> None:
        """Add a single event or an occurrence."""
        slot = item.slot
        self._numbers += 1
        entry = Entry(slot.start.timestamp(), self._numbers, slot.end.timestamp(), item)
        self._longest = max(self._longest, entry.end - entry.start)
        self._by_item[item] = entry
        insort(self.entries, entry)

    def discard(self, item: Item) -> bool:
        """Remove an item; return whether it was there."""
        entry = self._by_item.pop(item, None)
        if entry is None:
            return False
        del self.entries[bisect_left(self.entries, entry)]
        return True

    def between(self, start: float, end: float) -> Iterator[Entry]:
        """Yield the entries that overlap the window, sorted by start (both in epoch seconds)."""
        low = bisect_left(self.entries, (start - self._longest,))
        high = bisect_left(self.entries, (end,))
        for entry in self.entries[low:high]:
            if entry.end > start or entry.start >= start:
                yield entry


@dataclass(slots=True, weakref_slot=True, eq=False)
class Mailbox:
    """A person, a room, a group or a room list, with its calendars and their contents.

    :param items: What each id of this mailbox identifies; ``retired`` what an id identified before.
    :param version: Grows with each change.
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
    aliases: tuple[str, ...] = ()
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
        """The calendar at ``/calendar``."""
        return next(iter(self.calendars.values()))

    def find_calendar(self, id_or_name: str) -> Calendar | None:
        """Return the calendar with this id or this name."""
        found = self.calendars.get(id_or_name)
        return found or next((each for each in self.calendars.values() if each.name == id_or_name), None)

    def has_alias(self, address: str) -> bool:
        """Tell whether this address is an alias of the mailbox."""
        return address.lower() in {alias.lower() for alias in self.aliases}

    def next_number(self) -> int:
        """Return a number that no item of this mailbox has used."""
        self.numbers += 1
        return self.numbers
