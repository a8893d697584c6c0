"""How long a service asks to wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from airflow_graph_cancel.graph.retry_after import parse_retry_after

DAY = 86_400.0
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def http_date(moment: datetime) -> str:
    """A moment as HTTP writes it."""
    return format_datetime(moment, usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        ("180", 180),
        (" 5 ", 5),
        ("2.128", 2.128),
        ("-5", 0),
        ("86399", 86_399),
        ("86401", DAY),
        ("1e10", DAY),
        ("1e308", DAY),
        (None, None),
        ("", None),
        ("soon", None),
        ("5 seconds", None),
        ("nan", None),
        ("inf", None),
        ("-inf", None),
        ("1e999", None),
    ],
)
def test_seconds(header: str | None, seconds: float | None) -> None:
    """Integers, decimals and nonsense: Graph sends the first two, and nothing may be waited for longer than a day."""
    assert parse_retry_after(header) == seconds


@pytest.mark.parametrize(
    ("until", "seconds"),
    [
        (http_date(NOW + timedelta(seconds=90)), 90),
        (http_date(NOW), 0),
        (http_date(NOW - timedelta(days=1)), 0),
        (http_date(NOW + timedelta(days=9)), DAY),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("Tue, 01 Jan 2030 00:01:30", 90),
        ("Tue, 01 Jan 2030 01:01:30 +0100", 90),
        ("Tue, 01 Jan 99999 00:00:00 GMT", None),
        ("Tue, 01 Jan 99999999999999999999 00:00:00 GMT", None),
        ("Tue, 32 Jan 2030 00:00:00 GMT", None),
        ("tomorrow", None),
    ],
)
def test_a_date_goes_by_the_servers_clock(until: str, seconds: float | None) -> None:
    """A worker whose clock is an hour wrong must not wait an hour."""
    assert parse_retry_after(until, http_date(NOW)) == seconds


@pytest.mark.parametrize("date", [None, "", "yesterday"])
def test_without_the_servers_clock_ours_has_to_do(date: str | None) -> None:
    """A date of an hour from now is about an hour."""
    seconds = parse_retry_after(http_date(datetime.now(UTC) + timedelta(hours=1)), date)
    assert seconds is not None
    assert 3500 < seconds <= 3600
