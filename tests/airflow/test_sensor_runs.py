"""202 means accepted: a DAG run waits until the meetings are gone, and fails if they are not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor
from tests.support.contoso import organizer, rows_of
from tests.support.dag_runs import returned, state
from tests.support.operators import cancel_events, context_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.mark.parametrize("deferrable", [True, False])
def test_it_waits_until_all_are_gone(
    sandbox: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path, deferrable: bool
) -> None:
    """Where the effect comes some seconds after the 202, in the triggerer or on the worker."""
    rows = rows_of(sandbox, 3)
    sandbox.settings(guesses={"effect_delay": 3})
    with DAG(dag_id=f"waits_{deferrable}") as dag:
        done = GraphCancelEventsOperator(task_id="cancel", events=rows, report_path=str(tmp_path / "report.jsonl"))
        GraphEventsCancelledSensor(task_id="wait", events=done.output, poke_interval=1, deferrable=deferrable)
    run = run_dag(dag)
    verified = returned(run, "wait")
    assert (verified["total"], verified["gone"], verified["still_there"]) == (3, 3, [])
    asked = [request for request in sandbox.requests(method="GET") if "/events/" in request["path"]]
    assert len(asked) > len(rows)
    assert len(sandbox.messages()) == 3


def test_it_fails_and_names_what_is_not_gone(sandbox: Sandbox, run_dag: Callable[..., DagRun]) -> None:
    """When the time is over: a success would be a promise that nobody can keep. A report can say which they were."""
    rows = rows_of(sandbox, 3)
    cancel_events(rows[:2])
    with DAG(dag_id="never_gone") as dag:
        GraphEventsCancelledSensor(task_id="wait", events=rows, poke_interval=1, timeout=2)
    run = run_dag(dag)
    assert state(run, "wait") == "failed"
    seen = returned(run, "wait", key="verification")
    assert (seen["total"], seen["gone"]) == (3, 2)
    assert [row["event_id"] for row in seen["still_there"]] == [rows[2]["event_id"]]
    sensor = GraphEventsCancelledSensor(task_id="wait", events=rows, timeout=2)
    still_there = {
        "event_id": rows[2]["event_id"],
        "mailbox": organizer(0),
        "message": f"There is {rows[2]['event_id']}.",
    }
    event, context = {"total": 3, "still_there": [still_there]}, context_with(ti=Mock())
    with pytest.raises(AirflowSensorTimeout, match=f"1 of 3 events are not gone after 2 s.*{rows[2]['event_id']}"):
        sensor.execute_complete(context, event)
    softly = GraphEventsCancelledSensor(task_id="wait", events=rows, timeout=2, soft_fail=True)
    with pytest.raises(AirflowSkipException, match="1 of 3"):
        softly.execute_complete(context, event)
