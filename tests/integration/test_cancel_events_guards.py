"""What is refused before anything is sent, and what a list of events may look like."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.support.connections import set_connection
from tests.support.contoso import organizer, rows_of
from tests.support.operators import cancel_events

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ("None", "rendered nothing"),
        ("", "rendered nothing"),
        ("{{ nothing }}", "not a list"),
        ({"rows": []}, "not a plan"),
        (7, "must be a list"),
        ([None], "row 0: event_id is None"),
        ([{"user_id": "u"}], r"row 0: no event_id \(its keys: user_id\)"),
        (["E", {"event_id": "E", "user_id": "u", "group_id": "g"}, ".."], "2 of 3 .*row 1: .*row 2: "),
        ([{"event_id": "E", "comment": "None"}], "row 0: comment"),
    ],
    ids=str,
)
def test_malformed_rows_are_refused_together(sandbox: Sandbox, events: object, says: str) -> None:
    """Each with its place, so that a feed is mended in one go; nobody hears of it."""
    with pytest.raises(AirflowFailException, match=says):
        cancel_events(events, user_id="u")
    assert (sandbox.requests(), sandbox.ledger()["tokens"]) == ([], 0)


def test_an_empty_list_succeeds(sandbox: Sandbox) -> None:
    """A day without events succeeds, without even a sign-in."""
    assert cancel_events([]) == {"total": 0, "counts": {}, "unsettled": [], "report": None}
    assert sandbox.ledger()["tokens"] == 0


def test_duplicates_are_sent_once_and_counted_once(sandbox: Sandbox) -> None:
    """Two feeds may name the same meeting, and the same mailbox in other letters."""
    rows = rows_of(sandbox, 2)
    again = [{**row, "user_id": row["user_id"].upper()} for row in rows]
    assert cancel_events([*rows, *again])["total"] == 2
    assert len(sandbox.messages()) == 2


def test_bare_ids_take_the_owner_of_the_task(sandbox: Sandbox) -> None:
    """A list of ids is the shortest way, also as the text that a template gives."""
    ids = [row["event_id"] for row in rows_of(sandbox, 3)]
    assert cancel_events(json.dumps(ids), user_id=organizer(0))["counts"] == {"cancelled": 3}


def test_max_meetings(sandbox: Sandbox) -> None:
    """More than somebody thought possible is a mistake of the feed."""
    with pytest.raises(AirflowFailException, match="max_meetings=2"):
        cancel_events(rows_of(sandbox, 3), max_meetings=2)
    assert sandbox.requests() == []


@pytest.mark.parametrize("source", ["Graph", "rows"])
def test_max_people(sandbox: Sandbox, source: str) -> None:
    """Counted from the rows if they say, else read from Graph, in batches."""
    rows: list[dict[str, Any]] = [dict(row) for row in rows_of(sandbox, 3, 2)]
    if source == "rows":
        rows = [{**row, "people": 1} for row in rows]
    with pytest.raises(AirflowFailException, match=r"5 people .* max_people=4"):
        cancel_events(rows, max_people=4)
    assert sandbox.messages() == []
    alone = {request["path"] for request in sandbox.requests() if request["batch"] is None}
    assert alone == (set() if source == "rows" else {"/v1.0/$batch"})
    assert cancel_events(rows, max_people=5)["counts"] == {"cancelled": 5}


def test_a_report_in_an_object_store(sandbox: Sandbox) -> None:
    """Any path that Airflow's ObjectStoragePath takes."""
    from airflow.sdk import ObjectStoragePath

    path = "memory://reports/closure.jsonl"
    assert cancel_events(rows_of(sandbox, 2), report_path=path)["report"] == path
    rows = [json.loads(line) for line in ObjectStoragePath(path).read_text().splitlines()]
    assert [row["outcome"] for row in rows] == ["cancelled", "cancelled"]


@pytest.mark.parametrize("way", ["operator", "connection"])
def test_preview_sends_nothing(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """Every event is looked at in batches, through a guarded connection too."""
    if way == "connection":
        set_connection(monkeypatch, sandbox, extra={"preview_only": True})
    rows = rows_of(sandbox, 5, 5)
    assert cancel_events(rows, preview=way == "operator")["counts"] == {"preview": 10}
    assert not sandbox.requests(method="POST", path="/cancel")
    assert not sandbox.messages()
