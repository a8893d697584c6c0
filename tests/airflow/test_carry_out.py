"""An approved plan is carried out to the letter: what was altered is refused, what has changed is held."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.request
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airflow_graph_cancel.graph.errors import TryLaterError
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.operators.find import GraphFindEventsOperator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

ADA, BEN, CYD = (f"{name}@contoso.example" for name in ("ada", "ben", "cyd"))
BEACON = "beacon@contoso.example"
DAY = {"start": "2030-01-07T00:00:00Z", "end": "2030-01-08T00:00:00Z"}
WEEK = {"start": "2030-01-07T00:00:00Z", "end": "2030-01-14T00:00:00Z"}
WHEN = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}

Plan = dict[str, Any]


class Store(dict[str, Any]):
    """What the operator needs of Airflow's task state store."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value as JSON would."""
        self[key] = json.loads(json.dumps(value))


@pytest.fixture
def tower(sandbox: Sandbox) -> Sandbox:
    """Three people and a room."""
    for address in (ADA, BEN, CYD):
        sandbox.add_mailbox(address)
    sandbox.add_mailbox(BEACON, kind="room", building="North Tower")
    return sandbox


def meet(sandbox: Sandbox, organizer: str = ADA, **more: Any) -> str:
    """Make a meeting; return the id of the organizer's copy."""
    arguments = {"organizer": organizer, "subject": "Review", "attendees": [BEN], "rooms": [BEACON], **WHEN, **more}
    return str(sandbox.create_event(**arguments)["copies"][organizer])


def find(**window: str) -> Plan:
    """Make a plan of what takes place in North Tower."""
    operator = GraphFindEventsOperator(task_id="find", building="North Tower", **(window or DAY))
    return dict(json.loads(json.dumps(asyncio.run(operator.aexecute({})))))


def carry_out(plan: object, store: Store | None = None, **arguments: Any) -> dict[str, Any]:
    """Carry a plan out."""
    operator = GraphCancelEventsOperator(task_id="cancel", events=plan, comment="Closed.", **arguments)
    return asyncio.run(operator.aexecute({"task_state_store": store if store is not None else Store()}))


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


def cancelled(sandbox: Sandbox) -> list[str]:
    """The events of which people were told that they are cancelled."""
    return [message["event_id"] for message in sandbox.messages() if message["kind"] == "cancellation"]


def test_a_plan_as_it_stands(tower: Sandbox) -> None:
    """One message for each of its rows, and none for anything else."""
    mine = [meet(tower), meet(tower, CYD), meet(tower)]
    meet(tower, start="2030-01-09T10:00:00Z", end="2030-01-09T11:00:00Z")
    assert carry_out(find())["counts"] == {"cancelled": 3}
    assert sorted(cancelled(tower)) == sorted(mine)


def test_a_plan_on_its_way_through_airflow(tower: Sandbox, run_dag: Callable[..., DagRun]) -> None:
    """By XCom, natively or as a template's text."""
    mine = [meet(tower), meet(tower, CYD)]
    with DAG(dag_id="plan_by_xcom") as dag:
        found = GraphFindEventsOperator(task_id="find", building="North Tower", **DAY)
        text = GraphCancelEventsOperator(
            task_id="preview", events="{{ ti.xcom_pull(task_ids='find') }}", preview=True, max_people=2
        )
        found >> text >> GraphCancelEventsOperator(task_id="cancel", events=found.output)
    tasks = {task.task_id: task for task in run_dag(dag).get_task_instances()}
    assert tasks["preview"].xcom_pull(task_ids="preview")["counts"] == {"preview": 2}
    assert tasks["cancel"].xcom_pull(task_ids="cancel")["counts"] == {"cancelled": 2}
    assert sorted(cancelled(tower)) == sorted(mine)


class TestRefusedWhole:
    """Nothing is sent, not even for the rows that are fine."""

    @pytest.fixture
    def plan(self, tower: Sandbox) -> Plan:
        """Two meetings."""
        meet(tower)
        meet(tower, CYD)
        return find()

    def refused(self, tower: Sandbox, plan: object, said: str, **arguments: Any) -> None:
        """Hold that it is, without a look."""
        before = len(tower.requests())
        with pytest.raises(AirflowFailException, match=said):
            carry_out(plan, **arguments)
        assert len(tower.requests()) == before

    def test_an_altered_plan(self, tower: Sandbox, plan: Plan) -> None:
        """Somebody's well-meant correction is not what was approved."""
        plan["meetings"][0]["event_id"] = plan["meetings"][1]["event_id"]
        self.refused(tower, plan, "altered")

    def test_an_old_plan(self, tower: Sandbox, plan: Plan) -> None:
        """An approval that comes after a day is for another calendar."""
        self.refused(tower, plan, "hours old", plan_max_age=timedelta(0))

    def test_something_else(self, tower: Sandbox, plan: Plan) -> None:
        """Rows that lost their digest are no plan any more."""
        self.refused(tower, {"meetings": plan["meetings"]}, "not a plan")

    def test_a_slip_in_what_is_taken_out(self, tower: Sandbox, plan: Plan) -> None:
        """Somebody believes to have saved a meeting."""
        self.refused(tower, plan, "not in this plan.*AAMkAGNotHere=", without=["AAMkAGNotHere="])

    def test_too_many_people(self, tower: Sandbox, plan: Plan) -> None:
        """The plan knows how many without a look."""
        self.refused(tower, plan, "2 people would get a message", max_people=1)


@pytest.mark.parametrize("native", [True, False])
def test_what_is_taken_out_is_spared(tower: Sandbox, native: bool) -> None:
    """By the ids that an approver names, as a list or as a template's text."""
    spared, other = meet(tower), meet(tower, CYD)
    result = carry_out(find(), without=[spared] if native else str([spared]))
    assert (result["total"], cancelled(tower)) == (1, [other])


def test_what_has_changed_is_held(tower: Sandbox, tmp_path: Path) -> None:
    """Nobody approved the meeting as it is now: it is reported and stays, the rest goes, the task passes."""
    moved, other = meet(tower), meet(tower, CYD)
    plan = find()
    change(tower, ADA, moved, subject="Review, now with the board")
    report = tmp_path / "report.jsonl"
    result = carry_out(plan, report_path=str(report))
    assert result["counts"] == {"cancelled": 1, "changed": 1}
    assert cancelled(tower) == [other]
    rows = {row["event_id"]: row for row in map(json.loads, report.read_text().splitlines())}
    assert rows[moved]["outcome"] == "changed"
    assert "changeKey" in rows[moved]["message"]
    assert rows[other]["rooms"] == [BEACON]


def test_what_has_changed_is_cancelled_if_somebody_wants_that(tower: Sandbox) -> None:
    """A closure that cannot wait does not look."""
    moved = meet(tower)
    plan = find()
    change(tower, ADA, moved, subject="Review, now with the board")
    before = len(tower.requests(method="GET"))
    assert carry_out(plan, if_changed="cancel")["counts"] == {"cancelled": 1}
    assert len(tower.requests(method="GET")) == before
    with pytest.raises(ValueError, match="if_changed"):
        GraphCancelEventsOperator(task_id="cancel", events=plan, if_changed="held")  # type: ignore[arg-type]


def test_what_is_gone_is_missing(tower: Sandbox) -> None:
    """Somebody else was faster: that is no change to be held, and no success of ours."""
    meet(tower)
    plan = find()
    carry_out(plan)
    with pytest.raises(AirflowFailException, match="missing 1"):
        carry_out(plan)
    assert len(cancelled(tower)) == 1


def test_dates_of_a_series_do_not_hold_each_other(tower: Sandbox) -> None:
    """Cancelling one date changes the change key of all; they were all looked at before."""
    meet(tower, recurrence={"type": "daily", "interval": 1, "count": 7})
    plan = find(**WEEK)
    assert carry_out(plan)["counts"] == {"cancelled": 7}
    assert len(set(cancelled(tower))) == 7


@pytest.mark.parametrize("moved", [False, True])
def test_two_closures_of_one_series_both_take_place(tower: Sandbox, moved: bool) -> None:
    """The second finds another key through the first; a date that really is another one is held all the same."""
    meet(tower, recurrence={"type": "daily", "interval": 1, "count": 3})
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
    meet(tower, recurrence={"type": "daily", "interval": 1, "count": 3})
    plan, store = find(**WEEK), Store()
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
    """A single meeting is no date of a series that this task has begun: its key changes through others alone."""
    first, second, third = (meet(tower, owner) for owner in (ADA, BEN, CYD))
    plan, store = find(), Store()
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
    mine, theirs = meet(tower), meet(tower, CYD)
    rows, store = [{"event_id": mine, "user_id": ADA}, {"event_id": theirs, "user_id": CYD}], Store()
    tower.add_fault("429", times=None, retry_after="120", match={"event_id": theirs, "method": "POST"})
    with pytest.raises(TaskDeferred):
        carry_out(rows, store)
    tower.clear_faults()
    carry_out([rows[1]])
    with pytest.raises(AirflowFailException, match="cancelled 1, missing 1"):
        carry_out(rows, store)


def test_what_cannot_be_looked_at_is_not_sent(tower: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a look nobody knows whether it still is what was approved."""
    meet(tower)
    other = meet(tower, CYD)
    plan = find()
    tower.settings(out_of_scope=[ADA])
    connection = json.dumps({**tower.connection, "login": "sandbox-scoped"})
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", connection)
    with pytest.raises(AirflowFailException, match="cancelled 1, denied 1"):
        carry_out(plan)
    assert cancelled(tower) == [other]


def test_a_look_that_is_refused_keeps_the_event_from_being_sent(tower: Sandbox) -> None:
    """Even if the cancellation itself would pass."""
    odd, other = meet(tower), meet(tower, CYD)
    tower.add_fault("400-invalid-recipients", times=1, match={"event_id": odd, "method": "GET"})
    with pytest.raises(AirflowFailException, match="cancelled 1, invalid 1"):
        carry_out(find())
    assert cancelled(tower) == [other]


def test_what_could_not_be_looked_at_yet_is_left_for_the_retry(tower: Sandbox) -> None:
    """The rest is cancelled; the retry looks again."""
    late, other = meet(tower), meet(tower, CYD)
    plan, store = find(), Store()
    tower.add_fault("503", times=None, match={"event_id": late, "method": "GET"})
    with pytest.raises(TryLaterError):
        carry_out(plan, store, retry_for=1)
    assert cancelled(tower) == [other]
    tower.clear_faults()
    assert carry_out(plan, store)["counts"] == {"cancelled": 2}
    assert cancelled(tower) == [other, late]


def test_a_lost_answer_is_no_change(tower: Sandbox) -> None:
    """What our own request took away is ours, whatever the look for changes finds on the retry."""
    event = meet(tower)
    plan, store = find(), Store()
    tower.add_fault("503", times=1, after_effect=True, match={"event_id": event, "method": "POST"})
    tower.add_fault("503", times=None, match={"event_id": event, "method": "GET"})
    with pytest.raises(TryLaterError):
        carry_out(plan, store, retry_for=1, if_changed="cancel")
    tower.clear_faults()
    assert carry_out(plan, store)["counts"] == {"cancelled": 1}
    assert cancelled(tower) == [event]


def test_a_connection_for_previews_only_carries_nothing_out(tower: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searching works through it, sending does not."""
    meet(tower)
    connection = dict(tower.connection)
    connection["extra"] = {**connection["extra"], "preview_only": True}
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps(connection))
    assert carry_out(find())["counts"] == {"preview": 1}
    assert not tower.messages()
