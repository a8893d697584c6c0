"""What the sandbox's tenant is made of: mailboxes, meetings, and a copy of each meeting in each mailbox."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_graph_cancel.sandbox.agenda import Agenda
from airflow_graph_cancel.sandbox.identifiers import instance_uid, occurrence_id

if TYPE_CHECKING:
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
    modified: datetime.datetime | None = None
    copies: list[Event] = field(default_factory=list)

    def dates(self) -> list[datetime.date]:
        """Return the original dates of a series; nothing for a single event."""
        return [date for date in self.slots if date is not None]

    def mark_modified(self) -> None:
        """Note that the meeting changed, so that its copies get another change key."""
        self.modified = datetime.datetime.now(datetime.UTC)

    def change_key(self) -> str:
        """Return what tells versions of the meeting apart."""
        last = self.modified or self.created
        return f"{self.uid[-16:]}{int(last.timestamp() * 1_000_000):016X}"

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

    :param delivered: When it reached its readers; None if the organizer's daily quota kept it back.
    :param kind: ``cancellation`` or ``update``.
    :param occurrence: Original date if it concerns one date of a series, else None.
    """

    n: int
    at: datetime.datetime
    delivered: datetime.datetime | None
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
