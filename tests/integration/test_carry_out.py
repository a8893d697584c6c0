"""An approved plan is carried out to the letter: what was altered is refused, what has changed is held."""

from __future__ import annotations

import json
import ssl
import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airflow_graph_cancel.graph.errors import TryLaterError
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from tests.support.connections import set_connection
from tests.support.contoso import ADA, BEACON, BEN, CYD, NOT_HERE
from tests.support.plans import WEEK, Plan, book, cancelled, carry_out, find
from tests.support.reports import outcome_rows
from tests.support.task_state import TaskStateStore

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.client import Sandbox


def change(sandbox: Sandbox, owner: str, event_id: str, **properties: object) -> None:
    """Change an event in its organizer's calendar, as Outlook would."""
    trust = ssl.create_default_context(cafile=str(sandbox.ca))
    form = {
        "grant_type": "client_credentials", "client_id": "sandbox-app", "client_secret": "sandbox-secret",
        "scope": "https://graph.microsoft.com/.default",
    }  # fmt: skip
    tenant = sandbox.connection["extra"]["tenant_id"]
    with urllib.request.urlopen(
        f"{sandbox.url}/{tenant}/oauth2/v2.0/token", urlencode(form).encode(), context=trust
    ) as answer:
        token = json.load(answer)["access_token"]
    request = urllib.request.Request(
        f"{sandbox.url}/v1.0/users/{quote(owner)}/events/{quote(event_id)}",
        json.dumps(properties).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="PATCH",
    )
    urllib.request.urlopen(request, context=trust).close()


def test_a_plan_as_it_stands(tower: Sandbox) -> None:
    """One message for each of its rows, and none for anything else."""
    mine = [book(tower), book(tower, CYD), book(tower)]
    book(tower, start="2030-01-09T10:00:00Z", end="2030-01-09T11:00:00Z")
    assert carry_out(find())["counts"] == {"cancelled": 3}
    assert sorted(cancelled(tower)) == sorted(mine)


class TestRefusedWhole:
    """Nothing is sent, not even for the rows that are fine."""

    @pytest.fixture
    def plan(self, tower: Sandbox) -> Plan:
        """Two meetings."""
        book(tower)
        book(tower, CYD)
        return find()

    def refused(self, tower: Sandbox, plan: object, said: str, **arguments: Any) -> None:
        """Assert that the plan is refused before any request."""
        before = len(tower.requests())
        with pytest.raises(AirflowFailException, match=said):
            carry_out(plan, **arguments)
        assert len(tower.requests()) == before

    def test_an_altered_plan(self, tower: Sandbox, plan: Plan) -> None:
        """A well-intended correction was not approved either."""
        plan["meetings"][0]["event_id"] = plan["meetings"][1]["event_id"]
        self.refused(tower, plan, "altered")

    def test_an_old_plan(self, tower: Sandbox, plan: Plan) -> None:
        """An approval that comes after a day is for another calendar."""
        self.refused(tower, plan, "hours old", plan_max_age=timedelta(0))

    def test_something_else(self, tower: Sandbox, plan: Plan) -> None:
        """Rows without their digest do not count as a plan."""
        self.refused(tower, {"meetings": plan["meetings"]}, "not a plan")

    def test_a_slip_in_what_is_taken_out(self, tower: Sandbox, plan: Plan) -> None:
        """Somebody believes to have saved a meeting."""
        self.refused(tower, plan, "not in this plan.*AAMkAGNotHere12345=", without=[NOT_HERE])

    def test_too_many_people(self, tower: Sandbox, plan: Plan) -> None:
        """The number comes from the plan, without reading the events."""
        self.refused(tower, plan, "2 people would get a message", max_people=1)


@pytest.mark.parametrize("native", [True, False])
def test_what_is_taken_out_is_spared(tower: Sandbox, native: bool) -> None:
    """By the ids that an approver names, as a list or as a template's text."""
    spared, other = book(tower), book(tower, CYD)
    result = carry_out(find(), without=[spared] if native else str([spared]))
    assert (result["total"], cancelled(tower)) == (1, [other])


def test_what_has_changed_is_held(tower: Sandbox, tmp_path: Path) -> None:
    """Nobody approved the meeting as it is now: it is reported and stays, the rest goes, the task passes."""
    moved, other = book(tower), book(tower, CYD)
    plan = find()
    change(tower, ADA, moved, subject="Review, now with the board")
    report = tmp_path / "report.jsonl"
    result = carry_out(plan, report_path=str(report))
    assert result["counts"] == {"cancelled": 1, "changed": 1}
    assert cancelled(tower) == [other]
    rows = {row["event_id"]: row for row in outcome_rows(report)}
    assert rows[moved]["outcome"] == "changed"
    assert "changeKey" in rows[moved]["message"]
    assert rows[other]["rooms"] == [BEACON]


def test_what_has_changed_is_cancelled_if_somebody_wants_that(tower: Sandbox) -> None:
    """A closure that cannot wait does not look."""
    moved = book(tower)
    plan = find()
    change(tower, ADA, moved, subject="Review, now with the board")
    before = len(tower.requests(method="GET"))
    assert carry_out(plan, if_changed="cancel")["counts"] == {"cancelled": 1}
    assert len(tower.requests(method="GET")) == before
    with pytest.raises(ValueError, match="if_changed"):
        GraphCancelEventsOperator(task_id="cancel", events=plan, if_changed="held")  # type: ignore[arg-type]


def test_what_is_gone_is_missing(tower: Sandbox) -> None:
    """An event that somebody else cancelled is neither held as changed nor counted as cancelled by this task."""
    book(tower)
    plan = find()
    carry_out(plan)
    with pytest.raises(AirflowFailException, match="missing 1"):
        carry_out(plan)
    assert len(cancelled(tower)) == 1


def test_dates_of_a_series_do_not_hold_each_other(tower: Sandbox) -> None:
    """Cancelling one date changes the change key of all, so all are compared before the first is sent."""
    book(tower, recurrence={"type": "daily", "interval": 1, "count": 7})
    plan = find(**WEEK)
    assert carry_out(plan)["counts"] == {"cancelled": 7}
    assert len(set(cancelled(tower))) == 7


@pytest.mark.parametrize("moved", [False, True])
def test_two_closures_of_one_series_both_take_place(tower: Sandbox, moved: bool) -> None:
    """The second finds another key through the first; a date that really is another one is held all the same."""
    book(tower, recurrence={"type": "daily", "interval": 1, "count": 3})
    first, second = find(), find(start="2030-01-08T00:00:00Z", end="2030-01-09T00:00:00Z")
    assert carry_out(first)["counts"] == {"cancelled": 1}
    if moved:
        start, end = ({"dateTime": f"2030-01-08T{hour}:00:00", "timeZone": "UTC"} for hour in (15, 16))
        change(tower, ADA, second["meetings"][0]["event_id"], start=start, end=end)
    assert carry_out(second)["counts"] == ({"changed": 1} if moved else {"cancelled": 1})
    assert len(cancelled(tower)) == (1 if moved else 2)


@pytest.mark.parametrize("moved", [False, True])
def test_a_series_that_was_begun_is_finished_by_the_retry(tower: Sandbox, moved: bool) -> None:
    """Its key is another one through our own work; a date that really is another one is held all the same."""
    book(tower, recurrence={"type": "daily", "interval": 1, "count": 3})
    plan, store = find(**WEEK), TaskStateStore()
    first, second, third = (row["event_id"] for row in plan["meetings"])
    for late in (second, third):
        tower.add_fault("429", times=None, retry_after="120", match={"event_id": late, "method": "POST"})
    with pytest.raises(TaskDeferred):
        carry_out(plan, store)
    assert cancelled(tower) == [first]
    tower.clear_faults()
    if moved:
        start, end = ({"dateTime": f"2030-01-08T{hour}:00:00", "timeZone": "UTC"} for hour in (15, 16))
        change(tower, ADA, second, start=start, end=end)
    counts = carry_out(plan, store)["counts"]
    assert counts == ({"cancelled": 2, "changed": 1} if moved else {"cancelled": 3})
    assert cancelled(tower) == ([first, third] if moved else [first, second, third])


def test_what_has_changed_is_held_on_a_retry_too(tower: Sandbox) -> None:
    """A single meeting's key changes only through others; the exception for dates of a begun series does not apply."""
    first, second, third = (book(tower, owner) for owner in (ADA, BEN, CYD))
    plan, store = find(), TaskStateStore()
    for late in (second, third):
        tower.add_fault("429", times=None, retry_after="120", match={"event_id": late, "method": "POST"})
    with pytest.raises(TaskDeferred):
        carry_out(plan, store)
    tower.clear_faults()
    change(tower, CYD, third, subject="Must take place")
    assert carry_out(plan, store)["counts"] == {"cancelled": 2, "changed": 1}
    assert sorted(cancelled(tower)) == sorted([first, second])


def test_what_somebody_else_cancelled_between_two_tries_is_not_ours(tower: Sandbox) -> None:
    """Its request was refused for certain; nobody may claim to have sent it."""
    mine, theirs = book(tower), book(tower, CYD)
    rows, store = [{"event_id": mine, "user_id": ADA}, {"event_id": theirs, "user_id": CYD}], TaskStateStore()
    tower.add_fault("429", times=None, retry_after="120", match={"event_id": theirs, "method": "POST"})
    with pytest.raises(TaskDeferred):
        carry_out(rows, store)
    tower.clear_faults()
    carry_out([rows[1]])
    with pytest.raises(AirflowFailException, match="cancelled 1, missing 1"):
        carry_out(rows, store)


def test_what_cannot_be_looked_at_is_not_sent(tower: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that cannot be read cannot be compared with what was approved."""
    book(tower)
    other = book(tower, CYD)
    plan = find()
    tower.settings(out_of_scope=[ADA])
    set_connection(monkeypatch, tower, login="sandbox-scoped")
    with pytest.raises(AirflowFailException, match="cancelled 1, denied 1"):
        carry_out(plan)
    assert cancelled(tower) == [other]


def test_a_look_that_is_refused_keeps_the_event_from_being_sent(tower: Sandbox) -> None:
    """Even if the cancellation itself would pass."""
    odd, other = book(tower), book(tower, CYD)
    tower.add_fault("400-invalid-recipients", times=1, match={"event_id": odd, "method": "GET"})
    with pytest.raises(AirflowFailException, match="cancelled 1, invalid 1"):
        carry_out(find())
    assert cancelled(tower) == [other]


def test_what_could_not_be_looked_at_yet_is_left_for_the_retry(tower: Sandbox) -> None:
    """The rest is cancelled; the retry looks again."""
    late, other = book(tower), book(tower, CYD)
    plan, store = find(), TaskStateStore()
    tower.add_fault("503", times=None, match={"event_id": late, "method": "GET"})
    with pytest.raises(TryLaterError):
        carry_out(plan, store, retry_for=1)
    assert cancelled(tower) == [other]
    tower.clear_faults()
    assert carry_out(plan, store)["counts"] == {"cancelled": 2}
    assert cancelled(tower) == [other, late]


def test_a_lost_answer_is_no_change(tower: Sandbox) -> None:
    """What our own request took away is ours, whatever the look for changes finds on the retry."""
    event = book(tower)
    plan, store = find(), TaskStateStore()
    tower.add_fault("503", times=1, after_effect=True, match={"event_id": event, "method": "POST"})
    tower.add_fault("503", times=None, match={"event_id": event, "method": "GET"})
    with pytest.raises(TryLaterError):
        carry_out(plan, store, retry_for=1, if_changed="cancel")
    tower.clear_faults()
    assert carry_out(plan, store)["counts"] == {"cancelled": 1}
    assert cancelled(tower) == [event]


def test_a_connection_for_previews_only_carries_nothing_out(tower: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searching works through it, sending does not."""
    book(tower)
    set_connection(monkeypatch, tower, extra={"preview_only": True})
    assert carry_out(find())["counts"] == {"preview": 1}
    assert not tower.messages()
