"""Plans and reports in files: whole, the right one, and readable by any worker."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.configuration import AIRFLOW_HOME

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.hooks.storage import (
    cancelled_rows,
    default_plan_path,
    load_events,
    load_plan,
    read_report,
    save_plan,
)
from tests.support.report_cases import meeting, plan

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context


@pytest.fixture
def stored(tmp_path: Path) -> dict[str, Any]:
    """What stands for a plan in XCom."""
    return save_plan({**plan(meeting(1)), "totals": {"meetings": 1}}, str(tmp_path / "a" / "plan.json"))


def report(tmp_path: Path, *outcomes: str, name: str = "rows.jsonl") -> dict[str, Any]:
    """What a cancelling task returned."""
    path = tmp_path / name
    rows = [{"event_id": f"AAMk={number}", "outcome": outcome} for number, outcome in enumerate(outcomes)]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return {"total": len(rows), "counts": dict.fromkeys(outcomes, 1), "report": str(path)}


def test_a_plan_is_found_wherever_it_is(stored: dict[str, Any]) -> None:
    """In XCom or in a file, or as the text that a template makes of either."""
    assert stored.keys() == {"path", "window", "totals", "digest", "made_at", "summary"}
    whole = load_plan(stored)
    assert [row["event_id"] for row in cast("list[Any]", whole["meetings"])] == ["AAMk=1"]
    assert load_plan(str(stored)) == load_plan(whole) == load_plan(json.dumps(whole)) == load_events(stored) == whole


def test_other_events_are_left_as_they_are() -> None:
    """Ids, rows, and a plan that lies in XCom."""
    for events in (["AAMk="], [{"event_id": "AAMk="}], {"meetings": [], "path": "x"}, {"path": 7}, 7):
        assert load_events(events) == events


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"digest": "another", "meetings": []}', "another plan than the one that was found and approved"),
        (b"[]", "another plan than the one"),
        (b'{"digest": ', "not valid JSON"),
        (b"\xff", "The plan cannot be read .UnicodeDecodeError"),
        (None, "The plan cannot be read .FileNotFoundError"),
    ],
    ids=["other digest", "list", "half", "no text", "gone"],
)
def test_another_file_is_not_taken_for_the_plan(stored: dict[str, Any], content: bytes | None, said: str) -> None:
    """What was approved is bound by its digest, not by its place."""
    path = Path(stored["path"])
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=f"{said}.* File: .*plan.json"):
        load_plan(stored)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "it is NoneType"),
        (["AAMk="], "it is list"),
        ({"digest": "x"}, "it has no list of meetings"),
        ({"meetings": {}}, "it has no list of meetings"),
    ],
)
def test_what_is_not_a_plan_is_refused(value: object, said: str) -> None:
    """It must not look like a plan without meetings; whether something was sent before is not known here."""
    with pytest.raises(InvalidInputError, match=f"This is not a plan: {said}. Pass what") as refused:
        load_plan(value)
    assert not refused.value.nothing_sent


def test_each_task_of_a_run_has_its_own_file() -> None:
    """Mapped tasks too; names with slashes and colons are one folder each."""
    runs = (("d", "a/b", "t"), ("d", "a", "b/t"), ("d", "manual__2030-01-01T00:00:00+00:00", "t"))
    paths = set()
    for dag, run, task in runs:
        for index in (None, -1, 0, 1):
            ti = SimpleNamespace(dag_id=dag, run_id=run, task_id=task, map_index=index)
            paths.add(Path(default_plan_path(cast("Context", {"ti": ti}))))
    assert len(paths) == 6
    for path in paths:
        assert path.relative_to(AIRFLOW_HOME).parts[0] == "graph_cancel_plans"
        assert len(path.relative_to(AIRFLOW_HOME).parts) == 4


def test_a_report_is_read_row_by_row(tmp_path: Path) -> None:
    """Blank lines are skipped."""
    result = report(tmp_path, "cancelled", "denied")
    with Path(result["report"]).open("a", encoding="utf-8") as file:
        file.write("\n \n")
    assert [row["outcome"] for row in read_report(result["report"])] == ["cancelled", "denied"]


@pytest.mark.parametrize(
    ("content", "said"), [('{"event_id": ', r"not a report.*\(Expecting"), ("7\n", "not every line is a row")]
)
def test_another_file_is_not_taken_for_a_report(tmp_path: Path, content: str, said: str) -> None:
    """A truncated line makes the file invalid."""
    path = tmp_path / "rows.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInputError, match=f"{said}.* File: .*rows.jsonl") as refused:
        read_report(str(path))
    assert not refused.value.nothing_sent


def test_only_cancelled_events_are_waited_for(tmp_path: Path) -> None:
    """Of one task, or of all mapped ones, as values or as text; what was held or refused is not expected to be gone."""
    first = report(tmp_path, "cancelled", "changed", "already_cancelled", "denied")
    second = report(tmp_path, "cancelled", name="second.jsonl")
    nothing = {"total": 0, "counts": {}, "report": None}
    for events, outcomes in (
        (first, ["cancelled", "already_cancelled"]),
        (str(first), ["cancelled", "already_cancelled"]),
        ([first, second, nothing], ["cancelled", "already_cancelled", "cancelled"]),
        (nothing, []),
    ):
        assert [row["outcome"] for row in cast("list[Any]", cancelled_rows(events))] == outcomes


def test_a_result_without_a_report_does_not_name_its_events(tmp_path: Path) -> None:
    """Waiting for none of them would look like all of them were gone."""
    silent = {"total": 1, "counts": {"cancelled": 1}, "report": None}
    for events in (silent, [report(tmp_path, "cancelled"), silent]):
        with pytest.raises(InvalidInputError, match="wrote no report, so its events are not known"):
            cancelled_rows(events)


@pytest.mark.parametrize("events", [["AAMk="], [], {"meetings": []}, 7])
def test_what_is_not_a_result_is_left_as_it_is(events: object) -> None:
    """A list or a plan can be waited for as well."""
    assert cancelled_rows(events) == events
