"""What the headline says, for each state in which a pipeline may end."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_graph_cancel.graph.model.plan import Reason
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.report import build_report, to_csv, to_html, to_markdown, to_summary
from airflow_graph_cancel.report.content import OUTCOMES, REASONS, TAKEN_OUT, facts, verdict
from tests.support.report_cases import flat, meeting, plan, read_csv, read_html, row

LEFT = ({"reason": "kept", "iCalUId": "k", "organizer": "ceo@contoso.example", "rooms": []},)


def numbers(report: Any) -> dict[str, str]:
    """The headline's numbers by what they count."""
    return {fact.label: fact.number for fact in facts(report)}


def test_all_went_well() -> None:
    """People told are those of the meetings that were cancelled."""
    there = {"total": 2, "gone": 2, "still_there": [], "at": "2030-12-02T11:00:00+00:00"}
    report = build_report(plan(meeting(1), meeting(2), left=LEFT), [row(1), row(2)], there)
    assert numbers(report) == {
        "meetings cancelled": "2", "people told": "10", "of them outside the organization": "2",
        "meeting left alone": "1", "held back because they changed": "0", "still in a calendar": "0",
    }  # fmt: skip
    assert verdict(report) == (
        "All 2 meetings were cancelled. All cancelled meetings are gone from their organizers' calendars."
    )
    assert report.notes == ()


def test_what_went_wrong_is_told_apart() -> None:
    """Held, refused, not recorded, not gone: each has its own number, and the meetings to look at come first."""
    there = {"total": 1, "gone": 0, "still_there": [{"event_id": "AAMk=1", "mailbox": "Ada@contoso.example"}]}
    report = build_report(
        plan(*map(meeting, range(1, 7))),
        [row(1), row(2, "changed"), row(3, "denied"), row(4, "already_cancelled"), row(5, "preview")],
        there,
    )
    assert numbers(report) == {
        "meeting cancelled": "1", "people told": "5", "of them outside the organization": "1",
        "meetings left alone": "0", "held back because it changed": "1", "still in a calendar": "1",
        "could not be cancelled": "1", "without a recorded outcome": "1", "had been cancelled before": "1",
        "previewed, and nothing sent": "1",
    }  # fmt: skip
    assert verdict(report) == (
        "2 of 6 meetings were not cancelled: changed 1, denied 1. 1 of 6 meetings was only previewed, and nothing was "
        "sent. The outcome of 1 of 6 meetings is not recorded. 1 meeting was still in a calendar at the verification."
    )
    page = read_html(to_html(report))
    assert [heading.text for heading in page.all("h2")] == [
        "Outcomes", "Needs a look (4)", "Previewed only (1)", "Done (1)"
    ]  # fmt: skip
    first = page.all("table", "events")[0].all("tbody")[0].all("tr")[0]
    assert [mark.text for mark in first.all("span", "mark")] == ["cancelled", "still in a calendar"]


def test_a_plan_alone_claims_nothing() -> None:
    """After a rejection nobody is said to have been told; after a failure nobody is said not to have been."""
    report = build_report(plan(meeting(1), meeting(2), left=LEFT))
    assert report.counts == {"no outcome recorded": 2}
    assert numbers(report) == {
        "meetings planned": "2", "people to be told": "10", "of them outside the organization": "2",
        "meeting left alone": "1",
    }  # fmt: skip
    assert verdict(report).startswith("No result was given: cancelling was rejected or skipped, has not run, or failed")
    assert "told" not in to_summary(report).replace("to be told", "")


def test_a_result_alone_is_enough() -> None:
    """Without a plan the ids, outcomes and request ids stand; what the plan would know is left out, not made up."""
    report = build_report(None, [row(1), row(2, "missing")])
    assert numbers(report)["people told"] == "?"
    assert verdict(report) == "1 of 2 meetings was not cancelled: missing 1."
    table = read_html(to_html(report)).all("table", "events")[0]
    assert [head.text for head in table.all("thead")[0].all("th")] == ["Organizer", "Outcome", "For support"]
    assert "request-1" in to_markdown(report)
    assert report.notes == ("How many people were told is not known for 1 of the cancelled meetings.",)


def test_rows_that_were_not_kept_are_counted_and_said_to_be_missing() -> None:
    """A result without a report file still gives counts, and no event counts twice."""
    report = build_report(
        plan(*map(meeting, range(10))), [row(1, "throttled")], counts={"cancelled": 8, "throttled": 1}
    )
    assert report.counts == {"cancelled": 8, "throttled": 1, "no outcome recorded": 1}
    assert report.total == 10
    assert report.notes[0].startswith("Rows are missing: the cancelling task counted 8 events (cancelled 8) without")
    assert numbers(report)["people told"] == "?"


def test_an_event_that_two_results_name_is_one_event() -> None:
    """Shards that overlap, or a second run: people were told once it says so; the other outcome is not hidden."""
    late = row(1, "throttled", at="2030-12-03T10:00:00+00:00", request_id="late", message="Later.")
    report = build_report(plan(meeting(1)), [late, row(1), row(1)])
    (event,) = report.events
    assert (event.outcome, event.request_id, report.counts) == ("cancelled", "request-1", {"cancelled": 1})
    assert event.message == (
        "Said Graph. Also recorded: throttled at 2030-12-03T10:00:00+00:00, request id late: Later."
    )


def test_an_event_that_is_in_no_plan_is_shown() -> None:
    """It says so, in the page and in the table; the same id in another mailbox is another event."""
    report = build_report(
        plan(meeting(1)), [row(1, mailbox="ben@contoso.example"), row(1, mailbox="ADA@contoso.example")]
    )
    assert [(event.mailbox, event.planned) for event in report.events] == [
        ("ada@contoso.example", True), ("ben@contoso.example", False)
    ]  # fmt: skip
    assert report.notes[0] == "Events that are not in the plan: 1."
    assert [line["in_plan"] for line in read_csv(to_csv(report))] == ["yes", "no"]
    assert "not in the plan" in flat(read_html(to_html(report)).text)


def test_a_verification_that_does_not_name_all_is_not_smoothed_over() -> None:
    """The sensor names at most a hundred; and it may have looked at fewer events than were cancelled."""
    there = {"total": 1, "gone": 0, "still_there": []}
    report = build_report(plan(meeting(1), meeting(2)), [row(1), row(2)], there)
    assert (report.not_gone, numbers(report)["still in a calendar"]) == (1, "1")
    assert report.notes == (
        "The verification found more events still there than it names: 1 more.",
        "The verification looked at fewer events (1) than were cancelled (2).",
    )


def test_a_meeting_that_the_plan_names_twice_is_one() -> None:
    """So it is for the cancelling task, too."""
    report = build_report(plan(meeting(1), meeting(1)), [row(1)])
    assert (report.total, report.people) == (1, 5)
    assert report.notes == ("Rows of the plan that name an event again, which is counted once: 1.",)


def test_a_whole_series_is_not_mistaken_for_one_date() -> None:
    """Past dates went with it, which an auditor must see."""
    report = build_report(plan(meeting(1, scope="series", type="seriesMaster"), meeting(2, type="occurrence")))
    for text in (to_markdown(report), to_html(report)):
        assert text.count("whole series") == text.count("one date of a series") == 1
    assert [line["scope"] for line in read_csv(to_csv(report))] == ["series", "dates"]


def test_every_word_is_explained() -> None:
    """Who reads a report never saw the pipeline."""
    assert set(OUTCOMES) == {*map(str, Outcome), "no outcome recorded"}
    assert set(REASONS) == {*map(str, Reason), TAKEN_OUT}


@pytest.mark.parametrize(
    ("material", "sentence"),
    [
        (({"meetings": "AAMk=1"}, None, None), "the plan has no list of rows under 'meetings'"),
        (({}, None, None), "the plan has no list of rows under 'meetings'"),
        ((plan(), ["AAMk=1"], None), "row 0 of the result is str, not a mapping"),
        ((plan(), None, {"still_there": 3}), "the verification has no list of rows under 'still_there'"),
    ],
)
def test_what_is_no_plan_or_result_is_refused(material: Any, sentence: str) -> None:
    """A report of something else would be believed."""
    with pytest.raises(ValueError, match=sentence):
        build_report(*material)


def test_nothing_to_cancel_is_a_report_too() -> None:
    """An empty plan that was carried out, in every format."""
    report = build_report(plan(), [], {"total": 0, "gone": 0, "still_there": []})
    assert verdict(report) == "There was nothing to cancel."
    assert len(read_csv(to_csv(report))) == 0
    assert read_html(to_html(report)).all("table") == []
