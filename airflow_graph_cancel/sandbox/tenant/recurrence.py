"""Recurrence rules: their dates, and their JSON in Graph and in the control API."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dateutil.rrule import DAILY, SU, WEEKLY, rrule  # type: ignore[import-untyped]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: A series without an end gets this many dates; the service itself has no limit.
HORIZON = 1000


@dataclass(frozen=True, slots=True)
class Recurrence:
    """A daily or weekly rule that ends by a count or by a last date.

    :param kind: ``daily`` or ``weekly``.
    :param first: Date of the first occurrence, in the meeting's own time zone.
    :param interval: Days or weeks between occurrences.
    :param days_of_week: Lower-case English names; for weekly rules only.
    :param count: Number of dates, if the rule ends that way.
    :param until: Last possible date (inclusive), if the rule ends that way.
    """

    kind: str
    first: datetime.date
    interval: int = 1
    days_of_week: tuple[str, ...] = ()
    count: int | None = None
    until: datetime.date | None = None

    def dates(self) -> list[datetime.date]:
        """Return every date of the series in order."""
        until = self.until and datetime.datetime.combine(self.until, datetime.time.max)
        rule = rrule(
            WEEKLY if self.kind == "weekly" else DAILY,
            dtstart=datetime.datetime.combine(self.first, datetime.time()),
            interval=self.interval,
            wkst=SU,
            byweekday=[WEEKDAYS.index(day) for day in self.days_of_week] or None,
            count=self.count if self.count is not None else None if until else HORIZON,
            until=until,
        )
        return [moment.date() for _, moment in zip(range(HORIZON), rule, strict=False)]

    def to_graph(self) -> dict[str, object]:
        """Return the ``patternedRecurrence`` as the service writes it."""
        pattern: dict[str, object] = {
            "type": self.kind,
            "interval": self.interval,
            "month": 0,
            "dayOfMonth": 0,
            "firstDayOfWeek": "sunday",
            "index": "first",
        }
        if self.days_of_week:
            pattern["daysOfWeek"] = list(self.days_of_week)
        kind = "numbered" if self.count is not None else "endDate" if self.until else "noEnd"
        span = {
            "type": kind,
            "startDate": self.first.isoformat(),
            "endDate": self.until.isoformat() if self.until else "0001-01-01",
            "recurrenceTimeZone": "UTC",
            "numberOfOccurrences": self.count or 0,
        }
        return {"pattern": pattern, "range": span}


def from_rule(rule: Mapping[str, object], first: datetime.date) -> Recurrence:
    """Read the control API's short form: ``{"type", "interval", "days_of_week", "count"}``.

    :raises ValueError: if the sandbox does not support the rule.
    """
    unknown = set(rule) - {"type", "interval", "days_of_week", "count", "until"}
    if unknown:
        raise ValueError(f"unknown keys in a recurrence: {', '.join(sorted(unknown))}")
    until = rule.get("until")
    return _checked(
        kind=rule.get("type"),
        first=first,
        interval=rule.get("interval", 1),
        days=rule.get("days_of_week") or (),
        count=rule.get("count"),
        until=datetime.date.fromisoformat(until) if isinstance(until, str) else None,
    )


def from_graph(value: Mapping[str, object], first: datetime.date) -> Recurrence:
    """Read a ``patternedRecurrence`` from a create or update request.

    :raises ValueError: if the sandbox does not support the rule.
    """
    pattern, span = value.get("pattern"), value.get("range")
    if not isinstance(pattern, Mapping) or not isinstance(span, Mapping):
        raise ValueError("a recurrence needs a pattern and a range")
    start = span.get("startDate")
    ended = span.get("type")
    return _checked(
        kind=pattern.get("type"),
        first=datetime.date.fromisoformat(start) if isinstance(start, str) else first,
        interval=pattern.get("interval", 1),
        days=pattern.get("daysOfWeek") or (),
        count=span.get("numberOfOccurrences") if ended == "numbered" else None,
        until=datetime.date.fromisoformat(str(span.get("endDate"))) if ended == "endDate" else None,
    )


def _checked(
    *, kind: object, first: datetime.date, interval: object, days: object, count: object, until: datetime.date | None
) -> Recurrence:
    if kind not in ("daily", "weekly"):
        raise ValueError("the sandbox supports daily and weekly recurrences only")
    if not isinstance(interval, int) or interval < 1:
        raise ValueError("the recurrence's interval must be a positive integer")
    if count is not None and (not isinstance(count, int) or not 1 <= count <= HORIZON):
        raise ValueError(f"the recurrence's count must be an integer from 1 to {HORIZON}")
    if isinstance(days, str) or not isinstance(days, Sequence):
        raise ValueError("the recurrence's days of the week must be a list of names")
    names = tuple(str(day).lower() for day in days)
    if not set(names) <= set(WEEKDAYS):
        raise ValueError("the recurrence's days of the week must be English names such as 'monday'")
    if kind == "weekly" and not names:
        names = (WEEKDAYS[first.weekday()],)
    return Recurrence(str(kind), first, interval, names if kind == "weekly" else (), count, until)
