"""What became of the tasks of a DAG run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun


def state(run: DagRun, task_id: str) -> str:
    """Return how a task ended that is not mapped."""
    (instance,) = [each for each in run.get_task_instances() if each.task_id == task_id]
    return str(instance.state)


def returned(run: DagRun, task_id: str, key: str = "return_value") -> Any:
    """Return what a task that is not mapped pushed to XCom."""
    (instance,) = [each for each in run.get_task_instances() if each.task_id == task_id]
    return instance.xcom_pull(task_ids=task_id, key=key)
