"""A plan on its way through a DAG run: from the finding task to the cancelling one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import DAG

from airflow_graph_cancel.hooks.storage import load_plan
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from tests.support.contoso import BEACON, CYD, LANTERN
from tests.support.plans import DAY, book, cancelled, ids

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox


def test_a_plan_on_its_way_through_airflow(tower: Sandbox, run_dag: Callable[..., DagRun]) -> None:
    """By XCom, natively or as a template's text."""
    mine = [book(tower), book(tower, CYD)]
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


def test_a_long_plan_goes_to_a_file_by_itself(
    tower: Sandbox, run_dag: Callable[..., DagRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand rows are too much for Airflow's database; nobody has to know beforehand."""
    monkeypatch.setattr("airflow_graph_cancel.hooks.storage.MOST_ROWS", 1)
    for _ in range(2):
        book(tower)
    with DAG(dag_id="long_plan") as dag:
        found = GraphFindEventsOperator(task_id="find", building="North Tower", **DAY)
        GraphCancelEventsOperator(task_id="cancel", events=found.output)
    tasks = {task.task_id: task for task in run_dag(dag).get_task_instances()}
    pointer = tasks["find"].xcom_pull(task_ids="find")
    assert "meetings" not in pointer
    assert len(ids(load_plan(pointer))) == 2
    assert tasks["cancel"].xcom_pull(task_ids="cancel")["counts"] == {"cancelled": 2}


def test_templates(tower: Sandbox, run_dag: Callable[..., DagRun]) -> None:
    """Everything that a feed delivers can come from the run's conf, as text or natively."""
    made = book(tower)
    with DAG(dag_id="templated_find") as dag:
        GraphFindEventsOperator(
            task_id="find",
            rooms="{{ dag_run.conf['rooms'] }}",
            start="{{ dag_run.conf['day'] }}",
            end="{{ macros.ds_add(dag_run.conf['day'], 1) }}",
            timezone="{{ dag_run.conf['zone'] }}",
            keep="{{ dag_run.conf['keep'] }}",
        )
    run = run_dag(dag, rooms=[BEACON, LANTERN], day="2030-01-07", zone="Europe/London", keep=["*drill*"])
    (task,) = run.get_task_instances()
    assert ids(task.xcom_pull(task_ids="find")) == {made}
