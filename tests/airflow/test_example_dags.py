"""Every example runs, and does what its text says."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

    from airflow_graph_cancel.sandbox.client import Sandbox

EXAMPLES = Path(__file__).parents[2] / "example_dags"
REVIEW = "AAMkAGNT-quarterly-business-review-0001="
AMARA, MARCUS = "amara.okafor@contoso.example", "marcus.bell@contoso.example"


@pytest.fixture
def examples(airflow_db: None) -> dict[str, DAG]:
    """The example DAGs as Airflow loads them; again for each test, since a run's conf stays in a DAG's params."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(dag_folder=EXAMPLES)
    assert bag.import_errors == {}
    return dict(bag.dags)


@pytest.fixture
def tenant(sandbox: Sandbox) -> Sandbox:
    """The sample tenant, which the examples' feeds are about."""
    sandbox.reset(tenant="sample")
    return sandbox


def feed() -> list[dict[str, str]]:
    """Both feeds' rows."""
    with (EXAMPLES / "data" / "closures.csv").open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, str]] = list(csv.DictReader(file))
    return rows + json.loads((EXAMPLES / "data" / "closures.json").read_text(encoding="utf-8"))


def test_the_demonstration_is_not_taken_for_dags(examples: dict[str, DAG]) -> None:
    """The folder holds the examples and nothing that Airflow would trip over."""
    assert set(examples) == {
        "cancel_one_meeting",
        "cancel_from_hook",
        "cancel_from_feed",
        "cancel_many",
        "cancel_on_failure",
        "check_access",
        "cancel_sharded",
        "facility_closure",
        "facility_closure_on_asset",
        "offboarding",
        "training_cancelled",
    }


def test_cancel_one_meeting(tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun]) -> None:
    """What is typed into the form is what is cancelled and what people read."""
    row = feed()[0]
    run = run_dag(
        examples["cancel_one_meeting"], event_id=row["event_id"], organizer=row["organizer"], comment="The pipes froze."
    )
    assert str(run.state) == "success"
    (message,) = tenant.messages()
    assert (message["event_id"], message["comment"]) == (row["event_id"], "The pipes froze.")


@pytest.mark.parametrize(("at_most", "outcome"), [(50, "cancelled"), (1, "preview")])
def test_cancel_from_hook(
    tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun], at_most: int, outcome: str
) -> None:
    """The hook in an async task cancels, or only reports when the task's own rule says so."""
    row = feed()[0]
    dag = examples["cancel_from_hook"]
    run = run_dag(dag, event_id=row["event_id"], organizer=row["organizer"], at_most=at_most)
    (task,) = run.get_task_instances()
    assert task.xcom_pull(task_ids="cancel_if_small")["outcome"] == outcome
    assert len(tenant.messages()) == (1 if outcome == "cancelled" else 0)


def test_cancel_from_feed(tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun]) -> None:
    """A mapped task a row, each with the row's own reason, and labels that a person can read."""
    run = run_dag(examples["cancel_from_feed"])
    assert str(run.state) == "success"
    rows = {row["event_id"]: row for row in feed()}
    messages = {message["event_id"]: message["comment"] for message in tenant.messages()}
    assert messages.keys() == rows.keys()
    assert all(rows[event_id]["reason"] in comment for event_id, comment in messages.items())
    assert all(comment.endswith(f"Contoso Facilities, {run.run_after:%Y-%m-%d}") for comment in messages.values())
    labels = {task.rendered_map_index for task in run.get_task_instances() if task.task_id == "cancel"}
    assert len(labels) == len(rows)
    assert "Beacon, amara.okafor" in labels


def test_cancel_many(tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
    """One task for the whole feed, each meeting with its own text, all of it in the report."""
    run = run_dag(examples["cancel_many"], reports=str(tmp_path))
    assert str(run.state) == "success"
    reasons = {row["event_id"]: row["reason"] for row in feed()}
    assert {message["event_id"] for message in tenant.messages()} == reasons.keys()
    assert all(reasons[message["event_id"]] in message["comment"] for message in tenant.messages())
    (report,) = tmp_path.iterdir()
    assert {json.loads(line)["outcome"] for line in report.read_text().splitlines()} == {"cancelled"}


def test_cancel_sharded(tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun]) -> None:
    """Two tasks share the work and no mailbox; together they report everything once."""
    run = run_dag(examples["cancel_sharded"])
    tasks = [task for task in run.get_task_instances() if task.task_id == "cancel"]
    totals = [task.xcom_pull(task_ids="cancel", map_indexes=task.map_index)["counts"] for task in tasks]
    assert len(tasks) == 2
    assert sum(counts["cancelled"] for counts in totals) == len(feed()) == len(tenant.messages())


def test_a_feed_cannot_run_templates(
    tenant: Sandbox,
    examples: dict[str, DAG],
    run_dag: Callable[..., DagRun],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Airflow renders what comes through expand_kwargs; a feed's author must not be able to read secrets with it."""
    row = {**feed()[0], "reason": "{{ 1 / 0 }}", "room": "{{ conn.graph_calendar_default.password }}"}
    hostile = {**row, "event_id": "AAMkAG{{ 1 / 0 }}", "organizer": "{{ conn.graph_calendar_default.password }}"}
    (tmp_path / "feed.json").write_text(json.dumps([row, hostile]))
    dag = examples["cancel_from_feed"]
    read_feeds: Any = dag.get_task("read_feeds")
    monkeypatch.setitem(read_feeds.python_callable.__globals__, "DATA", tmp_path)
    run = run_dag(dag, feeds=["feed.json"])
    states = {task.map_index: str(task.state) for task in run.get_task_instances() if task.task_id == "cancel"}
    assert states == {0: "success", 1: "failed"}
    (message,) = tenant.messages()
    assert "{{ 1 / 0 }}" in message["comment"]
    paths = [request["path"] for request in tenant.requests(method="POST", path="/cancel")]
    assert any("AAMkAG{{ 1 / 0 }}" in unquote(path) and "conn.graph" in unquote(path) for path in paths)
    assert not any("sandbox-secret" in path for path in paths)


def test_a_feed_may_come_late(tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun]) -> None:
    """A second run over the same feed finds the meetings gone: its tasks are skipped and nobody is told again."""
    run_dag(examples["cancel_from_feed"])
    tenant.clear_ledger()
    run = run_dag(examples["cancel_from_feed"])
    states = {str(task.state) for task in run.get_task_instances() if task.task_id == "cancel"}
    assert (str(run.state), states) == ("success", {"skipped"})
    assert not tenant.messages()


@pytest.mark.parametrize(("unwanted", "ends"), [([], "success"), ([MARCUS], "failed")])
def test_a_scope_that_is_open_fails_the_run(
    tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun], unwanted: list[str], ends: str
) -> None:
    """Airflow's alerts for failed runs report it."""
    run = run_dag(examples["check_access"], mailboxes=[AMARA], must_not_reach=unwanted)
    assert str(run.state) == ends
    if ends == "success":
        (task,) = run.get_task_instances()
        assert task.xcom_pull(task_ids="check_access")["mailboxes"][0]["readable"] == "yes"


@pytest.mark.parametrize(("rows", "ends", "told"), [(0, "failed", 1), (7, "success", 0)], ids=["fails", "passes"])
def test_the_review_is_off_only_when_the_check_fails(
    tenant: Sandbox, examples: dict[str, DAG], run_dag: Callable[..., DagRun], rows: int, ends: str, told: int
) -> None:
    """The run fails as it would without the callback, and the review's people hear once, with the date."""
    run = run_dag(examples["cancel_on_failure"], event_id=REVIEW, organizer=AMARA, rows=rows)
    assert str(run.state) == ends
    messages = tenant.messages()
    assert [message["event_id"] for message in messages] == [REVIEW] * told
    assert all(f"{run.run_after:%Y-%m-%d}" in message["comment"] for message in messages)
