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
from airflow_graph_cancel.graph.model.plan import Excluded, Meeting, Plan, PlanRow, Reason, plan_rows
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA
from tests.support.meetings import planned

MADE = datetime(2030, 1, 1, 12, tzinfo=UTC)
WINDOW = Window(datetime(2030, 1, 7, tzinfo=UTC), datetime(2030, 1, 9, tzinfo=UTC), "Europe/London")


def document(*meetings: Meeting) -> dict[str, Any]:
    """A plan as a task returns it."""
    plan = Plan(WINDOW, meetings or (planned(1), planned(2), planned(3)), (), MADE)
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
    """A change to any field of any row invalidates the plan."""
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
            plan["meetings"].append(planned(9).as_row())
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
    """A plan older than its limit is refused, because calendars have changed since."""
    plan = document()
    day = timedelta(hours=24)
    assert plan_rows(plan, max_age=day, now=MADE + day)
    assert plan_rows(plan, max_age=None, now=MADE + 99 * day)
    with pytest.raises(InvalidInputError, match=r"24.0 hours old|25.0 hours old"):
        plan_rows(plan, max_age=day, now=MADE + timedelta(hours=25))
    with pytest.raises(InvalidInputError, match=r"2\.5 days old, more than plan_max_age \(48 hours\)"):
        plan_rows(plan, max_age=2 * day, now=MADE + 2.5 * day)


@pytest.mark.parametrize("broken", [{}, {"meetings": []}, {"meetings": {}, "digest": "x"}, {"digest": "x"}])
def test_what_is_no_plan_is_refused(broken: dict[str, object]) -> None:
    """A mapping that is something else must not look like a plan with nothing in it."""
    with pytest.raises(InvalidInputError, match="not a plan"):
        rows(broken)


def test_a_plan_that_does_not_say_when_it_was_made_is_refused() -> None:
    """Its age could be anything; without a limit it does not matter."""
    for made_at in (None, "yesterday", "2030-01-01T12:00:00"):
        plan = document()
        plan["made_at"] = made_at
        with pytest.raises(InvalidInputError, match="does not say when it was made"):
            rows(plan)


def test_only_a_few_of_the_unknown_ids_are_named() -> None:
    """The message names the first unknown ids and counts the others."""
    with pytest.raises(InvalidInputError, match=r"not in this plan. .*: A, B, C and 2 more\. Nothing"):
        rows(document(), without="EDCBA")
    with pytest.raises(InvalidInputError, match=r": A, B, C\. Nothing"):
        rows(document(), without="CBA")


def test_a_row_is_read_as_it_was_written() -> None:
    """By the cancelling, the approval and the report, which must all understand the same."""
    for written in (planned(), planned(subject="", rooms=())):
        row = written.as_row()
        read = PlanRow.from_row(json.loads(json.dumps(row)))
        assert read.as_row() == row
        assert (read.event_id, read.user_id, read.uid, read.change_key) == ("AAMk1=", ADA, "uid-1", "k1")
        assert (read.start, read.end) == ("2030-01-07T09:01:00+00:00", "2030-01-07T10:01:00+00:00")
        assert (read.rooms, read.people, read.outside, read.subject) == (written.rooms, 3, 1, written.subject)
        assert (read.type, read.scope, read.reason, read.organizer) == ("singleInstance", "dates", None, None)


@pytest.mark.parametrize("event_id", [None, "AAMk="])
def test_an_excluded_meeting_names_its_event_only_if_it_was_found(event_id: str | None) -> None:
    """With the mailbox in which it is."""
    start = datetime(2030, 1, 7, 10, tzinfo=UTC)
    row = Excluded(Reason.KEPT, "uid", ADA, start, start, ("oak@contoso.example",), event_id).as_row()
    assert row == {
        "reason": "kept", "iCalUId": "uid", "organizer": ADA, "rooms": ["oak@contoso.example"],
        "start": "2030-01-07T10:00:00+00:00", "end": "2030-01-07T10:00:00+00:00",
        **({"event_id": "AAMk=", "user_id": ADA} if event_id else {}),
    }  # fmt: skip


def test_a_row_from_a_feed_may_lack_anything() -> None:
    """Numbers and lists of another type count as missing, other values are taken as text."""
    assert PlanRow.from_row({}) == PlanRow()
    assert PlanRow().as_row() == {"rooms": []}
    odd = PlanRow.from_row({"event_id": 7, "people": "3", "outside": True, "rooms": "oak", "subject": 5, "x": "y"})
    assert odd == PlanRow(event_id="7", subject="5")


def test_a_plan_counts_for_its_approver() -> None:
    """Organizers whatever their case; people as often as they are told."""
    plan = Plan(WINDOW, (planned(), planned(2, user_id=ADA.upper()), planned(3, scope="series", dates=4)), (), MADE)
    assert plan.totals == {"meetings": 3, "people": 9, "outside_people": 3, "series_dates": 4, "organizers": 1}
