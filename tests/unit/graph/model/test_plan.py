"""A plan is carried out as it stands, or not at all."""

from __future__ import annotations

import ast
import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.find.summary import summarize
from airflow_graph_cancel.graph.model.plan import Excluded, Meeting, Plan, Reason, plan_rows
from airflow_graph_cancel.graph.model.window import Window

MADE = datetime(2030, 1, 1, 12, tzinfo=UTC)
WINDOW = Window(datetime(2030, 1, 7, tzinfo=UTC), datetime(2030, 1, 9, tzinfo=UTC), "Europe/London")


def meeting(number: int = 1, **more: Any) -> Meeting:
    """A meeting of a plan."""
    start = datetime(2030, 1, 7, 10, tzinfo=UTC) + timedelta(minutes=number)
    arguments: dict[str, Any] = {
        "event_id": f"AAMk{number}=",
        "user_id": "ada@contoso.example",
        "uid": f"uid-{number}",
        "change_key": "k1",
        "start": start,
        "end": start + timedelta(hours=1),
        "rooms": ("beacon@contoso.example",),
        "people": 3,
        "outside": 1,
        "type": "singleInstance",
        "scope": "dates",
        **more,
    }
    return Meeting(**arguments)


def document(*meetings: Meeting) -> dict[str, Any]:
    """A plan as a task returns it."""
    plan = Plan(WINDOW, meetings or (meeting(1), meeting(2), meeting(3)), (), MADE)
    return plan.as_document(summarize(plan))


def rows(plan: object, **arguments: Any) -> list[dict[str, object]]:
    """The rows to be carried out, an hour after the plan was made."""
    assert isinstance(plan, dict)
    return plan_rows(plan, max_age=timedelta(hours=24), now=MADE + timedelta(hours=1), **arguments)


def test_a_plan_survives_its_way() -> None:
    """Through JSON, and through the text that a template makes of it."""
    plan = document()
    expected = plan["meetings"]
    assert rows(json.loads(json.dumps(plan))) == expected
    assert rows(ast.literal_eval(str(plan))) == expected


@given(
    row=st.integers(0, 2),
    change=st.sampled_from(
        [("event_id", "AAMkOther="), ("user_id", "eve@contoso.example"), ("people", 0), ("changeKey", "k2"), ("x", 1)]
    ),
)
def test_an_altered_row_refuses_the_whole(row: int, change: tuple[str, object]) -> None:
    """Whichever row, whatever of it."""
    plan = document()
    plan["meetings"][row][change[0]] = change[1]
    with pytest.raises(InvalidInputError, match="altered"):
        rows(plan)


@pytest.mark.parametrize("how", ["removed", "added", "swapped", "window", "made_at"])
def test_an_altered_plan_is_refused(how: str) -> None:
    """A row too few is as wrong as one too many: without is there for that."""
    plan = document()
    match how:
        case "removed":
            plan["meetings"].pop()
        case "added":
            plan["meetings"].append(meeting(9).as_row())
        case "swapped":
            plan["meetings"].reverse()
        case "window":
            plan["window"]["end"] = "2030-02-01T00:00:00+00:00"
        case "made_at":
            plan["made_at"] = "2030-01-01T12:30:00+00:00"
    with pytest.raises(InvalidInputError, match="altered"):
        rows(plan)


def test_what_is_said_about_a_plan_is_not_bound() -> None:
    """The summary may be translated, and what is left is not carried out anyway."""
    plan = document()
    plan["summary"], plan["left"] = "Drei Termine", []
    assert len(rows(plan)) == 3


def test_rows_can_be_taken_out() -> None:
    """An approver shortens the plan, and the rest stays bound."""
    plan = document()
    assert [row["event_id"] for row in rows(plan, without=["AAMk2="])] == ["AAMk1=", "AAMk3="]
    changed = copy.deepcopy(plan)
    changed["meetings"][0]["user_id"] = "eve@contoso.example"
    with pytest.raises(InvalidInputError, match="altered"):
        rows(changed, without=["AAMk2="])


def test_taking_out_what_is_not_there_is_refused() -> None:
    """Somebody who misspells an id believes to have saved a meeting."""
    with pytest.raises(InvalidInputError, match="AAMk9="):
        rows(document(), without=["AAMk9="])


def test_an_old_plan_is_refused() -> None:
    """Calendars move on."""
    plan = document()
    day = timedelta(hours=24)
    assert plan_rows(plan, max_age=day, now=MADE + day)
    assert plan_rows(plan, max_age=None, now=MADE + 99 * day)
    with pytest.raises(InvalidInputError, match=r"24.0 hours old|25.0 hours old"):
        plan_rows(plan, max_age=day, now=MADE + timedelta(hours=25))


@pytest.mark.parametrize("broken", [{}, {"meetings": []}, {"meetings": {}, "digest": "x"}, {"digest": "x"}])
def test_what_is_no_plan_is_refused(broken: dict[str, object]) -> None:
    """A mapping that is something else must not look like a plan with nothing in it."""
    with pytest.raises(InvalidInputError, match="not a plan"):
        rows(broken)


@given(text=st.text(max_size=40))
def test_a_summary_shows_strangers_text_as_text(text: str) -> None:
    """Subjects are other people's words: they add no cell, no row and no link to what an approver reads."""
    plan = Plan(WINDOW, (meeting(subject=text),), (), MADE)
    lines = summarize(plan).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 3
    bare = [line.replace("\\\\", "").replace("\\|", "") for line in table]
    assert {line.count("|") for line in bare} == {8}
    assert not any(mark in bare[2].replace("\\" + mark, "") for mark in "<>[]`")


def test_a_summary_says_what_matters_first() -> None:
    """How many meetings and people, how many outside, what is left and why, in the time of the place."""
    summer = Window(datetime(2030, 7, 7, tzinfo=UTC), datetime(2030, 7, 9, tzinfo=UTC), "Europe/London")
    start = datetime(2030, 7, 7, 10, tzinfo=UTC)
    plan = Plan(
        summer,
        (meeting(start=start, end=start + timedelta(hours=1)), meeting(2, scope="series", dates=2)),
        (Excluded(Reason.EXTERNAL, "uid-9", "nils@fabrikam.example", start, start, ("beacon@contoso.example",)),),
        MADE,
    )
    summary = summarize(plan)
    assert summary.startswith("**2 meetings** of 1 organizer, 6 people, 2 of them outside, Sun 2030-07-07 01:00 – ")
    assert "Sun 2030-07-07 11:00–12:00" in summary
    assert "1 whole series" in summary
    assert "those in the past" in summary
    assert "external organizer 1" in summary


def test_a_long_summary_ends() -> None:
    """An approver reads a page; the plan has them all."""
    summary = summarize(Plan(WINDOW, [meeting(number) for number in range(250)], (), MADE))
    heading_and_rule = 2
    assert summary.count("\n| ") == 100 + heading_and_rule
    assert "and 150 more" in summary
    assert "No meeting to cancel" in summarize(Plan(WINDOW, (), (), MADE))
