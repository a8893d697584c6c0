"""What meetings are drawn for: a closure, its rooms, its organizers, its times and their edges."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench.tenants.description import Meeting, Series
from bench.tenants.traps import OF_ORGANIZERS, TRAPS, ZONES

if TYPE_CHECKING:
    from bench.tenants.cast import Cast
    from bench.tenants.description import Closure

_SUBJECTS = ("Planning", "Review of the Board", "keep Fire drill", "Interview", "1:1", "Visit: Fabrikam plant")
_MINUTE, _DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)


class Aim:
    """Draws meetings for one closure.

    A trap's name stands in a meeting only if the closure can meet with it: a trap of rooms needs closed rooms.
    """

    def __init__(self, rng: random.Random, cast: Cast, closure: Closure) -> None:
        self.rng, self.cast = rng, cast
        self.low, self.high = closure.window()
        closed = closure.closed(cast.rooms, cast.room_lists)
        self.closed = sorted(closed)
        self.open = [room.address for room in cast.rooms if room.address not in closed]
        wanted = {address.lower() for address in closure.organizers or ()}
        people = [each.address for each in cast.organizers() if not each.address.startswith("legacy")]
        self.wanted = [address for address in people if address.lower() in wanted]
        self.people = people

    def meeting(self, number: int, name: str) -> Meeting:
        """Draw a meeting with this trap, or a plain one."""
        start, end = self.inside()
        rooms = (self.room(),) if self.closed or self.rng.random() < 0.5 else ()
        plain = Meeting(
            number, frozenset(), self.organizer(), self.rng.choice(_SUBJECTS), start, end, rooms=rooms,
            people=self.invited(),
        )  # fmt: skip
        if name == "plain":
            if self.rng.random() < 0.3:
                plain = self.apart(plain)
            if self.rng.random() < 0.3 and self.open:
                plain = replace(plain, rooms=(self.rng.choice(self.open),))
            return _without_organizer(plain)
        made = TRAPS[name](self, plain)
        aimed = bool(self.closed) if name not in OF_ORGANIZERS else bool(self.wanted)
        return _without_organizer(replace(made, traps=frozenset({name} if aimed else ())))

    def organizer(self) -> str:
        """Draw an organizer with a mailbox that can be read, one that is asked for rather than another."""
        return self.rng.choice(self.wanted if self.wanted and self.rng.random() < 0.6 else self.people)

    def room(self) -> str:
        """Draw a closed room, or any if none is."""
        return self.rng.choice(self.closed or self.open)

    def invited(self, fewest: int = 1) -> tuple[str, ...]:
        """Draw who is invited: colleagues, guests from outside, and now and then a group."""
        names = self.rng.sample(self.people, self.rng.randint(fewest, 5))
        names += self.rng.sample(self.cast.guests, self.rng.choice((0, 0, 0, 1, 2)))
        names += self.rng.sample(self.cast.groups, self.rng.choice((0, 0, 0, 1)))
        return tuple(names)

    def inside(self) -> tuple[datetime.datetime, datetime.datetime]:
        """Draw a time that begins in the window, in any zone."""
        slots = int((self.high - self.low) / _MINUTE) // 5
        start = self.low.astimezone(datetime.UTC) + self.rng.randrange(slots) * 5 * _MINUTE
        return self.at(start, self.rng.choice((15, 30, 45, 60, 90)) * _MINUTE)

    def at(self, start: datetime.datetime, length: datetime.timedelta) -> tuple[datetime.datetime, datetime.datetime]:
        """Return a start in any zone and the end, which is so much later whatever clocks do."""
        zone = ZoneInfo(self.rng.choice(ZONES))
        start = start.astimezone(datetime.UTC)
        return start.astimezone(zone), (start + length).astimezone(zone)

    def apart(self, meeting: Meeting) -> Meeting:
        """Put a meeting before or after the window, where it may not be touched."""
        length = meeting.end.astimezone(datetime.UTC) - meeting.start.astimezone(datetime.UTC)
        away = self.rng.randint(0, 3 * 24 * 12) * 5 * _MINUTE
        start = self.low - length - away if self.rng.random() < 0.5 else self.high + away
        return self.moved(meeting, start, length)

    def moved(self, meeting: Meeting, start: datetime.datetime, length: datetime.timedelta) -> Meeting:
        """Put a meeting to another time."""
        start, end = self.at(start, length)
        return replace(meeting, start=start, end=end)

    def weekly(self, meeting: Meeting, before: int | None = None) -> tuple[Meeting, datetime.date]:
        """Make a meeting one date of a weekly series with dates on either side; return that date too."""
        weeks = self.rng.randint(1, 3) if before is None else before
        date = meeting.start.date()
        series = Series(weeks + self.rng.randint(2, 4), weekdays=(date.weekday(),))
        return _beginning(meeting, date - weeks * 7 * _DAY, series), date

    def daily(self, meeting: Meeting) -> tuple[Meeting, datetime.date]:
        """Likewise of a series on every day."""
        days, date = self.rng.randint(1, 6), meeting.start.date()
        return _beginning(meeting, date - days * _DAY, Series(days + self.rng.randint(3, 9))), date


def _beginning(meeting: Meeting, first: datetime.date, series: Series) -> Meeting:
    """Return the meeting as a series from another day on, at the same local time."""
    length = meeting.end.astimezone(datetime.UTC) - meeting.start.astimezone(datetime.UTC)
    zone = meeting.start.tzinfo
    start = datetime.datetime.combine(first, meeting.start.time().replace(fold=0), zone)
    # On the day on which clocks are set forward some times are none.
    start = start.astimezone(datetime.UTC).astimezone(zone).replace(fold=0)
    end = (start.astimezone(datetime.UTC) + length).astimezone(zone)
    return replace(meeting, start=start, end=end, series=series)


def _without_organizer(meeting: Meeting) -> Meeting:
    if "organizer among the attendees" in meeting.traps:
        return meeting
    return replace(meeting, people=tuple(each for each in meeting.people if each != meeting.organizer))
