"""The report at the end of a DAG run: after success, a rejection, mapped tasks and a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG, ObjectStoragePath, task

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from airflow_graph_cancel.operators.report import GraphCancelReportOperator
from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor
from airflow_graph_cancel.sharding import shard_by_mailbox
from tests.support.contoso import ADA, BEACON, BEN, CYD, GUEST, NOT_HERE
from tests.support.dag_runs import returned
from tests.support.plans import book
from tests.support.report_cases import read_csv, read_html

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

DAY: dict[str, Any] = {
    "start": "2030-01-07T00:00:00+01:00",
    "end": "2030-01-08T00:00:00+01:00",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
def booked(tower: Sandbox) -> Sandbox:
    """Three meetings in Beacon of two organizers, one of which nobody else attends."""
    for organizer, attendees in ((ADA, [BEN, GUEST]), (CYD, [BEN]), (ADA, [])):
        book(tower, organizer, subject="Secret talks", attendees=attendees)
    return tower


def test_at_the_end_of_a_closure(
    booked: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Found, cancelled, verified: report and ledger agree on who was told, and no log names them."""
    reports = str(tmp_path / "not" / "there" / "yet")
    with DAG("closure_report", schedule=None, params={"reports": reports, "day": "7 January"}) as dag:
        # [START report]
        find = GraphFindEventsOperator(
            task_id="find",
            building="North Tower",
            start="2030-01-07",
            end="2030-01-08",
            timezone="Europe/Berlin",
            min_people=1,
        )
        cancel = GraphCancelEventsOperator(
            task_id="cancel",
            events=find.output,
            comment="North Tower is closed on 7 January.",
            report_path="{{ params.reports }}/{{ run_id }}.jsonl",
        )
        gone = GraphEventsCancelledSensor(task_id="gone", events=cancel.output)
        GraphCancelReportOperator(
            task_id="report",
            plan=find.output,
            result=cancel.output,
            verification=gone.output,
            title="North Tower closed on {{ params.day }}",
            report_path="{{ params.reports }}/{{ run_id }}",
            trigger_rule="none_failed",
        )
        # [END report]
    run = run_dag(dag)
    result = returned(run, "report")
    messages = booked.messages()
    told = [address for message in messages for address in message["recipients"] if address != BEACON]
    assert (result["total"], result["counts"], result["people"]) == (2, {"cancelled": 2}, 3)
    assert sorted(told) == [BEN, BEN, GUEST]
    assert (result["still_there"], sum(result["left"].values())) == (0, 1)
    assert list(result["files"]) == ["html", "csv", "md"]
    assert all(path == f"{reports}/{run.run_id}.{name}" for name, path in result["files"].items())
    lines = read_csv(ObjectStoragePath(result["files"]["csv"]).read_text(encoding="utf-8-sig"))
    cancelled = [line for line in lines if line["outcome"] == "cancelled"]
    assert {line["event_id"] for line in cancelled} == {message["event_id"] for message in messages}
    assert all(line["request_id"] and line["start"] == "2030-01-07T11:00:00+01:00" for line in cancelled)
    text = ObjectStoragePath(result["files"]["md"]).read_text(encoding="utf-8")
    assert text.startswith(result["summary"])
    assert text.startswith("# North Tower closed on 7 January\n")
    assert f"Made by: closure_report, {run.run_id}" in text.replace("\\", "")
    page = ObjectStoragePath(result["files"]["html"]).read_text(encoding="utf-8")
    assert len(read_html(page).all("table", "events")[0].all("tbody")[0].all("tr")) == 2
    assert not any(name in result["summary"] for name in (ADA, CYD, GUEST, BEACON, "Secret talks"))
    mine = [line for line in capfd.readouterr().out.splitlines() if "report.GraphCancelReportOperator]" in line]
    assert any("Reported 2 events (cancelled 2); left alone: 1; files" in line for line in mine)
    assert not any(name in line for line in mine for name in (ADA, CYD, GUEST, BEACON, "Secret talks"))


def test_after_a_rejected_approval(booked: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
    """The cancelling was skipped: the report says what was planned, claims nothing, and the run passes."""
    with DAG("rejected", schedule=None) as dag:
        find = GraphFindEventsOperator(task_id="find", building="North Tower", **DAY, min_people=1)
        approve = ShortCircuitOperator(
            task_id="approve", python_callable=lambda: False, ignore_downstream_trigger_rules=False
        )
        cancel = GraphCancelEventsOperator(task_id="cancel", events=find.output)
        written = GraphCancelReportOperator(
            task_id="report", plan=find.output, result=cancel.output, report_path=str(tmp_path / "closure"),
            trigger_rule="none_failed",
        )  # fmt: skip
        text = GraphCancelReportOperator(
            task_id="text", plan="{{ ti.xcom_pull(task_ids='find') }}", result="{{ ti.xcom_pull(task_ids='cancel') }}",
            trigger_rule="none_failed",
        )  # fmt: skip
        find >> approve >> cancel >> [written, text]
    run = run_dag(dag)
    assert str(run.state) == "success"
    result = returned(run, "report")
    assert (result["total"], result["counts"], result["people"]) == (2, {"no outcome recorded": 2}, 0)
    assert "cancelling was rejected or skipped" in result["summary"]
    assert {**returned(run, "text"), "files": result["files"]} == result
    assert booked.messages() == []


def test_after_mapped_tasks(booked: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
    """One report of all of them, in the order of their meetings."""
    with DAG("mapped", schedule=None) as dag:
        find = GraphFindEventsOperator(task_id="find", building="North Tower", **DAY)

        @task
        def shards(plan: dict[str, Any]) -> list[dict[str, Any]]:
            parts = shard_by_mailbox(plan["meetings"], 2)
            return [
                {"events": part, "report_path": str(tmp_path / f"{number}.jsonl")} for number, part in enumerate(parts)
            ]

        cancel = GraphCancelEventsOperator.partial(task_id="cancel", comment="Closed.").expand_kwargs(
            shards(find.output)  # type: ignore[arg-type]
        )
        GraphCancelReportOperator(
            task_id="report", plan=find.output, result=cancel.output, report_path=str(tmp_path / "r"), formats=["csv"]
        )
    result = returned(run_dag(dag), "report")
    total = len(booked.messages())
    assert (result["counts"], result["total"]) == ({"cancelled": total}, total)
    lines = read_csv((tmp_path / "r.csv").read_text(encoding="utf-8-sig"))
    assert all(line["request_id"] for line in lines if line["record"] == "meeting")


def test_after_a_failed_task(booked: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
    """A task that fails returns nothing, but its report has all rows: given by its path they are reported."""
    path = "{{ params.reports }}/rows.jsonl"
    with DAG("failed", schedule=None, params={"reports": str(tmp_path)}) as dag:
        find = GraphFindEventsOperator(task_id="find", building="North Tower", **DAY, min_people=1)

        @task
        def spoil(plan: dict[str, Any]) -> list[dict[str, Any]]:
            return [*plan["meetings"], {"event_id": NOT_HERE, "user_id": ADA}]

        spoilt = spoil(find.output)  # type: ignore[arg-type]
        cancel = GraphCancelEventsOperator(task_id="cancel", events=spoilt, report_path=path)
        late = GraphCancelReportOperator(
            task_id="report", plan=find.output, result=path, report_path="{{ params.reports }}/closure.html",
            formats=["html"], trigger_rule="all_done",
        )  # fmt: skip
        cancel >> late
    result = returned(run_dag(dag), "report")
    assert result["counts"] == {"cancelled": 2, "missing": 1}
    assert result["files"] == {"html": f"{tmp_path}/closure.html"}
    assert "Events that are not in the plan: 1" in result["summary"]
