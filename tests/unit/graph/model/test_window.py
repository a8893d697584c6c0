"""Which meetings fall within a window of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.model.window import Window, parse_window

TWO_MONTHS = timedelta(days=62)


def parse(start: object, end: object, timezone: str | None = None) -> Window:
    """Parse with the usual limit."""
    return parse_window(start, end, timezone, longest=TWO_MONTHS)


@pytest.mark.parametrize(
    ("start", "end", "timezone", "begins"),
    [
        ("2030-12-09T18:00:00+01:00", "2030-12-10T00:00:00+01:00", None, "2030-12-09T17:00:00+00:00"),
        ("2030-12-09T18:00:00Z", "2030-12-10", "Europe/London", "2030-12-09T18:00:00+00:00"),
        ("2030-12-09", "2030-12-10", "America/New_York", "2030-12-09T05:00:00+00:00"),
        ("2030-07-09 08:30", "2030-07-09 12:00", "America/New_York", "2030-07-09T12:30:00+00:00"),
        (datetime(2030, 12, 9, tzinfo=UTC), datetime(2030, 12, 10), "Asia/Tokyo", "2030-12-09T00:00:00+00:00"),
    ],
)
def test_times_mean_what_they_say(start: object, end: object, timezone: str | None, begins: str) -> None:
    """An offset decides; without one the zone of the place does, summer time included."""
    assert parse(start, end, timezone).start.astimezone(UTC).isoformat() == begins


@pytest.mark.parametrize(
    ("start", "end", "timezone", "said"),
    [
        ("2030-12-09T18:00:00", "2030-12-10T00:00:00Z", None, "start is .* without an offset"),
        ("2030-12-09T18:00:00Z", "2030-12-10", None, "end is .* without an offset"),
        ("2030-12-09T18:00:00Z", "2030-12-09T18:00:00Z", None, "not after start"),
        ("2030-12-10T18:00:00Z", "2030-12-09T18:00:00Z", None, "not after start"),
        ("2030-12-09", "2030-12-10", "Europe/Nowhere", "not an IANA time zone"),
        ("2030-12-09", "2030-12-10", "../etc/passwd", "not an IANA time zone"),
        ("2030-12-09", "2030-12-10", "", "not an IANA time zone"),
        ("next week", "2030-12-10", "Europe/London", "start is 'next week'"),
        ("None", "2030-12-10", "Europe/London", "start is 'None'"),
        (20301209, "2030-12-10", "Europe/London", "must be ISO 8601 text, not int"),
        ("2030-01-01", "2030-03-05", "Europe/London", "63 days long.*max_days"),
        ("1899-12-31", "1900-01-01", "Europe/London", "years 1899 to 1900: check start and end"),
        ("9000-12-31", "9001-01-01", "Europe/London", "years 9000 to 9001: check start and end"),
    ],
)
def test_what_cannot_be_meant_is_refused(start: object, end: object, timezone: str | None, said: str) -> None:
    """In a sentence that names it, before anything is read."""
    with pytest.raises(InvalidInputError, match=said):
        parse(start, end, timezone)


def test_a_window_is_half_open() -> None:
    """What ends as it begins, or begins as it ends, does not take place in it."""
    window = parse("2030-01-07T10:00:00Z", "2030-01-07T12:00:00Z")

    def at(start: str, end: str) -> bool:
        return window.overlaps(*(datetime.fromisoformat(f"2030-01-07T{time}:00Z") for time in (start, end)))

    assert at("09:00", "10:01")
    assert at("11:59", "13:00")
    assert at("09:00", "13:00")
    assert at("10:00", "10:00")
    assert not at("09:00", "10:00")
    assert not at("12:00", "13:00")
    assert not at("12:00", "12:00")


@given(
    start=st.datetimes(datetime(2029, 1, 1), datetime(2031, 1, 1)),
    minutes=st.integers(1, 60 * 24 * 60),
    zone=st.sampled_from(["America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Europe/London", "Etc/GMT+12"]),
    date=st.integers(-3, 63),
)
def test_a_calendar_is_asked_for_enough(start: datetime, minutes: int, zone: str, date: int) -> None:
    """Whole days stand at midnight in UTC in a calendar; none that falls into the window is missed for that."""
    begins = start.replace(tzinfo=ZoneInfo(zone))
    window = Window(begins, begins.astimezone(UTC) + timedelta(minutes=minutes), zone)
    midnight = datetime.combine(start.date() + timedelta(days=date), datetime.min.time())
    there = (midnight.replace(tzinfo=ZoneInfo(zone)), (midnight + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone)))
    stored = (midnight.replace(tzinfo=UTC), (midnight + timedelta(days=1)).replace(tzinfo=UTC))
    asked = window.asked
    if window.overlaps(*there):
        assert stored[0] < asked[1]
        assert stored[1] > asked[0]
    assert asked[0] <= window.start
    assert asked[1] >= window.end


def test_the_limits_themselves_are_allowed() -> None:
    """A window as long as it may be, in the first and the last year that calendars show; blanks do not matter."""
    assert parse(" 2030-01-01 ", "2030-03-04", "Europe/London").end.day == 4
    assert parse("1900-01-01", "1900-01-02", "UTC").start.year == 1900
    assert parse("9000-12-30", "9000-12-31", "UTC").end.year == 9000


@pytest.mark.parametrize(("timezone", "name"), [("Europe/London", "Europe/London"), (None, "UTC-05:00")])
def test_whole_days_are_those_of_the_place(timezone: str | None, name: str) -> None:
    """Without a place, those of the start's offset."""
    assert str(parse("2030-01-07T00:00:00-05:00", "2030-01-08T00:00:00-05:00", timezone).zone) == name
