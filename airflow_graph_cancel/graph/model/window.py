"""The time window of a search: half-open, and always with a time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from airflow_graph_cancel.graph.errors import InvalidInputError

_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_EASTERNMOST, _WESTERNMOST = timedelta(hours=14), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` until just before ``end``.

    :param start: with a UTC offset, as is ``end``.
    :param timezone: IANA name of the zone of the place, None if only offsets are known.
    """

    start: datetime
    end: datetime
    timezone: str | None = None

    @property
    def zone(self) -> tzinfo:
        """The zone in which the dates of all-day meetings begin and end."""
        return ZoneInfo(self.timezone) if self.timezone else self.start.tzinfo or UTC

    def overlaps(self, start: datetime, end: datetime) -> bool:
        """Return whether a meeting takes place within the window, in whole or in part.

        A meeting that ends when the window begins does not, and neither does one that begins when it ends.
        """
        if start == end:
            return self.start <= start < self.end
        return start < self.end and end > self.start

    @property
    def asked(self) -> tuple[datetime, datetime]:
        """Start and end of what to ask a calendar for, in UTC: more than the window itself.

        The days of an all-day meeting are the same days everywhere, but a calendar stores the midnights of the zone in
        which it was made: up to 14 hours before UTC's and 12 hours after.
        """
        begins, ends = (moment + (moment.astimezone(self.zone).utcoffset() or timedelta()) for moment in self.span)
        return (begins - _EASTERNMOST).astimezone(UTC), (ends + _WESTERNMOST).astimezone(UTC)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Start and end, in UTC."""
        return self.start.astimezone(UTC), self.end.astimezone(UTC)

    def as_row(self) -> dict[str, str | None]:
        """Return plain JSON types, as in a plan."""
        return {"start": self.start.isoformat(), "end": self.end.isoformat(), "timezone": self.timezone}


def parse_window(start: object, end: object, timezone: str | None, *, longest: timedelta) -> Window:
    """Parse and check the arguments of a search.

    :param start: ISO 8601 with a UTC offset, or without one if there is a time zone; a date means its midnight.
    :param end: likewise; exclusive.
    :param timezone: IANA name, such as ``America/New_York``.
    :param longest: reject a longer window, which is more often a mistake than intended.
    :raises InvalidInputError: naming the argument.
    """
    if timezone is not None:
        try:
            ZoneInfo(timezone)
        except (ValueError, OSError, KeyError) as error:
            raise InvalidInputError(
                f"timezone is {timezone!r}, which is not an IANA time zone such as Europe/London."
            ) from error
    begins, ends = _moment("start", start, timezone), _moment("end", end, timezone)
    if ends <= begins:
        raise InvalidInputError(
            f"end ({ends.isoformat()}) is not after start ({begins.isoformat()}). end is exclusive: for a single day, "
            "use the next day."
        )
    if ends - begins > longest:
        raise InvalidInputError(
            f"The window is {(ends - begins) / timedelta(days=1):.0f} days long, more than max_days ({longest.days}). "
            "If that is intended, raise max_days."
        )
    if not (begins.year >= _FIRST_YEAR and ends.year <= _LAST_YEAR):
        raise InvalidInputError(f"Calendars do not show the years {begins.year} to {ends.year}: check start and end.")
    return Window(begins, ends, timezone)


def _moment(argument: str, value: object, timezone: str | None) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise InvalidInputError(
                f"{argument} is {value!r:.80}, which is not an ISO 8601 time such as 2026-12-09T18:00:00+01:00."
            ) from None
    if not isinstance(value, datetime):
        raise InvalidInputError(f"{argument} must be ISO 8601 text, not {type(value).__name__}.")
    if value.tzinfo is not None and value.utcoffset() is not None:
        return value
    if timezone is None:
        raise InvalidInputError(
            f"{argument} is {value.isoformat()} without an offset, so its time zone is unknown. Add an offset, or set "
            "timezone."
        )
    return value.replace(tzinfo=ZoneInfo(timezone))
