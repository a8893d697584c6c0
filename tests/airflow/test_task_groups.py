"""The whole way from finding to the report in one call, whatever goes wrong on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG, task, task_group

from airflow_graph_cancel.task_groups import cancel_with_approval
from tests.support.connections import set_connection
from tests.support.contoso import ADA, BEN
from tests.support.reports import csv_and_text

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

ROOMS = {"Oak House": "oak@contoso.example", "Elm House": "elm@contoso.example"}
DAY: dict[str, Any] = {"start": "2030-01-07T00:00", "end": "2030-01-08T00:00", "timezone": "Europe/London"}
Run = Callable[..., "DagRun"]


@pytest.fixture
def meeting(sandbox: Sandbox) -> dict[str, str]:
    """Ada meets Ben in each of two buildings: building to the id of her copy."""
    for address in (ADA, BEN):
        sandbox.add_mailbox(address)
    made = {}
    for building, room in ROOMS.items():
        sandbox.add_mailbox(room, kind="room", building=building)
        event = sandbox.create_event(
            organizer=ADA, subject="Review", attendees=[BEN], rooms=[room],
            start="2030-01-07T10:00:00Z", end="2030-01-07T11:00:00Z",
        )  # fmt: skip
        made[building] = event["copies"][ADA]
    return made


def states(run: DagRun, prefix: str = "cancel_meetings.") -> dict[str, str]:
    """How the tasks of a group ended."""
    return {
        f"{task.task_id.removeprefix(prefix)}{'' if task.map_index < 0 else task.map_index}": str(task.state)
        for task in run.get_task_instances()
        if task.task_id.startswith(prefix)
    }


def written(folder: Path, name: str = "cancel_meetings") -> tuple[list[dict[str, str]], str]:
    """A report's rows, and its text."""
    (file,) = folder.rglob(f"{name}.csv")
    return csv_and_text(file)


def group(dag_id: str, folder: Path, **arguments: Any) -> DAG:
    """A DAG of the group alone, which asks nobody."""
    with DAG(dag_id, schedule=None) as dag:
        given = {"building": "Oak House", "approve": False, "retries": 0, **DAY, **arguments}
        cancel_with_approval(report_folder=str(folder), **given)
    return dag


def test_all_of_it(sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path) -> None:
    """Found, cancelled, looked after, reported; the plan itself lies beside the report."""
    run = run_dag(group("whole_way", tmp_path, comment="Closed.", title="Oak House closed"))
    assert str(run.state) == "success"
    assert set(states(run).values()) == {"success"}
    (message,) = sandbox.messages()
    assert (message["event_id"], message["comment"]) == (meeting["Oak House"], "Closed.")
    rows, text = written(tmp_path)
    assert [(row["event_id"], row["outcome"]) for row in rows] == [(meeting["Oak House"], "cancelled")]
    assert text.startswith("# Oak House closed")
    assert "All cancelled meetings are gone" in text
    (plan,) = tmp_path.rglob("cancel_meetings.plan.json")
    assert json.loads(plan.read_text())["totals"]["meetings"] == 1


def test_nothing_to_cancel_is_no_failure(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path
) -> None:
    """The cancelling succeeds with nothing, and the report says so."""
    run = run_dag(group("nothing", tmp_path, start="2030-02-01T00:00", end="2030-02-02T00:00"))
    assert str(run.state) == "success"
    (cancel,) = [task for task in run.get_task_instances() if task.task_id.endswith(".cancel")]
    assert cancel.xcom_pull(task_ids=cancel.task_id)["total"] == 0
    assert "There was nothing to cancel." in written(tmp_path)[1]
    assert not sandbox.messages()


def test_what_is_not_gone_is_reported(sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path) -> None:
    """The sensor gives up, the run fails, and the report names what still stands there."""
    sandbox.settings(guesses={"effect_delay": 3600})
    briefly = {"wait_for": timedelta(seconds=2), "look_every": timedelta(seconds=1)}
    run = run_dag(group("never_gone_group", tmp_path, **briefly))
    assert str(run.state) == "failed"
    ended = states(run)
    assert (ended["cancel"], ended["wait"], ended["report"], ended["done"]) == (
        "success", "failed", "success", "upstream_failed",
    )  # fmt: skip
    (row,) = written(tmp_path)[0]
    assert row["outcome"] == "cancelled"
    assert meeting["Oak House"] in row["still_there"]


def test_a_failed_cancelling_is_reported_and_not_hidden(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path
) -> None:
    """The report succeeds and comes last; the run fails all the same, and nothing claims to have been sent."""
    run = run_dag(group("too_many", tmp_path, max_meetings=0))
    assert str(run.state) == "failed"
    ended = states(run)
    assert (ended["cancel"], ended["wait"], ended["report"]) == ("failed", "upstream_failed", "success")
    assert "This is what was planned, and not what was sent" in written(tmp_path)[1]
    assert not sandbox.messages()


def test_outcomes_of_a_failed_cancelling_are_in_the_report(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed task returns nothing, but what it did is known: one was cancelled, one was refused."""
    set_connection(monkeypatch, sandbox, "scoped", login="sandbox-scoped")
    sandbox.create_event(
        organizer=BEN, subject="Review", attendees=[ADA], rooms=[ROOMS["Oak House"]],
        start="2030-01-07T12:00:00Z", end="2030-01-07T13:00:00Z",
    )  # fmt: skip
    with DAG("halfway", schedule=None) as dag:

        @task
        def take_bens_mailbox_out_of_scope() -> None:
            sandbox.settings(out_of_scope=[BEN])

        tasks = cancel_with_approval(
            building="Oak House", report_folder=str(tmp_path), approve=False, conn_id="scoped", **DAY
        )
        tasks.find >> take_bens_mailbox_out_of_scope() >> tasks.cancel
    run = run_dag(dag)
    assert (str(run.state), states(run)["report"]) == ("failed", "success")
    rows, text = written(tmp_path)
    assert {row["organizer"]: row["outcome"] for row in rows} == {ADA: "cancelled", BEN: "denied"}
    assert "1 of 2 meetings was not cancelled: denied 1." in text


def test_without_a_plan_there_is_no_report(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path
) -> None:
    """Finding failed: one task says why, and not two."""
    run = run_dag(group("no_plan", tmp_path, building="Oak Hause"))
    assert str(run.state) == "failed"
    assert states(run) == {
        "find": "failed",
        "cancel": "upstream_failed",
        "wait": "upstream_failed",
        "report": "skipped",
        "done": "upstream_failed",
    }
    assert not list(tmp_path.iterdir())


def test_a_group_for_each_closure(sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path) -> None:
    """Mapped instances have their own windows, messages and files; a feed's text is never taken for a template."""
    rows = [
        {
            "building": building,
            "comment": "{{ 1 / 0 }} " + building,
            "title": "{{ conn.graph_calendar_default.password }}",
        }
        for building in ROOMS
    ]
    with DAG("mapped_closures", schedule=None) as dag:

        @task
        def read() -> list[dict[str, str]]:
            return rows

        @task_group
        def closure(building: str, comment: str, title: str) -> None:
            cancel_with_approval(
                building=building, comment=comment, title=title, report_folder=str(tmp_path), approve=False,
                group_id=None, **DAY,
            )  # fmt: skip

        closure.expand_kwargs(read())

    run = run_dag(dag)
    assert str(run.state) == "success"
    assert set(states(run, "closure.").values()) == {"success"}
    told = {message["event_id"]: message["comment"] for message in sandbox.messages()}
    assert told == {meeting[building]: "{{ 1 / 0 }} " + building for building in ROOMS}
    for index, building in enumerate(ROOMS):
        (row,), text = written(tmp_path, f"closure-{index}")
        assert row["event_id"] == meeting[building]
        assert text.startswith("# {{ conn.graph\\_calendar\\_default.password }}")


def test_one_failed_closure_of_several_fails_the_run(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path
) -> None:
    """Mapped too: the other closure is cancelled, the failed one is reported, and the run does not look fine."""
    sandbox.create_event(
        organizer=BEN, subject="One too many", attendees=[ADA], rooms=[ROOMS["Oak House"]],
        start="2030-01-07T12:00:00Z", end="2030-01-07T13:00:00Z",
    )  # fmt: skip
    with DAG("mapped_failure", schedule=None) as dag:

        @task_group
        def closure(building: str) -> None:
            cancel_with_approval(
                building=building, max_meetings=1, report_folder=str(tmp_path), approve=False, retries=0,
                group_id=None, **DAY,
            )  # fmt: skip

        closure.expand(building=list(ROOMS))

    run = run_dag(dag)
    assert str(run.state) == "failed"
    assert states(run, "closure.") == {
        "find0": "success", "cancel0": "failed", "wait0": "upstream_failed", "report0": "success",
        "done0": "upstream_failed",
        "find1": "success", "cancel1": "success", "wait1": "success", "report1": "success", "done1": "success",
    }  # fmt: skip
    assert [message["event_id"] for message in sandbox.messages()] == [meeting["Elm House"]]
    assert len(written(tmp_path, "closure-0")[0]) == 2


def test_a_group_that_a_branch_skips_is_skipped_to_its_end(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path
) -> None:
    """What comes after ``done`` may cancel as well: it must not start because nothing failed."""
    with DAG("branch_not_taken", schedule=None) as dag:

        @task.branch
        def neither() -> list[str]:
            return []

        first, second = (
            cancel_with_approval(
                building=building, report_folder=str(tmp_path), approve=False, group_id=building.split()[0].lower(),
                retries=0, **DAY,
            )
            for building in ROOMS
        )  # fmt: skip
        neither() >> first.find
        first.done >> second.find
    run = run_dag(dag)
    assert str(run.state) == "success"
    assert set(states(run, "oak.").values()) == set(states(run, "elm.").values()) == {"skipped"}
    assert not sandbox.requests()
    assert not list(tmp_path.iterdir())


def test_groups_of_one_dag_keep_apart(sandbox: Sandbox, meeting: dict[str, str], run_dag: Run, tmp_path: Path) -> None:
    """Two groups in a row write to the same folder and not into each other's files."""
    with DAG("two_groups", schedule=None) as dag:
        first, second = (
            cancel_with_approval(
                building=building,
                report_folder=str(tmp_path),
                approve=False,
                group_id=building.split()[0].lower(),
                **DAY,
            )
            for building in ROOMS
        )
        first.done >> second.find
    assert str(run_dag(dag).state) == "success"
    assert written(tmp_path, "oak")[0][0]["event_id"] == meeting["Oak House"]
    assert written(tmp_path, "elm")[0][0]["event_id"] == meeting["Elm House"]


def test_only_what_an_approver_saw_is_cancelled(tmp_path: Path) -> None:
    """Not what the finding task says, which may have been cleared and run again while its first plan was looked at."""
    dag = group("approved_only", tmp_path, approve=True)
    cancel: Any = dag.get_task("cancel_meetings.cancel")
    approve = dag.get_task("cancel_meetings.approve")
    assert (cancel.events.operator, cancel.events.key) == (approve, "plan")
    assert "cancel_meetings.approve" in cancel.without
    assert cancel.trigger_rule == "all_success"


def test_slips_are_found_when_the_dag_is_parsed(tmp_path: Path) -> None:
    """And not on the night when the building is closed."""
    with DAG("slips", schedule=None), pytest.raises(ValueError, match="response_timeout"):
        cancel_with_approval(building="Oak", report_folder="/x", response_timeout=timedelta(hours=24), **DAY)
    with DAG("slips", schedule=None):

        @task_group
        def closure(folder: str) -> None:
            cancel_with_approval(building="Oak", report_folder=folder, **DAY)

        with pytest.raises(ValueError, match="report_folder"):
            closure.expand(folder=["/x", "/y"])
