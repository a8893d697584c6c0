"""Times as the people of the building read them."""

from __future__ import annotations

from airflow_graph_cancel.report import build_report, to_csv, to_html, to_markdown
from tests.support.report_cases import meeting, plan, read_csv


def test_every_format_is_in_the_plans_zone() -> None:
    """Nine o'clock in Berlin is nine o'clock in all of them, and the table says with which offset."""
    report = build_report(plan(meeting(0)))
    assert "Mon 2030-12-09 09:00–10:00" in to_markdown(report)
    assert "<span>2030-12-09</span> <span>09:00–10:00</span>" in to_html(report)
    (line,) = read_csv(to_csv(report))
    assert (line["start"], line["end"]) == ("2030-12-09T09:00:00+01:00", "2030-12-09T10:00:00+01:00")


def test_an_unknown_zone_is_said() -> None:
    """Times that look like local ones and are not mislead."""
    document = plan(meeting(0))
    document["window"]["timezone"] = "Nowhere/Land"
    assert build_report(document).notes == ("The time zone Nowhere/Land is not known here.",)
