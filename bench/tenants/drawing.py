"""Random tenants: a closure, and meetings dense around it, so that every trap lies in its way."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from zoneinfo import ZoneInfo

from bench.tenants import traps_of_copies, traps_of_times
from bench.tenants.aim import Aim
from bench.tenants.cast import KEEP_PATTERNS, LISTS, Cast, draw_cast
from bench.tenants.description import Closure, Meeting, Tenant
from bench.tenants.traps import TRAPS, ZONES

#: Tenants that tests draw.
SEEDS = range(100)

# Importing them enters their traps.
assert traps_of_copies
assert traps_of_times

_HOUR, _DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
#: Clocks change in these weeks somewhere, in two of them not.
_WEEKS = ("2031-03-09", "2031-03-30", "2031-04-06", "2031-10-26", "2031-11-02", "2031-06-17", "2031-12-31")
_GUESSES = {
    "all_day_window": ("own_zone", "utc", "asked_zone"),
    "orphan_uid": ("dated", "clean"),
    "change_key": ("series", "series", "date"),
    "unnamed_calendar": ("default", "default", "all"),
}


def random_tenant(seed: int, now: datetime.datetime) -> tuple[Tenant, Closure]:
    """Draw a tenant and a closure of some of it.

    :param now: Every third closure is around this time, so that some of its meetings are over; the rest do not mind.
    """
    rng = random.Random(seed)
    cast = draw_cast(rng)
    closure = _closure(rng, cast, now if seed % 3 == 2 else None)
    meetings = _meetings(rng, cast, closure)
    guesses = {name: rng.choice(values) for name, values in _GUESSES.items()}
    return Tenant(seed, cast.rooms, cast.people, cast.groups, cast.room_lists, tuple(meetings), guesses), closure


def _closure(rng: random.Random, cast: Cast, now: datetime.datetime | None) -> Closure:
    zone = ZoneInfo(rng.choice(ZONES))
    if now:
        day = now.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0) - 2 * _DAY
        start, length = day, rng.choice((4, 5)) * _DAY
    else:
        day = datetime.datetime.fromisoformat(rng.choice(_WEEKS)) - rng.randint(0, 2) * _DAY
        start, length = day + rng.choice((0, 0, 8, 18)) * _HOUR, rng.choice((6, 24, 24, 48, 96)) * _HOUR
    form = rng.choice(("naive", "naive", "offset", "both"))
    offset = start.replace(tzinfo=zone).utcoffset()
    fixed = None if form == "naive" or offset is None else datetime.timezone(offset)
    start, end = start.replace(tzinfo=fixed), (start + length).replace(tzinfo=fixed)
    return replace(
        _places(rng, cast, Closure(start.isoformat(), end.isoformat())),
        timezone=None if form == "offset" else zone.key,
        scope=rng.choice(("dates", "dates", "dates", "series")),
        keep=_keep(rng),
        min_people=rng.choice((None, None, 2, 3)),
        include_past=rng.random() < 0.2,
    )


def _keep(rng: random.Random) -> tuple[str, ...]:
    subjects = tuple(rng.sample(KEEP_PATTERNS, rng.randint(0, 3)))
    return subjects + rng.choice(((), ("chair@*",)))


def _places(rng: random.Random, cast: Cast, closure: Closure) -> Closure:
    """Choose what the closure names: rooms, a list, a building, organizers, or several of these."""
    mode = rng.choice(("rooms", "list", "building", "building", "organizers", "organizers", "mixed", "mixed", "mixed"))
    rooms = [room.address for room in rng.sample(cast.rooms, rng.randint(2, 5))]
    organizers = [each.address for each in rng.sample(cast.organizers(), 4)]
    # A feed spells addresses as it likes.
    rooms[0], organizers[0] = rooms[0].upper(), organizers[0].title()
    if mode in ("rooms", "mixed"):
        closure = replace(closure, rooms=tuple(rooms))
    if mode == "list" or (mode == "mixed" and rng.random() < 0.5):
        closure = replace(closure, room_list=rng.choice(LISTS))
    if mode == "building" or (mode == "mixed" and rng.random() < 0.5):
        closure = replace(closure, building=rng.choice([room.building for room in cast.rooms if room.building]))
    if mode in ("organizers", "mixed"):
        closure = replace(closure, organizers=tuple(organizers))
    return closure


def _meetings(rng: random.Random, cast: Cast, closure: Closure) -> list[Meeting]:
    aim = Aim(rng, cast, closure)
    wanted = [name for name in TRAPS for _ in range(rng.choice((0, 1, 1, 2)))]
    wanted += ["plain"] * (rng.randint(85, 150) - len(wanted))
    rng.shuffle(wanted)
    return [aim.meeting(number, name) for number, name in enumerate(wanted)]
