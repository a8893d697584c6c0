"""Who at Contoso meets whom, when and where: the series and the single meetings of the sample tenant."""

from __future__ import annotations

import datetime
import enum
from dataclasses import replace
from typing import TYPE_CHECKING
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
from airflow_graph_cancel.sandbox.sample_tenant.diary import Diary, Meeting

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator, Sequence

_EVERYBODY = [person for department in DEPARTMENTS for person in department.people]
_PARTNERS = [address_of(name, PARTNER_DOMAIN) for name in PARTNERS]
_DEPARTED = [address_of(name) for name in DEPARTED]
_HALF_HOURS = [datetime.time(hour, minute) for hour in range(9, 17) for minute in (0, 30)]
_STAND_UPS = ("Engineering", "Data Platform", "Customer Care", "Facilities")


class Habit(enum.Enum):
    """What is unusual about some meetings."""

    TWO_ROOMS = enum.auto()
    NO_ROOM = enum.auto()
    GUEST = enum.auto()
    PRIVATE = enum.auto()
    EXTERNAL_ORGANIZER = enum.auto()
    DEPARTED_ORGANIZER = enum.auto()
    FOREIGN_UID = enum.auto()


_HABITS = {
    Habit.NO_ROOM: 30,
    Habit.GUEST: 24,
    Habit.TWO_ROOMS: 14,
    Habit.DEPARTED_ORGANIZER: 4,
    Habit.EXTERNAL_ORGANIZER: 3,
    Habit.PRIVATE: 3,
    Habit.FOREIGN_UID: 2,
}


def standing_meetings(diary: Diary, rng: random.Random, days: Sequence[datetime.date]) -> Iterator[Meeting]:
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
            # A stand-up is held first thing in the morning, the rest at any time of the day.
            times = _HALF_HOURS if len(weekdays) > 1 else rng.sample(_HALF_HOURS, len(_HALF_HOURS))
            yield from _series(diary, subject, invited, dates, times, minutes, tuple(weekdays))
    monday = next(index for index, day in enumerate(days) if day.weekday() == 0)
    joiners = [rng.choice(department.people) for department in DEPARTMENTS[:6]]
    yield from _series(diary, "Welcome to Contoso", joiners, days[monday : monday + 3], _HALF_HOURS, 90, ())


def _series(
    diary: Diary,
    subject: str,
    people: Sequence[Person],
    dates: Sequence[datetime.date],
    times: Sequence[datetime.time],
    minutes: int,
    weekdays: tuple[int, ...],
) -> Iterator[Meeting]:
    """Plan a series at the first time at which everybody and a room are free on every date, if there is one."""
    organizer, *others = [person.address for person in people]
    for time in times if dates else ():
        meeting = replace(
            _meeting(subject, organizer, dates[0], time, minutes, people[0].building),
            attendees=tuple(others),
            weekdays=weekdays,
            count=len(dates),
        )
        rooms = _rooms(diary, meeting, meeting.building)
        if rooms and len(diary.free([organizer, *others], meeting)) == len(people):
            meeting = replace(meeting, rooms=(rooms[0],))
            diary.book(meeting)
            yield meeting
            return


def ordinary_meetings(
    diary: Diary, rng: random.Random, days: Sequence[datetime.date], number: int
) -> Iterator[Meeting]:
    """Plan so many single meetings of all kinds."""
    habits: list[Habit | None] = [habit for habit, times in _HABITS.items() for _ in range(times)]
    habits += [None] * (number - len(habits))
    for habit in habits:
        meeting = None
        # A full day offers nobody, or no room.
        while meeting is None:
            meeting = _ordinary_meeting(diary, rng, rng.choice(days), habit)
        diary.book(meeting)
        yield meeting


def _ordinary_meeting(diary: Diary, rng: random.Random, day: datetime.date, habit: Habit | None) -> Meeting | None:
    department = rng.choice(DEPARTMENTS)
    meeting = _meeting(
        rng.choice(department.subjects),
        "",
        day,
        rng.choice(_HALF_HOURS),
        rng.choice((30, 30, 60, 60, 60, 90)),
        department.building,
    )
    people = _people(diary, rng, department, meeting)
    size = min(rng.choice((2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12)), len(people) - 1)
    if size < 2:
        return None
    organizer, *attendees = people[: size + 1]
    if habit in (Habit.EXTERNAL_ORGANIZER, Habit.DEPARTED_ORGANIZER, Habit.GUEST):
        others = diary.free(_DEPARTED if habit is Habit.DEPARTED_ORGANIZER else _PARTNERS, meeting)
        if not others:
            return None
        if habit is Habit.GUEST:
            attendees[-1] = rng.choice(others)
        else:
            organizer = rng.choice(others)
    foreign_uid = f"{rng.getrandbits(48):x}@calendar.{PARTNER_DOMAIN}"
    rooms = _rooms(diary, replace(meeting, attendees=tuple(attendees)), department.building)
    if habit is Habit.TWO_ROOMS:
        elsewhere = rng.choice([building for building in BUILDINGS if building is not department.building])
        rooms = rooms[:1] + (_rooms(diary, meeting, elsewhere)[:1] if _is_open(elsewhere, meeting) else [])
        if len(rooms) < 2:
            return None
    elif habit is Habit.NO_ROOM:
        rooms = []
    elif not rooms:
        return None
    else:
        rooms = [rng.choice(rooms[:3])]
    return replace(
        meeting,
        organizer=organizer,
        attendees=tuple(attendees),
        rooms=tuple(rooms),
        is_private=habit is Habit.PRIVATE,
        foreign_uid=foreign_uid if habit is Habit.FOREIGN_UID else None,
    )


def _meeting(
    subject: str, organizer: str, day: datetime.date, time: datetime.time, minutes: int, building: Building
) -> Meeting:
    start = datetime.datetime.combine(day, time, ZoneInfo(building.time_zone))
    end = start + datetime.timedelta(minutes=minutes)
    return Meeting(subject, organizer, start, end, building, attendees=())


def _people(diary: Diary, rng: random.Random, department: Department, meeting: Meeting) -> list[str]:
    """List free people in the order in which they would be asked: mostly colleagues, and now and then somebody else."""
    colleagues = list(department.people)
    others = [person for person in _EVERYBODY if person.department != department.name]
    others = [person for person in others if _is_open(person.building, meeting)]
    rng.shuffle(colleagues)
    rng.shuffle(others)
    asked = colleagues[:3] + others[:1] + colleagues[3:] + others[1:]
    return diary.free([person.address for person in asked], meeting)


def _rooms(diary: Diary, meeting: Meeting, building: Building) -> list[str]:
    """List free rooms of the building that are large enough, the smallest first."""
    rooms = sorted(building.rooms, key=lambda room: room.capacity)
    return diary.free([room.address for room in rooms if room.capacity > len(meeting.attendees)], meeting)


def _is_open(building: Building, meeting: Meeting) -> bool:
    """Tell whether the meeting lies in business hours there too."""
    zone = ZoneInfo(building.time_zone)
    return meeting.start.astimezone(zone).hour >= 9 and meeting.end.astimezone(zone).hour < 18
