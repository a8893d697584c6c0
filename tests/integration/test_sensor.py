"""202 means "accepted": the sensor passes when the meetings are gone, and names those that are not."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor
from airflow_graph_cancel.triggers.cancelled import GraphEventsCancelledTrigger
from tests.support.connections import set_connection
from tests.support.contoso import NOT_HERE, Rows, organizer, rows_of
from tests.support.operators import cancel_events

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.triggers.base import TriggerEvent

    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.fixture
def rows(sandbox: Sandbox) -> Rows:
    """Three meetings of one organizer."""
    return rows_of(sandbox, 3)


def looked(events: object, **arguments: Any) -> dict[str, Any]:
    """Look once, and return what the task would if all were gone."""
    found = GraphEventsCancelledSensor(task_id="wait", events=events, **arguments).poke({})
    assert found.xcom_value
    assert found.is_done is (found.xcom_value["still_there"] == [])
    return dict(found.xcom_value)


def test_a_trigger_that_says_nothing_is_no_success(rows: Rows) -> None:
    """A trigger can end without an event in Airflow; that must not look like all is well."""
    sensor = GraphEventsCancelledSensor(task_id="wait", events=rows)
    for event in (None, {}, {"still_there": None}, "done"):
        with pytest.raises(RuntimeError, match="without reporting"):
            sensor.execute_complete({}, event)


def test_only_what_was_cancelled_is_waited_for(sandbox: Sandbox, rows: Rows, tmp_path: Path) -> None:
    """What the cancelling task held back or could not find will not go away by waiting."""
    events = [*rows[:1], {"event_id": NOT_HERE, "user_id": organizer(0)}]
    result = cancel_events(events, on_missing="succeed", report_path=str(tmp_path / "report.jsonl"))
    assert looked(str(result), deferrable=False)["total"] == 1


def test_the_results_of_mapped_tasks_are_one(sandbox: Sandbox, rows: Rows, tmp_path: Path) -> None:
    """A list of results, as shards return them, is verified as one."""
    results = [cancel_events([row], report_path=str(tmp_path / f"{place}.jsonl")) for place, row in enumerate(rows)]
    assert looked(results)["gone"] == 3


def test_a_result_without_a_report_is_refused(sandbox: Sandbox, rows: Rows) -> None:
    """It does not say which events it was about; waiting for none of them would always pass."""
    result = cancel_events(rows)
    with pytest.raises(AirflowFailException, match="report_path"):
        GraphEventsCancelledSensor(task_id="wait", events=result).poke({})


def test_nothing_to_wait_for_passes(sandbox: Sandbox) -> None:
    """An empty plan's cancellation has nothing to be verified."""
    assert looked(cancel_events([]))["total"] == 0


@pytest.mark.parametrize("events", ["None", None, {"a": 1}, [None], ["None"]], ids=repr)
def test_what_is_no_list_is_refused(sandbox: Sandbox, events: object) -> None:
    """A template that rendered nothing must not pass as an empty list."""
    with pytest.raises(AirflowFailException):
        GraphEventsCancelledSensor(task_id="wait", events=events).poke({})


def test_what_cannot_be_read_is_not_gone(sandbox: Sandbox, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mailbox out of scope shows nothing, which does not prove that the event is gone."""
    sandbox.settings(out_of_scope=[organizer(0)])
    set_connection(monkeypatch, sandbox, login="sandbox-scoped")
    (first, *_) = looked(rows)["still_there"]
    assert "refuses access" in first["message"]


def test_looking_is_batched_and_only_looking(sandbox: Sandbox, rows: Rows) -> None:
    """Thousands are looked at in a few requests, and nothing is changed."""
    GraphEventsCancelledSensor(task_id="wait", events=rows).poke({})
    alone = [request for request in sandbox.requests() if request["batch"] is None]
    assert [request["path"] for request in alone] == ["/v1.0/$batch"]
    assert {request["method"] for request in sandbox.requests() if request["batch"] is not None} == {"GET"}


def first_event(trigger: GraphEventsCancelledTrigger) -> TriggerEvent:
    """Run a trigger as the triggerer does: rebuilt from its serialized form."""
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
    return GraphEventsCancelledTrigger(
        [dict(row) for row in rows], len(rows), "graph_calendar_default", None, 0.2, until, 64
    )


def test_a_trigger_rides_out_faults(sandbox: Sandbox, rows: Rows) -> None:
    """A look that fails is repeated; a login that is down for a while too."""
    cancel_events(rows)
    sandbox.expire_tokens()
    sandbox.add_fault("503", times=2, match={"path": "/oauth2/"})
    assert first_event(trigger(rows, "2099-01-01T00:00:00+00:00")).payload == {"total": 3, "still_there": []}


def test_a_trigger_ends_in_time(sandbox: Sandbox, rows: Rows) -> None:
    """With what is left; it does not wait for another interval."""
    payload = first_event(trigger(rows, "2020-01-01T00:00:00+00:00")).payload
    assert [row["event_id"] for row in payload["still_there"]] == [row["event_id"] for row in rows]
