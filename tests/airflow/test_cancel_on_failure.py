"""The example of a review that is off when the pipeline fails."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

    from airflow_graph_cancel.sandbox.client import Sandbox

EXAMPLE = Path(__file__).parents[2] / "example_dags" / "cancel_on_failure.py"
REVIEW, AMARA = "AAMkAGNT-quarterly-business-review-0001=", "amara.okafor@contoso.example"


@pytest.fixture
def example(airflow_db: None) -> DAG:
    """The DAG as Airflow loads it."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=EXAMPLE)
    assert bag.import_errors == {}
    return bag.dags["cancel_on_failure"]


@pytest.mark.parametrize(("rows", "ends", "told"), [(0, "failed", 1), (7, "success", 0)], ids=["fails", "passes"])
def test_the_review_is_off_only_when_the_check_fails(
    sandbox: Sandbox, example: DAG, run_dag: Callable[..., DagRun], rows: int, ends: str, told: int
) -> None:
    """The run fails as it would without the callback, and the review's people hear once, with the date."""
    sandbox.reset(tenant="sample")
    run = run_dag(example, event_id=REVIEW, organizer=AMARA, rows=rows)
    assert str(run.state) == ends
    messages = sandbox.messages()
    assert [message["event_id"] for message in messages] == [REVIEW] * told
    assert all(f"{run.run_after:%Y-%m-%d}" in message["comment"] for message in messages)
