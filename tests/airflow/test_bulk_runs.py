"""Many events in one task of a DAG run: from XCom, with a report, retried by Airflow, counted on the asset."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import DAG, Asset, task

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from tests.support.contoso import NOT_HERE, Rows, rows_of
from tests.support.reports import outcome_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox


def test_through_a_dag_run(sandbox: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
    """Events from XCom, own comments, a report, counts on the asset: as a pipeline uses it."""
    rows = rows_of(sandbox, 3, 2)
    rows[0] |= {"comment": "Water damage.", "room": "Beacon"}
    done = Asset("x-closures://done")
    with DAG("cancel_many", schedule=None) as dag:

        @task
        def find() -> Rows:
            return rows

        GraphCancelEventsOperator(
            task_id="cancel", events=find(), comment="Closed on {{ dag_run.conf['day'] }}.", outlets=[done],
            report_path=str(tmp_path / "{{ dag_run.conf['day'] }}.jsonl"),
        )  # fmt: skip
    dag_run = run_dag(dag, day="2030-01-07")
    instance = next(each for each in dag_run.get_task_instances() if each.task_id == "cancel")
    result = instance.xcom_pull(task_ids="cancel")
    assert (str(instance.state), result["counts"]) == ("success", {"cancelled": 5})
    comments = {message["event_id"]: message["comment"] for message in sandbox.messages()}
    assert comments == {
        row["event_id"]: "Water damage." if "comment" in row else "Closed on 2030-01-07." for row in rows
    }
    lines = outcome_rows(tmp_path / "2030-01-07.jsonl")
    assert [line["event_id"] for line in lines] == [row["event_id"] for row in rows]
    assert {"mailbox", "outcome", "request_id", "attempts", "at", "message", "user_id"} <= lines[0].keys()


def test_retries_are_left_to_airflow_after_the_services_delay(sandbox: Sandbox, run_dag: Callable[..., DagRun]) -> None:
    """The policy obeys Graph's delay and the state carries over: two tries, one message each."""
    rows = rows_of(sandbox, 3)
    sandbox.add_fault("429", times=3, retry_after="1", match={"path": "/cancel$"})
    with DAG("retrying_many", schedule=None) as dag:
        GraphCancelEventsOperator(
            task_id="cancel", events=rows, comment="Closed.", retries=1, retry_delay=timedelta(hours=1), retry_for=0
        )
    (instance,) = run_dag(dag).get_task_instances()
    assert (str(instance.state), instance.try_number) == ("success", 2)
    assert len(sandbox.messages()) == 3


def test_the_assets_event_carries_the_counts(sandbox: Sandbox, run_dag: Callable[..., DagRun]) -> None:
    """A DAG that is scheduled on the asset learns what was done without reading the XCom of another DAG."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    rows = rows_of(sandbox, *[10] * 6)
    wrong = {"event_id": NOT_HERE, "user_id": rows[0]["user_id"]}
    with DAG("cancel_with_outlet", schedule=None) as dag:
        GraphCancelEventsOperator(
            task_id="cancel", events=[*rows, wrong], on_missing="succeed", outlets=[Asset("x-closures://told")]
        )
    assert run_dag(dag).state == "success"
    with create_session() as session:
        extras = session.scalars(select(AssetEvent.extra).where(AssetEvent.source_dag_id == "cancel_with_outlet")).all()
    assert extras == [{"total": 61, "cancelled": 60, "missing": 1}]
