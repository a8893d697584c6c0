"""Times as people read them, in the plan's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

__all__ = ["find_zone", "local_iso", "moment", "span", "utc"]

# Not strftime, whose names of days depend on the worker's locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def find_zone(name: str | None) -> tzinfo | None:
    """Return a time zone by its IANA name, UTC for None, and None for a name that this machine does not know."""
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


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
