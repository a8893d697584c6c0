"""202 means "accepted": the sensor passes when the meetings are gone, and names those that are not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowSkipException

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor
from airflow_graph_cancel.triggers.cancelled import GraphEventsCancelledTrigger

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun
    from airflow.triggers.base import TriggerEvent

    from airflow_graph_cancel.sandbox.client import Sandbox

ADA, BEN = "ada@contoso.example", "ben@contoso.example"
WHEN = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}
Rows = list[dict[str, str]]


@pytest.fixture
def rows(sandbox: Sandbox) -> Rows:
    """Three meetings of Ada's."""
    for address in (ADA, BEN):
        sandbox.add_mailbox(address)
    made = [sandbox.create_event(organizer=ADA, subject="Review", attendees=[BEN], **WHEN) for _ in range(3)]
    return [{"event_id": event["copies"][ADA], "user_id": ADA} for event in made]


def cancel(events: object, **arguments: Any) -> dict[str, Any]:
    """Cancel by hand."""
    return asyncio.run(GraphCancelEventsOperator(task_id="cancel", events=events, **arguments).aexecute({}))


def returned(run: DagRun, task_id: str = "wait") -> Any:
    """What a task returned."""
    (task,) = [task for task in run.get_task_instances() if task.task_id == task_id]
    return task.xcom_pull(task_ids=task_id)


def state(run: DagRun, task_id: str = "wait") -> str:
    """How a task ended."""
    (task,) = [task for task in run.get_task_instances() if task.task_id == task_id]
    return str(task.state)


@pytest.mark.parametrize("deferrable", [True, False])
def test_it_waits_until_all_are_gone(
    sandbox: Sandbox, rows: Rows, run_dag: Callable[..., DagRun], tmp_path: Path, deferrable: bool
) -> None:
    """Where the effect comes some seconds after the 202, in the triggerer or on the worker."""
    sandbox.settings(guesses={"effect_delay": 3})
    with DAG(dag_id=f"waits_{deferrable}") as dag:
        done = GraphCancelEventsOperator(task_id="cancel", events=rows, report_path=str(tmp_path / "report.jsonl"))
        GraphEventsCancelledSensor(task_id="wait", events=done.output, poke_interval=1, deferrable=deferrable)
    run = run_dag(dag)
    verified = returned(run)
    assert (verified["total"], verified["gone"], verified["still_there"]) == (3, 3, [])
    asked = [request for request in sandbox.requests(method="GET") if "/events/" in request["path"]]
    assert len(asked) > len(rows)
    assert len(sandbox.messages()) == 3


def test_it_fails_and_names_what_is_not_gone(sandbox: Sandbox, rows: Rows, run_dag: Callable[..., DagRun]) -> None:
    """When the time is over: a success would be a promise that nobody can keep. A report can say which they were."""
    cancel(rows[:2])
    with DAG(dag_id="never_gone") as dag:
        GraphEventsCancelledSensor(task_id="wait", events=rows, poke_interval=1, timeout=2)
    run = run_dag(dag)
    assert state(run) == "failed"
    (task,) = run.get_task_instances()
    seen = task.xcom_pull(task_ids="wait", key="verification")
    assert (seen["total"], seen["gone"]) == (3, 2)
    assert [row["event_id"] for row in seen["still_there"]] == [rows[2]["event_id"]]
    sensor = GraphEventsCancelledSensor(task_id="wait", events=rows, timeout=2)
    still_there = {"event_id": rows[2]["event_id"], "mailbox": ADA, "message": f"There is {rows[2]['event_id']}."}
    event, context = {"total": 3, "still_there": [still_there]}, {"ti": Mock()}
    with pytest.raises(AirflowSensorTimeout, match=f"1 of 3 events are not gone after 2 s.*{rows[2]['event_id']}"):
        sensor.execute_complete(context, event)
    softly = GraphEventsCancelledSensor(task_id="wait", events=rows, timeout=2, soft_fail=True)
    with pytest.raises(AirflowSkipException, match="1 of 3"):
        softly.execute_complete(context, event)


def test_a_trigger_that_says_nothing_is_no_success(rows: Rows) -> None:
    """A trigger can end without an event in Airflow; that must not look like all is well."""
    sensor = GraphEventsCancelledSensor(task_id="wait", events=rows)
    for event in (None, {}, {"still_there": None}, "done"):
        with pytest.raises(RuntimeError, match="without reporting"):
            sensor.execute_complete({}, event)


def test_only_what_was_cancelled_is_waited_for(sandbox: Sandbox, rows: Rows, tmp_path: Path) -> None:
    """What the cancelling task held back or could not find will not go away by waiting."""
    events = [*rows[:1], {"event_id": "AAMkAGNotHere12345=", "user_id": ADA}]
    result = cancel(events, on_missing="succeed", report_path=str(tmp_path / "report.jsonl"))
    sensor = GraphEventsCancelledSensor(task_id="wait", events=str(result), deferrable=False)
    found = sensor.poke({})
    assert found.is_done
    assert found.xcom_value["total"] == 1


def test_the_results_of_mapped_tasks_are_one(sandbox: Sandbox, rows: Rows, tmp_path: Path) -> None:
    """As shards return them."""
    results = [cancel([row], report_path=str(tmp_path / f"{place}.jsonl")) for place, row in enumerate(rows)]
    assert GraphEventsCancelledSensor(task_id="wait", events=results).poke({}).xcom_value["gone"] == 3


def test_a_result_without_a_report_is_refused(sandbox: Sandbox, rows: Rows) -> None:
    """It does not say which events it was about; waiting for none of them would always pass."""
    result = cancel(rows)
    with pytest.raises(AirflowFailException, match="report_path"):
        GraphEventsCancelledSensor(task_id="wait", events=result).poke({})


def test_nothing_to_wait_for_passes(sandbox: Sandbox) -> None:
    """An empty plan's cancellation has nothing to be verified."""
    assert GraphEventsCancelledSensor(task_id="wait", events=cancel([])).poke({}).xcom_value["total"] == 0


@pytest.mark.parametrize("events", ["None", None, {"a": 1}, [None], ["None"]], ids=repr)
def test_what_is_no_list_is_refused(sandbox: Sandbox, events: object) -> None:
    """A template that rendered nothing is not nothing to wait for."""
    with pytest.raises(AirflowFailException):
        GraphEventsCancelledSensor(task_id="wait", events=events).poke({})


def test_what_cannot_be_read_is_not_gone(sandbox: Sandbox, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox out of scope shows nothing; that is no proof."""
    sandbox.settings(out_of_scope=[ADA])
    connection = json.dumps({**sandbox.connection, "login": "sandbox-scoped"})
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", connection)
    (first, *_) = GraphEventsCancelledSensor(task_id="wait", events=rows).poke({}).xcom_value["still_there"]
    assert "refuses access" in first["message"]


def test_looking_is_batched_and_only_looking(sandbox: Sandbox, rows: Rows) -> None:
    """Thousands are looked at in a few requests, and nothing is changed."""
    GraphEventsCancelledSensor(task_id="wait", events=rows).poke({})
    alone = [request for request in sandbox.requests() if request["batch"] is None]
    assert [request["path"] for request in alone] == ["/v1.0/$batch"]
    assert {request["method"] for request in sandbox.requests() if request["batch"] is not None} == {"GET"}


def first_event(trigger: GraphEventsCancelledTrigger) -> TriggerEvent:
    """Run a trigger as the triggerer does, made anew from what it says of itself."""
    path, arguments = trigger.serialize()
    assert path == f"{GraphEventsCancelledTrigger.__module__}.GraphEventsCancelledTrigger"
    again = GraphEventsCancelledTrigger(**json.loads(json.dumps(arguments)))

    async def run() -> TriggerEvent:
        async for event in again.run():
            return event
        raise AssertionError("no event")

    return asyncio.run(run())


def trigger(rows: Rows, until: str) -> GraphEventsCancelledTrigger:
    """A trigger for these rows."""
    return GraphEventsCancelledTrigger(list(rows), len(rows), "graph_calendar_default", None, 0.2, until, 64)


def test_a_trigger_rides_out_faults(sandbox: Sandbox, rows: Rows) -> None:
    """A look that fails is repeated; a login that is down for a while too."""
    cancel(rows)
    sandbox.expire_tokens()
    sandbox.add_fault("503", times=2, match={"path": "/oauth2/"})
    assert first_event(trigger(rows, "2099-01-01T00:00:00+00:00")).payload == {"total": 3, "still_there": []}


def test_a_trigger_ends_in_time(sandbox: Sandbox, rows: Rows) -> None:
    """With what is left; it does not wait for another interval."""
    payload = first_event(trigger(rows, "2020-01-01T00:00:00+00:00")).payload
    assert [row["event_id"] for row in payload["still_there"]] == [row["event_id"] for row in rows]
