"""A description of a tenant and a closure, from which the expected plan is computed without any calendar."""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal
from zoneinfo import ZoneInfo


class Reach(Enum):
    """What happens when the application reads a mailbox."""

    READABLE = "readable"
    DEPARTED = "known, without a mailbox in the cloud"
    DENIED = "kept from the application by policy"


@dataclass(frozen=True)
class Room:
    """A room; ``tidy`` if it clears away what was cancelled."""

    address: str
    name: str
    building: str | None = None
    tidy: bool = False


@dataclass(frozen=True)
class Person:
    """Somebody of the tenant, with further addresses and perhaps a second calendar named ``Projects``."""

    address: str
    name: str
    reach: Reach = Reach.READABLE
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Series:
    """Every so many days, or on these days of the week (0 is Monday), so many dates."""

    count: int
    every: int = 1
    weekdays: tuple[int, ...] = ()

    def dates(self, first: datetime.date) -> Iterator[datetime.date]:
        """Yield the dates; the first one is one of them."""
        day, left = first, self.count
        while left:
            if not self.weekdays or day.weekday() in self.weekdays:
                yield day
                left -= 1
            day += datetime.timedelta(days=1 if self.weekdays else self.every)


@dataclass(frozen=True)
class Change:
    """What is different on one date of a series; people and rooms are invited to that date alone.

    :param start: With an end, or neither.
    """

    date: datetime.date
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    subject: str | None = None
    people: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Meeting:
    """A meeting as its organizer means it, and what became of it.

    :param number: Tells meetings apart, and gives their ids.
    :param traps: Names of what makes it hard to find or to leave alone.
    :param organizer: The mailbox's own address, or somebody's without a mailbox.
    :param spelt: How rooms and attendees see that address, if in another way.
    :param start: In the zone in which a series keeps its local time.
    :param people: Who is invited and no room, groups among them; the organizer may be named too.
    :param rooms_as_people: Rooms that are invited as if they were people.
    :param cancelled: The whole of it, or these dates, long ago.
    :param flagged_in: Copies that say they are cancelled while the others do not; a room that is not invited was once.
    :param missing_in: Mailboxes that take part and have no copy.
    :param booked_at_the_door: The room is the organizer.
    """

    number: int
    traps: frozenset[str]
    organizer: str
    subject: str
    start: datetime.datetime
    end: datetime.datetime
    people: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    rooms_as_people: tuple[str, ...] = ()
    spelt: str | None = None
    is_all_day: bool = False
    series: Series | None = None
    changes: tuple[Change, ...] = ()
    cancelled: bool | tuple[datetime.date, ...] = False
    flagged_in: tuple[str, ...] = ()
    missing_in: tuple[str, ...] = ()
    second_calendar: bool = False
    booked_at_the_door: bool = False
    foreign_uid: str | None = None
    is_private: bool = False

    def id_of(self, date: datetime.date | None = None) -> str:
        """Return the id of the organizer's copy, or of one date of it.

        Ids of neighbours differ by the case of a letter alone, which is all the difference that an id needs.
        """
        digest = hashlib.blake2b(f"{self.number // 2}/{date}".encode(), digest_size=30).digest()
        return f"AAMkAG{base64.urlsafe_b64encode(digest).decode()}{'qQ'[self.number % 2]}="

    def dates(self) -> list[datetime.date]:
        """Return the dates of a series; nothing for a single meeting."""
        return list(self.series.dates(self.start.date())) if self.series else []


@dataclass(frozen=True)
class Tenant:
    """Everything that is put into the sandbox.

    :param room_lists: Rooms by the address of their list; buildings have lists of their own.
    :param guesses: Of the sandbox, where nobody knows the service.
    """

    seed: int
    rooms: tuple[Room, ...]
    people: tuple[Person, ...]
    groups: tuple[str, ...]
    room_lists: dict[str, tuple[str, ...]]
    meetings: tuple[Meeting, ...]
    guesses: dict[str, str]


@dataclass(frozen=True)
class Closure:
    """What is asked for: which rooms and organizers, when, and what is kept.

    :param start: As text, as a feed has it; with an offset, or else in ``timezone``.
    """

    start: str
    end: str
    timezone: str | None = None
    rooms: tuple[str, ...] | None = None
    room_list: str | None = None
    building: str | None = None
    organizers: tuple[str, ...] | None = None
    scope: Literal["dates", "series"] = "dates"
    keep: tuple[str, ...] = ()
    min_people: int | None = None
    include_past: bool = False

    def closed(self, rooms: Sequence[Room], room_lists: Mapping[str, Sequence[str]]) -> frozenset[str]:
        """Return the addresses of the rooms that the closure names, out of all rooms."""
        listed = {address.lower() for address in self.rooms or ()}
        listed |= {address.lower() for address in (room_lists[self.room_list] if self.room_list else ())}
        return frozenset(
            room.address
            for room in rooms
            if room.address.lower() in listed or (self.building and room.building == self.building)
        )

    def window(self) -> tuple[datetime.datetime, datetime.datetime]:
        """Return the window's bounds; their time zone decides where a whole day begins."""
        bounds = [datetime.datetime.fromisoformat(text) for text in (self.start, self.end)]
        if self.timezone:
            zone = ZoneInfo(self.timezone)
            bounds = [each.astimezone(zone) if each.tzinfo else each.replace(tzinfo=zone) for each in bounds]
        return bounds[0], bounds[1]
