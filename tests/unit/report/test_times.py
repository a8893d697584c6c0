"""Times as the people of the building read them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from airflow_graph_cancel.report import build_report, to_csv, to_html, to_markdown
from airflow_graph_cancel.report.times import find_zone, local_iso, span, utc, zone_name
from tests.support.report_cases import meeting, plan, read_csv

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2030-12-09T08:00:00Z", "2030-12-09T09:30:00Z", "Mon 2030-12-09 09:00–10:30"),
        ("2030-12-09T08:00:00.0000000+00:00", "2030-12-09T09:30:00+00:00", "Mon 2030-12-09 09:00–10:30"),
        ("2030-12-09T22:30:00Z", "2030-12-09T23:30:00Z", "Mon 2030-12-09 23:30 – Tue 2030-12-10 00:30"),
        ("2030-10-27T00:30:00Z", "2030-10-27T01:30:00Z", "Sun 2030-10-27 02:30 (+0200)–02:30 (+0100)"),
        ("2030-12-09T08:00:00", "2030-12-09T09:30:00Z", "2030-12-09T08:00:00 – 2030-12-09T09:30:00Z"),
        ("9999-12-31T23:59:00Z", "9999-12-31T23:59:00Z", "9999-12-31T23:59:00Z – 9999-12-31T23:59:00Z"),
        ("soon", None, "soon"),
        (None, None, ""),
    ],
)
def test_a_span_is_in_the_places_time(start: str | None, end: str | None, said: str) -> None:
    """Over midnight, when the clocks go back, and what cannot be read as it stands."""
    assert span(start, end, BERLIN) == said


def test_every_format_is_in_the_plans_zone() -> None:
    """Nine o'clock in Berlin is nine o'clock in all of them, and the table says with which offset."""
    report = build_report(plan(meeting(0)))
    assert "Mon 2030-12-09 09:00–10:00" in to_markdown(report)
    assert "<span>2030-12-09</span> <span>09:00–10:00</span>" in to_html(report)
    (line,) = read_csv(to_csv(report))
    assert (line["start"], line["end"]) == ("2030-12-09T09:00:00+01:00", "2030-12-09T10:00:00+01:00")


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("America/New_York", "2030-12-09T00:00:00-05:00", "America/New_York"),
        (None, "2030-12-09T00:00:00-05:00", "UTC-05:00"),
        ("Nowhere/Land", "2030-12-09T00:00:00+00:00", "UTC"),
        ("../../etc/passwd", None, "UTC"),
        ("Europe", None, "UTC"),
    ],
)
def test_a_plan_without_a_zone_is_shown_as_its_approver_saw_it(name: str | None, start: str | None, said: str) -> None:
    """With the offset of its window; a name that is no zone is no reason to fail."""
    assert zone_name(find_zone(name, start)) == said


def test_an_unknown_zone_is_said() -> None:
    """Times that look like local ones and are not mislead."""
    document = plan(meeting(0))
    document["window"]["timezone"] = "Nowhere/Land"
    assert build_report(document).notes == ("The time zone Nowhere/Land is not known here.",)


def test_support_gets_utc() -> None:
    """Microsoft's logs are in UTC; what is no time is shown as it is."""
    assert utc("2030-12-09T09:00:01+01:00") == "2030-12-09 08:00:01"
    assert (utc("soon"), utc(None), local_iso("soon", BERLIN)) == ("soon", "", "soon")
