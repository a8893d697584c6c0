"""Kill a process that cancels many events, run its task again, and hold both to the ledger."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from tests.support.contoso import rows_of
from tests.support.operators import cancel_events
from tests.support.reports import outcome_rows
from tests.support.task_state import FileTaskStateStore
from tests.support.waiting import until

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

ROOT = Path(__file__).parents[2]
MAILBOXES = 20
LATENCY = 0.1


def until_quiet(sandbox: Sandbox, seconds: float) -> None:
    """Wait until nothing has been cancelled for so long."""
    before = -1
    while (now := len(sandbox.messages())) != before:
        before = now
        time.sleep(seconds)


def event_of(request: dict[str, Any]) -> str:
    """The id in the path of a request."""
    return unquote(request["path"].split("/events/")[1].split("?")[0].removesuffix("/cancel"))


def kill_and_retry(sandbox: Sandbox, tmp_path: Path, percent: int, each: int) -> None:
    """Kill a process when so much is done, run the task again, and hold both to the ledger.

    :param percent: of the events whose attendees have been told.
    :param each: events in each of twenty mailboxes.
    """
    rows = rows_of(sandbox, *[each] * MAILBOXES)
    sandbox.settings(latency=LATENCY)
    (tmp_path / "events.json").write_text(json.dumps(rows))
    store = tmp_path / "store"
    store.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.killable", str(store), str(tmp_path / "events.json")], cwd=ROOT
    )
    until(lambda: len(sandbox.messages()) >= len(rows) * percent / 100, "it gets so far", 60, every=0.02)
    process.kill()
    process.wait()
    # The service ends without its client what it had begun: a batch takes it five round trips.
    until_quiet(sandbox, 10 * LATENCY)

    settled = {
        rows[int(number)]["event_id"]
        for file in store.glob("graph_cancel_*_*")
        for number in json.loads(file.read_text())["rows"]
    }
    told_before = {message["event_id"] for message in sandbox.messages()}
    assert settled <= told_before
    assert len(told_before) < len(rows)
    last = max(request["n"] for request in sandbox.requests())

    report = tmp_path / "report.jsonl"
    result = cancel_events(rows, FileTaskStateStore(store), report_path=str(report))
    assert result["counts"] == {"cancelled": len(rows)}
    assert Counter(message["event_id"] for message in sandbox.messages()) == Counter(row["event_id"] for row in rows)
    asked_again = [request for request in sandbox.requests(path="/events/") if request["n"] > last]
    sent_again = Counter(event_of(request) for request in asked_again if request["method"] == "POST")
    # Nothing that had reached anybody is sent again; the rest is sent once. What was settled is not even looked at.
    assert sent_again == Counter({row["event_id"] for row in rows} - told_before)
    assert not settled & {event_of(request) for request in asked_again}
    lines = outcome_rows(report)
    assert [line["event_id"] for line in lines] == [row["event_id"] for row in rows]
    assert all(line["outcome"] == "cancelled" for line in lines)
    # A request that was counted and died with its process before the service had it is made again by the retry.
    assert all(line["attempts"] == 1 or line["event_id"] not in told_before for line in lines)
    assert all(line["attempts"] in {1, 2} for line in lines)
