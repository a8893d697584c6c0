"""What people read in plans, approvals and reports: times in the zone of the place, and Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

# Not strftime, whose names of days depend on the worker's locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MARKS = re.compile(r"([\\`*_\[\]|~#])")
_BLOCK_MARK = re.compile(r"^(\d*)([-+=.)])")


def zone_of(window: Mapping[str, object]) -> tzinfo:
    """Return the time zone in which a plan is shown, to its approver and in reports.

    :param window: as a plan holds it: the zone that it names, or else the offset of its ``start``, or else UTC. Not
        every machine knows every zone.
    """
    with suppress(KeyError, ValueError, OSError):
        if name := window.get("timezone"):
            return ZoneInfo(str(name))
    start = parse_time(window.get("start"))
    return timezone(start.utcoffset() or timedelta()) if start else UTC


def zone_name(zone: tzinfo) -> str:
    """Return a zone's name as people read it."""
    return zone.key if isinstance(zone, ZoneInfo) else str(zone)


def parse_time(time: object) -> datetime | None:
    """Return the time that ISO 8601 text with an offset stands for; None for anything else."""
    try:
        found = datetime.fromisoformat(str(time))
    except ValueError:
        return None
    return found if found.tzinfo else None


def local_iso(time: str | None, zone: tzinfo) -> str:
    """Return a time as ISO 8601 in that zone, with its offset; text that is not a time as it is."""
    found = _local(time, zone)
    return found.isoformat(timespec="seconds") if found else time or ""


def span(start: str | datetime | None, end: str | datetime | None, zone: tzinfo) -> str:
    """Return from when to when, such as ``Mon 2030-12-09 09:00–10:30``; the day is repeated only if it changes."""
    first, last = _local(start, zone), _local(end, zone)
    if first is None or last is None:
        return " – ".join(str(time) for time in (start, end) if time)
    if first.date() == last.date():
        return f"{_day(first)} {_clock(first)}–{_clock(last)}"
    return f"{_day(first)} {_clock(first)} – {_day(last)} {_clock(last)}"


def utc(time: str | None) -> str:
    """Return a time in UTC, in which Microsoft's support asks for it; text that is not a time as it is."""
    found = _local(time, UTC)
    return found.strftime("%Y-%m-%d %H:%M:%S") if found else time or ""


def _local(time: str | datetime | None, zone: tzinfo) -> datetime | None:
    found = time if isinstance(time, datetime) else parse_time(time)
    try:
        return found.astimezone(zone) if found else None
    except OverflowError:
        return None


def _day(time: datetime) -> str:
    return f"{_DAYS[time.weekday()]} {time.date().isoformat()}"


def _clock(time: datetime) -> str:
    clock = f"{time:%H:%M}"
    # When the clocks go back, an hour occurs twice, and only the offset tells the two apart.
    twice = time.utcoffset() != time.replace(fold=1 - time.fold).utcoffset()
    return f"{clock} ({time:%z})" if twice else clock


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun, such as ``1 meeting`` or ``1,200 meetings``."""
    return f"{number:,} {one if number == 1 else many}"


def escape_markdown(text: str) -> str:
    """Escape untrusted text so that it fits one table cell and contains no markup, links or HTML."""
    marked = _MARKS.sub(r"\\\1", " ".join(text.split()))
    # Entities, because not every reader of Markdown takes a backslash before an angle bracket.
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def quote_markdown(text: str) -> str:
    """Return untrusted text as a quotation, line by line, with its markup escaped."""
    # Two blanks at the end keep the line break. A mark at the beginning would make a list or a heading.
    lines = (_BLOCK_MARK.sub(r"\1\\\2", escape_markdown(line)) for line in text.splitlines())
    return "\n".join(f"> {line}  " for line in lines)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return the lines of a table as GitHub's Markdown has it; cells are escaped."""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(escape_markdown, row))} |"
