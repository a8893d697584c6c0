"""A process that is killed in the middle of many events leaves nothing to guess."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

KILLABLE = Path(__file__).parents[1] / "support" / "killable.py"
spec = importlib.util.spec_from_file_location("killable", KILLABLE)
assert spec is not None
assert spec.loader is not None
killable = importlib.util.module_from_spec(spec)
spec.loader.exec_module(killable)

MAILBOXES = 20
LATENCY = 0.1
WHEN = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}


def until_quiet(sandbox: Sandbox, seconds: float) -> None:
    """Wait until nothing has been cancelled for so long."""
    before = -1
    while (now := len(sandbox.messages())) != before:
        before = now
        time.sleep(seconds)


def event_of(request: dict[str, Any]) -> str:
    """The id in the path of a request."""
    return unquote(request["path"].split("/events/")[1].split("?")[0].removesuffix("/cancel"))


@pytest.mark.parametrize("percent", [20, 45, 70])
def test_killed_at(sandbox: Sandbox, tmp_path: Path, percent: int) -> None:
    """SIGKILL, then the retry: one message each, all reported as cancelled, what was settled not sent again."""
    kill_and_retry(sandbox, tmp_path, percent, each=20)


def kill_and_retry(sandbox: Sandbox, tmp_path: Path, percent: int, each: int) -> None:
    """Kill a process when so much is done, run the task again, and hold both to the ledger.

    :param percent: of the events whose attendees have been told.
    :param each: events in each of twenty mailboxes.
    """
    rows = []
    for number in range(MAILBOXES):
        owner = f"organizer{number}@contoso.example"
        sandbox.add_mailbox(owner)
        for _ in range(each):
            event = sandbox.create_event(
                organizer=owner, subject="Planning", attendees=["guest@fabrikam.example"], **WHEN
            )
            rows.append({"event_id": event["copies"][owner], "user_id": owner})
    sandbox.settings(latency=LATENCY)
    (tmp_path / "events.json").write_text(json.dumps(rows))
    store = tmp_path / "store"
    store.mkdir()
    process = subprocess.Popen([sys.executable, str(KILLABLE), str(store), str(tmp_path / "events.json")])
    end = time.monotonic() + 60
    while len(sandbox.messages()) < len(rows) * percent / 100:
        assert time.monotonic() < end, "it does not get so far"
        time.sleep(0.02)
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
    result = killable.run(store, rows, report_path=str(report))
    assert result["counts"] == {"cancelled": len(rows)}
    assert Counter(message["event_id"] for message in sandbox.messages()) == Counter(row["event_id"] for row in rows)
    asked_again = [request for request in sandbox.requests(path="/events/") if request["n"] > last]
    sent_again = Counter(event_of(request) for request in asked_again if request["method"] == "POST")
    # Nothing that had reached anybody is sent again; the rest is sent once. What was settled is not even looked at.
    assert sent_again == Counter({row["event_id"] for row in rows} - told_before)
    assert not settled & {event_of(request) for request in asked_again}
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [line["event_id"] for line in lines] == [row["event_id"] for row in rows]
    assert all(line["outcome"] == "cancelled" for line in lines)
    # A request that was counted and died with its process before the service had it is made again by the retry.
    assert all(line["attempts"] == 1 or line["event_id"] not in told_before for line in lines)
    assert all(line["attempts"] in {1, 2} for line in lines)
