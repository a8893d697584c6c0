"""The report at the end of a pipeline: of whatever there is, for people, and with nothing about people in the log."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG, ObjectStoragePath, task

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.hooks.files import write_whole
from airflow_graph_cancel.hooks.storage import save_plan
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from airflow_graph_cancel.operators.report import GraphCancelReportOperator
from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor
from airflow_graph_cancel.sharding import shard_by_mailbox
from tests.support.report_cases import meeting, plan, read_csv, read_html, row

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

ADA, BEN, CYD = (f"{name}@contoso.example" for name in ("ada", "ben", "cyd"))
GUEST = "guest@fabrikam.example"
BEACON = "beacon@contoso.example"
DAY = {"start": "2030-01-07T00:00:00+01:00", "end": "2030-01-08T00:00:00+01:00", "timezone": "Europe/Berlin"}
WHEN = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}


@pytest.fixture
def tower(sandbox: Sandbox) -> Sandbox:
    """Two organizers, a room, three meetings in it, one of which nobody else attends."""
    for address in (ADA, BEN, CYD):
        sandbox.add_mailbox(address)
    sandbox.add_mailbox(BEACON, kind="room", building="North Tower")
    for organizer, attendees in ((ADA, [BEN, GUEST]), (CYD, [BEN]), (ADA, [])):
        sandbox.create_event(organizer=organizer, subject="Secret talks", attendees=attendees, rooms=[BEACON], **WHEN)
    return sandbox


def returned(run: DagRun, task_id: str = "report") -> Any:
    """What a task of a run returned."""
    (instance,) = [each for each in run.get_task_instances() if each.task_id == task_id]
    assert str(instance.state) == "success"
    return instance.xcom_pull(task_ids=task_id)


def report(**arguments: Any) -> dict[str, Any]:
    """Run the operator by hand."""
    return GraphCancelReportOperator(task_id="report", **arguments).execute({})


def cancelling(tmp_path: Path, *rows: dict[str, Any], name: str = "rows.jsonl") -> dict[str, Any]:
    """What a cancelling task returned that had a report_path."""
    path = tmp_path / name
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    counts = {
        outcome: sum(each["outcome"] == outcome for each in rows) for outcome in {each["outcome"] for each in rows}
    }
    return {"total": len(rows), "counts": counts, "unsettled": [], "report": str(path)}


def test_at_the_end_of_a_closure(
    tower: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path, capfd: pytest.CaptureFixture[str]
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
    result = returned(run)
    messages = tower.messages()
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
    assert any("2 events (cancelled 2), 1 left, files" in line for line in mine)
    assert not any(name in line for line in mine for name in (ADA, CYD, GUEST, BEACON, "Secret talks"))


def test_after_a_rejected_approval(tower: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
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
    result = returned(run)
    assert (result["total"], result["counts"], result["people"]) == (2, {"no outcome recorded": 2}, 0)
    assert "cancelling was rejected or skipped" in result["summary"]
    assert {**returned(run, "text"), "files": result["files"]} == result
    assert tower.messages() == []


def test_after_mapped_tasks(tower: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
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
            shards(find.output)
        )
        GraphCancelReportOperator(
            task_id="report", plan=find.output, result=cancel.output, report_path=str(tmp_path / "r"), formats=["csv"]
        )
    result = returned(run_dag(dag))
    total = len(tower.messages())
    assert (result["counts"], result["total"]) == ({"cancelled": total}, total)
    lines = read_csv((tmp_path / "r.csv").read_text(encoding="utf-8-sig"))
    assert all(line["request_id"] for line in lines if line["record"] == "meeting")


def test_after_a_failed_task(tower: Sandbox, run_dag: Callable[..., DagRun], tmp_path: Path) -> None:
    """A task that fails returns nothing, but its report has all rows: given by its path they are reported."""
    path = "{{ params.reports }}/rows.jsonl"
    with DAG("failed", schedule=None, params={"reports": str(tmp_path)}) as dag:
        find = GraphFindEventsOperator(task_id="find", building="North Tower", **DAY, min_people=1)

        @task
        def spoil(plan: dict[str, Any]) -> list[dict[str, Any]]:
            return [*plan["meetings"], {"event_id": "AAMkAGNotHere12345=", "user_id": ADA}]

        cancel = GraphCancelEventsOperator(task_id="cancel", events=spoil(find.output), report_path=path)
        late = GraphCancelReportOperator(
            task_id="report", plan=find.output, result=path, report_path="{{ params.reports }}/closure.html",
            formats=["html"], trigger_rule="all_done",
        )  # fmt: skip
        cancel >> late
    result = returned(run_dag(dag))
    assert result["counts"] == {"cancelled": 2, "missing": 1}
    assert result["files"] == {"html": f"{tmp_path}/closure.html"}
    assert "Events that are not in the plan: 1" in result["summary"]


def test_a_plan_in_a_file(tmp_path: Path) -> None:
    """What stands for a long plan in XCom will do, also as text."""
    pointer = save_plan(plan(meeting(1), meeting(2)), str(tmp_path / "plan.json"))
    results = [cancelling(tmp_path, row(1), row(2))]
    assert report(plan=pointer, result=results)["people"] == 10
    assert report(plan=str(pointer), result=json.dumps(results))["people"] == 10


def test_several_results(tmp_path: Path) -> None:
    """Mapped tasks' results, some of them skipped, and paths beside them, count together."""
    second = cancelling(tmp_path, row(2), row(3, "denied"), name="second.jsonl")
    result = report(plan=plan(*map(meeting, range(4))), result=(cancelling(tmp_path, row(1)), None, second["report"]))
    assert result["counts"] == {"cancelled": 2, "denied": 1, "no outcome recorded": 1}


def test_what_an_approver_took_out_and_said(tmp_path: Path) -> None:
    """It is left with that reason, nobody has to look at it, and who approved is said."""
    result = report(
        plan=plan(meeting(1), meeting(2)), result=cancelling(tmp_path, row(1)), without=["AAMk=2"],
        note="Approved by the facility manager.",
    )  # fmt: skip
    assert (result["total"], result["counts"]) == (1, {"cancelled": 1})
    assert result["left"] == {"taken out by the approver": 1}
    assert "Approved by the facility manager." in result["summary"]
    assert report(plan=plan(meeting(1)), without="None", note="None")["left"] == {}


def test_an_empty_plan_that_was_carried_out() -> None:
    """Nothing to cancel is a result, and not the lack of one."""
    result = report(plan=plan(), result={"total": 0, "counts": {}, "unsettled": [], "report": None})
    assert (result["total"], result["counts"]) == (0, {})
    assert "There was nothing to cancel." in result["summary"]


def test_rows_that_were_not_kept(tmp_path: Path) -> None:
    """A result without a report file gives counts and what is unsettled; that the rest is missing is said."""
    counts = {"cancelled": 2, "throttled": 1}
    counted = {"total": 3, "counts": counts, "unsettled": [row(3, "throttled")], "report": None}
    result = report(plan=plan(*map(meeting, range(1, 4))), result=counted, report_path=str(tmp_path / "r"))
    assert result["counts"] == counts
    assert "Rows are missing: the cancelling task counted 2 events (cancelled 2)" in result["summary"]
    assert (tmp_path / "r.html").read_text(encoding="utf-8").count("Rows are missing") == 1


def test_mapped_tasks_that_wrote_to_one_path(tmp_path: Path) -> None:
    """The last one's rows are read once, and the others' are said to be missing."""
    first = cancelling(tmp_path, row(1), row(2))
    last = cancelling(tmp_path, row(3))
    result = report(result=[first, last])
    assert (result["total"], result["counts"]) == (3, {"cancelled": 3})
    assert "counted 2 events (cancelled 2) without keeping their rows" in result["summary"]


def test_what_is_still_there(tmp_path: Path) -> None:
    """Counted in what the task returns, and named in the files."""
    there = {"total": 2, "gone": 1, "still_there": [{"event_id": "AAMk=2", "mailbox": ADA, "message": "There."}]}
    result = report(
        plan=plan(meeting(1), meeting(2)), result=cancelling(tmp_path, row(1), row(2)), verification=str(there),
        report_path=str(tmp_path / "r"),
    )  # fmt: skip
    assert result["still_there"] == 1
    (line,) = [line for line in read_csv((tmp_path / "r.csv").read_text("utf-8-sig")) if line["still_there"]]
    assert (line["event_id"], line["still_there"]) == ("AAMk=2", "There.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({}, "There is nothing to report on: neither a plan nor a result."),
        ({"plan": "None", "result": " "}, "There is nothing to report on"),
        ({"result": "/nowhere/rows.jsonl"}, "neither a plan nor a result. There is no file /nowhere/rows.jsonl"),
        ({"plan": ["AAMk=1"]}, "This is no plan but list"),
        ({"plan": {"meetings": ["AAMk=1"]}}, "the plan has no list of rows under 'meetings'"),
        ({"result": {"total": 1}}, "result must be what GraphCancelEventsOperator returned; this has no counts"),
        ({"result": 3}, "result must be what a task returned, not int"),
        ({"plan": plan(), "verification": "[]"}, "verification must be what a task returned, not list"),
        ({"plan": plan(), "report_path": "None"}, "report_path is None: a template rendered nothing"),
        (
            {"result": {"counts": {"cancelled": 1}, "report": "/nowhere/rows.jsonl"}},
            "The report /nowhere/rows.jsonl cannot be read (FileNotFoundError)",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_reported_is_refused_with_a_sentence(arguments: dict[str, Any], sentence: str) -> None:
    """And none of them says that nothing was sent, which a report cannot know."""
    with pytest.raises(InvalidInputError) as refused:
        report(**arguments)
    assert sentence in str(refused.value)
    assert "Nothing was sent" not in str(refused.value)


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    """Half a line, or another file, is not taken for rows."""
    path = tmp_path / "rows.jsonl"
    path.write_text('{"event_id": "AAMk=1"', encoding="utf-8")
    with pytest.raises(InvalidInputError, match=r"rows\.jsonl is no report of a cancelling task: Expecting"):
        report(result=str(path))
    path.write_text('"AAMk=1"\n', encoding="utf-8")
    with pytest.raises(InvalidInputError, match="it has lines that are no rows"):
        report(result=str(path))


@pytest.mark.parametrize("formats", ["html", ["pdf"], ["html", "docx"]])
def test_formats_that_do_not_exist_are_refused_when_the_dag_is_parsed(formats: Any) -> None:
    """And not on the night when the report is wanted."""
    with pytest.raises(ValueError, match="formats must be a list of html, csv, md, not"):
        GraphCancelReportOperator(task_id="report", formats=formats)


@pytest.mark.parametrize("scheme", ["", "file://", "memory:/"])
def test_any_storage(tmp_path: Path, scheme: str) -> None:
    """A file, its URL, an object store: folders are made, and nothing else is left lying about."""
    folder = f"{scheme}{tmp_path}/a/b"
    result = report(plan=plan(meeting(1)), report_path=f"{folder}/r.html", formats=("html", "md"))
    assert result["files"] == {"html": f"{folder}/r.html", "md": f"{folder}/r.md"}
    names = {path.name for path in ObjectStoragePath(folder).iterdir()}
    assert names == {"r.html", "r.md"}
    assert ObjectStoragePath(f"{folder}/r.md").read_text(encoding="utf-8").startswith("# Cancelled meetings")


def test_a_report_is_whole_or_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full in the middle leaves the old file, and no half of the new one."""
    path = tmp_path / "r.html"
    write_whole(str(path), b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_whole(str(path), b"new")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"r.html": b"old"}


def test_excel_reads_umlauts(tmp_path: Path) -> None:
    """Without a byte order mark it takes UTF-8 for the machine's old code page."""
    report(plan=plan(meeting(1, subject="Größe")), report_path=str(tmp_path / "r"), formats=["csv"])
    raw = (tmp_path / "r.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfrecord,start,")
    assert "Größe".encode() in raw
    assert b"\r\n" in raw
    assert b"\r\r\n" not in raw
