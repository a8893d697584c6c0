"""What the report operator takes and refuses, what it returns, and the files that it writes."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import ObjectStoragePath

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.hooks.storage import save_plan, write_whole
from airflow_graph_cancel.operators.report import GraphCancelReportOperator
from tests.support.contoso import ADA
from tests.support.report_cases import meeting, plan, read_csv, row

if TYPE_CHECKING:
    from pathlib import Path


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
        ({}, "There is nothing to report on: neither a plan, nor a result, nor a verification."),
        ({"plan": "None", "result": " "}, "There is nothing to report on"),
        ({"result": "/nowhere/rows.jsonl"}, "nor a verification. There is no file /nowhere/rows.jsonl"),
        ({"plan": ["AAMk=1"]}, "This is not a plan: it is list"),
        ({"plan": {"meetings": ["AAMk=1"]}}, "the plan has no list of rows under 'meetings'"),
        ({"result": {"total": 1}}, "result must be what GraphCancelEventsOperator returned; this has no counts"),
        ({"result": 3}, "result must be what a task returned, not int"),
        ({"plan": plan(), "verification": "[]"}, "verification must be what a task returned, not list"),
        ({"plan": plan(), "report_path": "None"}, "report_path is None: its template rendered nothing"),
        (
            {"result": {"counts": {"cancelled": 1}, "report": "/nowhere/rows.jsonl"}},
            "The report cannot be read (FileNotFoundError)",
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
    with pytest.raises(InvalidInputError, match=r"not a report of a cancelling task \(Expecting.*rows\.jsonl"):
        report(result=str(path))
    path.write_text('"AAMk=1"\n', encoding="utf-8")
    with pytest.raises(InvalidInputError, match="not every line is a row"):
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
