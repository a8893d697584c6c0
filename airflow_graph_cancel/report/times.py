"""Times as people read them, in the plan's own zone."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

__all__ = ["find_zone", "local_iso", "moment", "span", "utc", "zone_name"]

# Not strftime, whose names of days depend on the worker's locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def find_zone(name: str | None, start: str | None) -> tzinfo:
    """Return the zone in which a plan was shown to its approver.

    :param name: IANA name, if the plan has one that this machine knows.
    :param start: beginning of the plan's window, whose offset counts otherwise; without it UTC.
    """
    with suppress(KeyError, ValueError, OSError):
        if name:
            return ZoneInfo(name)
    first = moment(start)
    return timezone(first.utcoffset() or timedelta()) if first else UTC


def zone_name(zone: tzinfo) -> str:
    """Return a zone's name as people read it."""
    return zone.key if isinstance(zone, ZoneInfo) else str(zone)


def moment(text: str | None) -> datetime | None:
    """Return the time that ISO 8601 with an offset names; None if it is anything else."""
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def local_iso(text: str | None, zone: tzinfo) -> str:
    """Return a time as ISO 8601 in that zone, with its offset; what cannot be read as it stands."""
    found = _local(text, zone)
    return found.isoformat(timespec="seconds") if found else text or ""


def span(start: str | None, end: str | None, zone: tzinfo) -> str:
    """Return from when to when, such as ``Mon 2030-12-09 09:00–10:30``; the day is said again only if it changes."""
    first, last = _local(start, zone), _local(end, zone)
    if first is None or last is None:
        return " – ".join(text for text in (start, end) if text)
    if first.date() == last.date():
        return f"{_day(first)} {_clock(first)}–{_clock(last)}"
    return f"{_day(first)} {_clock(first)} – {_day(last)} {_clock(last)}"


def utc(text: str | None) -> str:
    """Return when something was decided, in UTC as Microsoft's support asks for it."""
    found = _local(text, UTC)
    return found.strftime("%Y-%m-%d %H:%M:%S") if found else text or ""


def _local(text: str | None, zone: tzinfo) -> datetime | None:
    found = moment(text)
    try:
        return found.astimezone(zone) if found else None
    except OverflowError:
        return None


def _day(when: datetime) -> str:
    return f"{_DAYS[when.weekday()]} {when.date().isoformat()}"


def _clock(when: datetime) -> str:
    clock = f"{when:%H:%M}"
    # When the clocks go back an hour comes twice, and only the offset tells which is meant.
    twice = when.utcoffset() != when.replace(fold=1 - when.fold).utcoffset()
    return f"{clock} ({when:%z})" if twice else clock
