"""The example that looks what the app can reach."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

    from airflow_graph_cancel.sandbox.client import Sandbox

EXAMPLE = Path(__file__).parents[2] / "example_dags" / "check_access.py"
AMARA, MARCUS = "amara.okafor@contoso.example", "marcus.bell@contoso.example"


@pytest.fixture
def example(airflow_db: None) -> DAG:
    """The DAG as Airflow loads it."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=EXAMPLE)
    assert bag.import_errors == {}
    return bag.dags["check_access"]


@pytest.mark.parametrize(("unwanted", "ends"), [([], "success"), ([MARCUS], "failed")])
def test_a_scope_that_is_open_fails_the_run(
    sandbox: Sandbox, example: DAG, run_dag: Callable[..., DagRun], unwanted: list[str], ends: str
) -> None:
    """Whoever watches the DAG hears of it."""
    sandbox.reset(tenant="sample")
    run = run_dag(example, mailboxes=[AMARA], must_not_reach=unwanted)
    assert str(run.state) == ends
    if ends == "success":
        (task,) = run.get_task_instances()
        assert task.xcom_pull(task_ids="check_access")["mailboxes"][0]["readable"] == "yes"
