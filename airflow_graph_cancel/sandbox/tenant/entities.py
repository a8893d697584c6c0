"""What the sandbox's tenant is made of: mailboxes, meetings, and a copy of each meeting in each mailbox."""

from __future__ import annotations

import base64
import datetime
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_graph_cancel.sandbox.tenant.agenda import Agenda
from airflow_graph_cancel.sandbox.tenant.identifiers import instance_uid, occurrence_id

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.recurrence import Recurrence

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
    """When one date of a meeting takes place, and what is different on it, which makes the occurrence an exception.

    :param invited: Who is invited to this date beside those who are invited to the series.
    """

    start: datetime.datetime
    end: datetime.datetime
    is_exception: bool = False
    subject: str | None = None
    invited: tuple[Attendee, ...] = ()
    modified: datetime.datetime | None = None


@dataclass(slots=True, eq=False)
class Meeting:
    """What all copies of one meeting share.

    ``slots`` holds the meeting's own times under ``None`` and, for a series, one entry for each original date.

    :param is_all_day: It means days, not hours: ``slots`` has their midnights in ``time_zone``, every reader sees their
        midnights in the own zone.
    :param organizer_elsewhere: How the copies of attendees and rooms spell the organizer's address, if not plainly.
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
    is_all_day: bool = False
    organizer_elsewhere: str | None = None
    modified: datetime.datetime | None = None
    copies: list[Event] = field(default_factory=list)

    def dates(self) -> list[datetime.date]:
        """Return the original dates of a series; nothing for a single event."""
        return [date for date in self.slots if date is not None]

    def invited(self, date: datetime.date | None) -> list[Attendee]:
        """Return who is invited to this date of a series, or to the whole meeting."""
        return [*self.attendees, *self.slots[date].invited]

    def mark_modified(self, date: datetime.date | None) -> None:
        """Note that the meeting, or one date of it, changed, so that its copies get another change key."""
        now = self.modified = datetime.datetime.now(datetime.UTC)
        for slot in self.slots.values() if date is None else (self.slots[None], self.slots[date]):
            slot.modified = now

    def original_start(self, date: datetime.date) -> datetime.datetime:
        """Return when this date of a series was meant to begin, whatever became of it since, in UTC."""
        first = self.slots[None].start.astimezone(self.time_zone)
        return datetime.datetime.combine(date, first.timetz()).astimezone(datetime.UTC)


@dataclass(slots=True, eq=False)
class Event:
    """One mailbox's copy of a meeting, under an id of its own.

    :param uid: The copy's ``iCalUId`` as a whole.
    :param only: The one date of the series that this mailbox knows of, if it was invited to that date alone.
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
        """Return the original dates of the series that this copy knows of."""
        return self.meeting.dates() if self.only is None else [self.only]

    def items(self) -> list[Item]:
        """Return the copy as a whole and, of a series, each of its dates."""
        whole = Item(self, self.only)
        return [whole] if self.only else [whole, *(Item(self, date) for date in self.dates())]

    def part(self, date: datetime.date | None) -> Item | None:
        """Return what this copy holds of that date, or of the whole meeting."""
        if self.only is None:
            return Item(self, date)
        return Item(self, self.only) if date in (None, self.only) else None


class Item(NamedTuple):
    """What an id leads to: a copy as a whole (single event, series master) or one date of it."""

    event: Event
    date: datetime.date | None

    @property
    def id(self) -> str:
        """The default id, which is this mailbox's alone."""
        event, date = self
        if date is None or date == event.only:
            return event.id
        return event.given_ids.get(date) or occurrence_id(event.id, date)

    @property
    def immutable_id(self) -> str:
        """The id that survives moves within the mailbox."""
        event, date = self
        if date is None or date == event.only:
            return event.immutable_id
        return occurrence_id(event.immutable_id, date)

    @property
    def uid(self) -> str:
        """The ``iCalUId``, equal in all mailboxes."""
        event, date = self
        return event.uid if date is None or date == event.only else instance_uid(event.meeting.uid, date)

    @property
    def slot(self) -> Slot:
        """When it takes place."""
        return self.event.meeting.slots[self.date]

    @property
    def is_cancelled(self) -> bool:
        """Whether this copy shows it as cancelled (attendees and rooms; an organizer's copy is gone instead)."""
        return self.event.is_cancelled or self.date in self.event.cancelled_dates

    def change_key(self, *, apart: bool) -> str:
        """Return what tells versions of this copy apart.

        :param apart: Whether each date of a series has a key of its own, which the other dates' changes leave alone.
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


@dataclass(slots=True, weakref_slot=True, eq=False)
class Mailbox:
    """A person, a room, a group or a room list, with calendars and everything in them.

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
        """The calendar that ``/calendar`` means."""
        return next(iter(self.calendars.values()))

    def find_calendar(self, id_or_name: str) -> Calendar | None:
        """Return the calendar with this id or this name."""
        found = self.calendars.get(id_or_name)
        return found or next((each for each in self.calendars.values() if each.name == id_or_name), None)

    def has_alias(self, address: str) -> bool:
        """Tell whether this is one of the mailbox's other addresses."""
        return address.lower() in {alias.lower() for alias in self.aliases}

    def next_number(self) -> int:
        """Return a number that no item of this mailbox has had."""
        self.numbers += 1
        return self.numbers
