"""Generate Contoso's meetings: who meets whom, when and where, so that nobody sits in two meetings at once."""

from __future__ import annotations

import datetime
import enum
import functools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from airflow_graph_cancel.sandbox.sample_tenant.contoso import (
    BUILDINGS,
    DEPARTED,
    DEPARTMENTS,
    PARTNER_DOMAIN,
    PARTNERS,
    Building,
    Department,
    Person,
    address_of,
)
from airflow_graph_cancel.sandbox.tenant.recurrence import WEEKDAYS, from_rule
from airflow_graph_cancel.sandbox.tenant.scheduling import NewMeeting, lay_out

_EVERYBODY = [person for department in DEPARTMENTS for person in department.people]
_PARTNERS = [address_of(name, PARTNER_DOMAIN) for name in PARTNERS]
_DEPARTED = [address_of(name) for name in DEPARTED]
_HALF_HOURS = [datetime.time(hour, minute) for hour in range(9, 17) for minute in (0, 30)]
_STAND_UPS = ("Engineering", "Data Platform", "Customer Care", "Facilities")
_STEP = datetime.timedelta(minutes=15)


class Quirk(enum.Enum):
    """What is unusual about some meetings."""

    TWO_ROOMS = enum.auto()
    NO_ROOM = enum.auto()
    GUEST = enum.auto()
    PRIVATE = enum.auto()
    EXTERNAL_ORGANIZER = enum.auto()
    DEPARTED_ORGANIZER = enum.auto()
    FOREIGN_UID = enum.auto()


_QUIRKS = {
    Quirk.NO_ROOM: 30,
    Quirk.GUEST: 24,
    Quirk.TWO_ROOMS: 14,
    Quirk.DEPARTED_ORGANIZER: 4,
    Quirk.EXTERNAL_ORGANIZER: 3,
    Quirk.PRIVATE: 3,
    Quirk.FOREIGN_UID: 2,
}


@dataclass(frozen=True)
class Timing:
    """When a meeting takes place, in the time zone of a building: once, or on the dates of a recurrence.

    :param recurrence: As in :class:`NewMeeting`.
    """

    building: Building
    start: datetime.datetime
    end: datetime.datetime
    recurrence: Mapping[str, object] | None = None

    @functools.cached_property
    def quarter_hours(self) -> list[datetime.datetime]:
        """Every quarter of an hour that the meeting takes, in UTC."""
        rule = from_rule(self.recurrence, self.start.date()) if self.recurrence else None
        slots = lay_out(self.start, self.end, rule)
        spans = [slot for date, slot in slots.items() if date or not rule]
        return [slot.start + number * _STEP for slot in spans for number in range(-((slot.start - slot.end) // _STEP))]

    def is_within_hours_of(self, building: Building) -> bool:
        """Tell whether the meeting is within business hours in another building too."""
        zone = ZoneInfo(building.time_zone)
        return self.start.astimezone(zone).hour >= 9 and self.end.astimezone(zone).hour < 18


class FreeBusy:
    """Who is busy when: nobody sits in two meetings at once, and no room holds two."""

    def __init__(self) -> None:
        self._busy: set[tuple[str, datetime.datetime]] = set()

    def free(self, addresses: Iterable[str], timing: Timing) -> list[str]:
        """Return the addresses that are free on every date of a meeting, in the same order."""
        return [each for each in addresses if not any((each, step) in self._busy for step in timing.quarter_hours)]

    def free_rooms(self, building: Building, timing: Timing, people: int) -> list[str]:
        """Return free rooms of a building that seat more than this many people, smallest first."""
        rooms = sorted(building.rooms, key=lambda room: room.capacity)
        return self.free([room.address for room in rooms if room.capacity > people], timing)

    def book(
        self, timing: Timing, subject: str, organizer: str, attendees: Sequence[str], rooms: Sequence[str]
    ) -> NewMeeting:
        """Return a meeting, and mark everybody and every room as busy."""
        for address in (organizer, *attendees, *rooms):
            self._busy.update((address, step) for step in timing.quarter_hours)
        return NewMeeting(
            organizer=organizer,
            subject=subject,
            start=timing.start,
            end=timing.end,
            attendees=attendees,
            rooms=rooms,
            body=f"Agenda and papers for {subject} are in the shared folder.",
            recurrence=timing.recurrence,
            time_zone=timing.building.time_zone,
        )


def work_days(first: datetime.date, days: int) -> list[datetime.date]:
    """Return Mondays to Fridays among this many days from the first on."""
    span = (first + datetime.timedelta(days=n) for n in range(days))
    return [day for day in span if day.weekday() < 5]


def weekly(weekdays: Iterable[int], count: int) -> Mapping[str, object]:
    """Return a weekly recurrence on these weekdays, 0 for Monday."""
    return {"type": "weekly", "interval": 1, "days_of_week": [WEEKDAYS[day] for day in weekdays], "count": count}


def standing_meetings(busy: FreeBusy, rng: random.Random, days: Sequence[datetime.date]) -> Iterator[NewMeeting]:
    """Plan the series: a weekly and a one-to-one in every department, some stand-ups, a course for new joiners."""
    for department in DEPARTMENTS:
        people = department.people
        manager, colleague = people[0], rng.choice(people[1:])
        one_to_one = f"{manager.name.split()[0]} / {colleague.name.split()[0]}"
        stand_up = department.name in _STAND_UPS
        for subject, invited, minutes, weekdays in (
            (f"{department.name} weekly", people, 60, [rng.randrange(5)]),
            (one_to_one, (manager, colleague), 30, [rng.randrange(5)]),
            (f"{department.name} stand-up", people, 30, list(range(5)) if stand_up else []),
        ):
            dates = [day for day in days if day.weekday() in weekdays]
            # A stand-up is first thing in the morning, the others at any time of the day.
            times = _HALF_HOURS if len(weekdays) > 1 else rng.sample(_HALF_HOURS, len(_HALF_HOURS))
            if dates:
                yield from _series(busy, subject, invited, dates[0], times, minutes, weekly(weekdays, len(dates)))
    monday = next(day for day in days if day.weekday() == 0)
    joiners = [rng.choice(department.people) for department in DEPARTMENTS[:6]]
    three_days = {"type": "daily", "interval": 1, "count": 3}
    yield from _series(busy, "Welcome to Contoso", joiners, monday, _HALF_HOURS, 90, three_days)


def _series(
    busy: FreeBusy,
    subject: str,
    people: Sequence[Person],
    first: datetime.date,
    times: Sequence[datetime.time],
    minutes: int,
    recurrence: Mapping[str, object],
) -> Iterator[NewMeeting]:
    """Plan a series at the first time at which everybody and a room are free on every date, if there is one."""
    organizer, *others = [person.address for person in people]
    for time in times:
        timing = replace(_timing(people[0].building, first, time, minutes), recurrence=recurrence)
        rooms = busy.free_rooms(timing.building, timing, len(others))
        if rooms and len(busy.free([organizer, *others], timing)) == len(people):
            yield busy.book(timing, subject, organizer, others, rooms[:1])
            return


def ordinary_meetings(
    busy: FreeBusy, rng: random.Random, days: Sequence[datetime.date], number: int
) -> Iterator[NewMeeting]:
    """Plan this many single meetings of all kinds."""
    quirks: list[Quirk | None] = [quirk for quirk, times in _QUIRKS.items() for _ in range(times)]
    quirks += [None] * (number - len(quirks))
    for quirk in quirks:
        meeting = None
        # On a full day nobody, or no room, is free.
        while meeting is None:
            meeting = _ordinary_meeting(busy, rng, rng.choice(days), quirk)
        yield meeting


def _ordinary_meeting(busy: FreeBusy, rng: random.Random, day: datetime.date, quirk: Quirk | None) -> NewMeeting | None:
    department = rng.choice(DEPARTMENTS)
    subject, time = rng.choice(department.subjects), rng.choice(_HALF_HOURS)
    timing = _timing(department.building, day, time, rng.choice((30, 30, 60, 60, 60, 90)))
    people = _people(busy, rng, department, timing)
    size = min(rng.choice((2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12)), len(people) - 1)
    if size < 2:
        return None
    organizer, *attendees = people[: size + 1]
    if quirk in (Quirk.EXTERNAL_ORGANIZER, Quirk.DEPARTED_ORGANIZER, Quirk.GUEST):
        others = busy.free(_DEPARTED if quirk is Quirk.DEPARTED_ORGANIZER else _PARTNERS, timing)
        if not others:
            return None
        if quirk is Quirk.GUEST:
            attendees[-1] = rng.choice(others)
        else:
            organizer = rng.choice(others)
    foreign_uid = f"{rng.getrandbits(48):x}@calendar.{PARTNER_DOMAIN}"
    rooms = busy.free_rooms(timing.building, timing, len(attendees))
    if quirk is Quirk.TWO_ROOMS:
        elsewhere = rng.choice([building for building in BUILDINGS if building is not timing.building])
        rooms = rooms[:1] + (busy.free_rooms(elsewhere, timing, 0)[:1] if timing.is_within_hours_of(elsewhere) else [])
        if len(rooms) < 2:
            return None
    elif quirk is Quirk.NO_ROOM:
        rooms = []
    elif not rooms:
        return None
    else:
        rooms = [rng.choice(rooms[:3])]
    return replace(
        busy.book(timing, subject, organizer, attendees, rooms),
        is_private=quirk is Quirk.PRIVATE,
        foreign_uid=foreign_uid if quirk is Quirk.FOREIGN_UID else None,
    )


def _timing(building: Building, day: datetime.date, time: datetime.time, minutes: int) -> Timing:
    start = datetime.datetime.combine(day, time, ZoneInfo(building.time_zone))
    return Timing(building, start, start + datetime.timedelta(minutes=minutes))


def _people(busy: FreeBusy, rng: random.Random, department: Department, timing: Timing) -> list[str]:
    """List free people in the order in which they are invited: mostly colleagues, now and then somebody else."""
    colleagues = list(department.people)
    others = [person for person in _EVERYBODY if person.department != department.name]
    others = [person for person in others if timing.is_within_hours_of(person.building)]
    rng.shuffle(colleagues)
    rng.shuffle(others)
    invited = colleagues[:3] + others[:1] + colleagues[3:] + others[1:]
    return busy.free([person.address for person in invited], timing)
