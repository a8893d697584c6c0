"""Meetings as the sample tenant plans them, and who is free when."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_graph_cancel.sandbox.sample_tenant.contoso import Building

_STEP = datetime.timedelta(minutes=15)
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True)
class Meeting:
    """A meeting before anybody has been invited to it.

    :param start: start of the first date, in the time zone of the building.
    :param weekdays: for a weekly series the days it repeats on, 0 being Monday.
    :param count: how many dates it has; without weekdays a daily series if there are several.
    :param event_id: id of the organizer's copy, where it must be known beforehand.
    :param occurrence_ids: the same for single dates of a series.
    """

    subject: str
    organizer: str
    start: datetime.datetime
    end: datetime.datetime
    building: Building
    attendees: tuple[str, ...]
    rooms: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    count: int = 1
    is_private: bool = False
    foreign_uid: str | None = None
    event_id: str | None = None
    occurrence_ids: Mapping[datetime.date, str] = field(default_factory=dict)

    @property
    def recurrence(self) -> dict[str, object] | None:
        """The repetition as the store takes it."""
        if self.count == 1:
            return None
        if not self.weekdays:
            return {"type": "daily", "interval": 1, "count": self.count}
        days = [_WEEKDAYS[day] for day in self.weekdays]
        return {"type": "weekly", "interval": 1, "days_of_week": days, "count": self.count}

    def spans(self) -> Iterator[tuple[datetime.datetime, datetime.datetime]]:
        """Start and end of every date."""
        day, left = self.start, self.count
        while left:
            if not self.weekdays or day.weekday() in self.weekdays:
                yield day, day + (self.end - self.start)
                left -= 1
            day += datetime.timedelta(days=1)


class Diary:
    """Who is taken when: nobody sits in two meetings at once, and no room holds two."""

    def __init__(self) -> None:
        self._taken: set[tuple[str, datetime.datetime]] = set()

    def book(self, meeting: Meeting) -> None:
        """Take the time of everybody and every room of the meeting."""
        steps = list(_steps(meeting))
        for address in (meeting.organizer, *meeting.attendees, *meeting.rooms):
            self._taken.update((address, step) for step in steps)

    def free(self, addresses: Iterable[str], meeting: Meeting) -> list[str]:
        """Of these addresses, the ones that could be at every date of the meeting, in the same order."""
        steps = list(_steps(meeting))
        return [address for address in addresses if not any((address, step) in self._taken for step in steps)]


def work_days(first: datetime.date, days: int) -> list[datetime.date]:
    """Mondays to Fridays among so many days from the first on."""
    span = (first + datetime.timedelta(days=n) for n in range(days))
    return [day for day in span if day.weekday() < 5]


def _steps(meeting: Meeting) -> Iterator[datetime.datetime]:
    for start, end in meeting.spans():
        # Arithmetic in UTC: adding to a local time ignores a clock change in between.
        step, last = start.astimezone(datetime.UTC), end.astimezone(datetime.UTC)
        while step < last:
            yield step
            step += _STEP
