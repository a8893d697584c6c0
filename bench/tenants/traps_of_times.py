"""Traps of when a meeting takes place: dates of series, edges of the window, whole days, clocks that change."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bench.tenants.cast import KEPT_SUBJECTS
from bench.tenants.description import Change, Meeting, Series
from bench.tenants.traps import ZONES, trap

if TYPE_CHECKING:
    from bench.tenants.aim import Aim

_MINUTE, _DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)


# Series


@trap
def _date_of_a_series(aim: Aim, meeting: Meeting) -> Meeting:
    return aim.weekly(meeting)[0]


@trap
def _dates_of_a_daily_series(aim: Aim, meeting: Meeting) -> Meeting:
    return aim.daily(meeting)[0]


@trap
def _moved_in(aim: Aim, meeting: Meeting) -> Meeting:
    inside = meeting.start, meeting.end
    series, date = aim.weekly(aim.apart(meeting), before=1)
    return replace(series, changes=(Change(date, *inside),))


@trap
def _moved_out(aim: Aim, meeting: Meeting) -> Meeting:
    series, date = aim.weekly(meeting)
    away = aim.apart(meeting)
    return replace(series, changes=(Change(date, away.start, away.end),))


@trap
def _moved_over_midnight(aim: Aim, meeting: Meeting) -> Meeting:
    series, date = aim.weekly(meeting)
    late = datetime.datetime.combine(date, datetime.time(23, 40), meeting.start.tzinfo)
    return replace(series, changes=(Change(date, late, late + 45 * _MINUTE),))


@trap
def _renamed_date(aim: Aim, meeting: Meeting) -> Meeting:
    series, date = aim.weekly(meeting)
    return replace(series, changes=(Change(date, subject=aim.rng.choice((*KEPT_SUBJECTS, "Planning, in peace"))),))


@trap
def _more_people_on_a_date(aim: Aim, meeting: Meeting) -> Meeting:
    series, date = aim.weekly(meeting)
    others = [each for each in (*aim.people, *aim.cast.guests) if each not in (*meeting.people, meeting.organizer)]
    return replace(series, changes=(Change(date, people=tuple(aim.rng.sample(others, 2))),))


@trap
def _room_of_one_date(aim: Aim, meeting: Meeting) -> Meeting:
    series, date = aim.weekly(replace(meeting, rooms=()))
    return replace(series, changes=(Change(date, rooms=(aim.room(),)),))


@trap
def _second_room_on_a_date(aim: Aim, meeting: Meeting) -> Meeting:
    series, date = aim.weekly(meeting)
    others = [each for each in (*aim.closed, *aim.open) if each not in meeting.rooms]
    return replace(series, changes=(Change(date, rooms=(aim.rng.choice(others),)),))


@trap
def _foreign_series(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(aim.daily(meeting)[0], foreign_uid=f"feed-{meeting.number}@fabrikam.example")


@trap
def _clock_change(aim: Aim, meeting: Meeting) -> Meeting:
    return aim.weekly(meeting, before=2)[0]


# Times


@trap
def _over_midnight_elsewhere(aim: Aim, meeting: Meeting) -> Meeting:
    edge = aim.rng.choice((aim.low, aim.high))
    return aim.moved(meeting, edge - aim.rng.choice((10, 25, 45)) * _MINUTE, 50 * _MINUTE)


@trap
def _ends_as_it_begins(aim: Aim, meeting: Meeting) -> Meeting:
    return aim.moved(meeting, aim.low - 30 * _MINUTE, 30 * _MINUTE)


@trap
def _begins_as_it_ends(aim: Aim, meeting: Meeting) -> Meeting:
    return aim.moved(meeting, aim.high, 30 * _MINUTE)


@trap
def _a_minute_inside(aim: Aim, meeting: Meeting) -> Meeting:
    start = aim.rng.choice((aim.low - 29 * _MINUTE, aim.high - _MINUTE))
    return aim.moved(meeting, start, 30 * _MINUTE)


@trap
def _without_length(aim: Aim, meeting: Meeting) -> Meeting:
    return aim.moved(meeting, aim.rng.choice((aim.low, aim.high, meeting.start)), 0 * _MINUTE)


@trap
def _all_through(aim: Aim, meeting: Meeting) -> Meeting:
    return aim.moved(meeting, aim.low - _DAY, aim.high - aim.low + 2 * _DAY)


@trap
def _whole_days(aim: Aim, meeting: Meeting) -> Meeting:
    first = aim.low.date() + aim.rng.randint(-2, (aim.high - aim.low).days + 2) * _DAY
    zone = ZoneInfo(aim.rng.choice(ZONES))
    start = datetime.datetime.combine(first, datetime.time(), zone)
    return replace(meeting, is_all_day=True, start=start, end=start + aim.rng.choice((1, 1, 1, 3)) * _DAY)


@trap
def _series_of_whole_days(aim: Aim, meeting: Meeting) -> Meeting:
    start = datetime.datetime.combine(aim.low.date() - 3 * _DAY, datetime.time(), ZoneInfo(aim.rng.choice(ZONES)))
    return replace(
        meeting, is_all_day=True, start=start, end=start + _DAY, series=Series(4, every=aim.rng.choice((2, 3)))
    )
