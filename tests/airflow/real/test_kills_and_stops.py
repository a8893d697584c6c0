"""Killed tasks, stops and long waits, under a real Airflow: each attendee is told once, and a stop is a stop.

The four runs are started together and each test waits for its own, so that the long wait costs its minute once.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import psutil
import pytest

from tests.support.contoso import ADA, BEN, Rows, meet, rows_in, rows_of
from tests.support.waiting import until

if TYPE_CHECKING:
    from rest import Airflow

    from airflow_graph_cancel.sandbox.client import Sandbox
    from tests.airflow.real.conftest import RealAirflow

pytestmark = pytest.mark.timeout(300)

FAULTS: dict[str, dict[str, Any]] = {
    "killed_after": {"kind": "hang", "after_effect": True, "delay": 60},
    "killed_before": {"kind": "hang", "after_effect": False, "delay": 60},
    "marked_failed": {"kind": "429", "retry_after": "15"},
    "long_wait": {"kind": "429", "retry_after": "61"},
}
ONE, MANY = "watched_cancellation", "watched_bulk"


@dataclass(slots=True)
class Watched:
    """Runs of the watched DAGs, each under a name that is its run id.

    :param processes: the folder in which a task leaves the id of its process.
    :param events: the event of a run that has only one.
    """

    airflow: Airflow
    sandbox: Sandbox
    processes: Path
    events: dict[str, str] = field(default_factory=dict)

    def start(self, name: str, event_id: str) -> None:
        """Trigger a run for one event."""
        self.events[name] = event_id
        self.airflow.start(ONE, {"name": name, "event_id": event_id}, run_id=name)

    def start_bulk(self, name: str, events: Rows) -> None:
        """Trigger a run for many events."""
        self.airflow.start(MANY, {"name": name, "events": events}, run_id=name)

    def task(self, name: str) -> dict[str, Any]:
        """Return the task instance of a run."""
        return self.airflow.tasks(self._dag(name), name)["cancel", -1]

    def row(self, name: str) -> dict[str, Any]:
        """Return what the task returned."""
        return dict(self.airflow.xcom(self._dag(name), name, "cancel"))

    def mark_failed(self, name: str) -> None:
        """Do what a person does who presses "Mark as failed"."""
        path = f"/api/v2/dags/{self._dag(name)}/dagRuns/{name}/taskInstances/cancel"
        self.airflow.call("PATCH", path, {"new_state": "failed"})

    def kill(self, name: str) -> None:
        """Kill the task's process of the first try, as the out-of-memory killer does."""
        os.kill(int((self.processes / f"{name}-1").read_text()), signal.SIGKILL)

    def messages(self, name: str) -> int:
        """Return how often the attendees were told."""
        return len(self.sandbox.messages(event_id=self.events[name]))

    def cancels(self, name: str) -> int:
        """Return how many cancel requests were answered."""
        return len(self.sandbox.requests(method="POST", path=f"{self.events[name]}/cancel"))

    def waiting_faults(self) -> set[str]:
        """Return the names of runs whose fault has not struck yet."""
        waiting = {fault["match"]["event_id"] for fault in self.sandbox.faults()}
        return {name for name, event_id in self.events.items() if event_id in waiting}

    def _dag(self, name: str) -> str:
        return ONE if name in self.events else MANY


@pytest.fixture(scope="module")
def watched(real: RealAirflow) -> Watched:
    """The four runs on their way."""
    watched = Watched(real.airflow, real.watched, real.processes)
    watched.sandbox.add_mailboxes([{"address": ADA}, {"address": BEN}])
    for name, fault in FAULTS.items():
        event_id = meet(watched.sandbox, subject=name)
        watched.sandbox.add_fault(match={"path": "/cancel$", "event_id": event_id}, **fault)
        watched.start(name, event_id)
    return watched


def test_marked_failed_while_it_waits_sends_nothing(watched: Watched) -> None:
    """The process lives for some seconds more; it must not use them to send."""
    until(lambda: watched.cancels("marked_failed") == 1, "the first request was throttled")
    watched.mark_failed("marked_failed")
    time.sleep(17)  # beyond the Retry-After, when the request would have been sent again
    assert watched.cancels("marked_failed") == 1
    assert watched.messages("marked_failed") == 0
    assert watched.task("marked_failed")["state"] == "failed"


@pytest.mark.parametrize(("name", "requests"), [("killed_after", 1), ("killed_before", 2)])
def test_a_killed_task_recovers_by_its_own_retry(watched: Watched, name: str, requests: int) -> None:
    """SIGKILL in the middle of the request, before or after Graph did the work: one message, outcome cancelled."""
    until(lambda: name not in watched.waiting_faults(), "the request hangs")
    watched.kill(name)
    until(lambda: watched.task(name)["state"] == "success", "the retry succeeds")
    assert watched.task(name)["try_number"] == 2
    row = watched.row(name)
    assert (row["outcome"], row["attempts"]) == ("cancelled", requests)
    assert watched.messages(name) == 1


def test_a_long_wait_is_deferred_and_goes_on(watched: Watched) -> None:
    """Retry-After of 61 s: the task is deferred, the triggerer wakes it, the first try ends well."""
    until(lambda: watched.cancels("long_wait") >= 1, "the first request was throttled")
    until(lambda: watched.task("long_wait")["state"] in {"deferred", "success"}, "it defers")
    until(lambda: watched.task("long_wait")["state"] == "success", "it continues", 150)
    assert watched.task("long_wait")["try_number"] == 1
    assert (watched.row("long_wait")["attempts"], watched.messages("long_wait")) == (2, 1)
    first, second = watched.sandbox.requests(method="POST", path=f"{watched.events['long_wait']}/cancel")
    assert (first["status"], second["status"]) == (429, 202)


def test_a_killed_bulk_task_recovers_by_its_own_retry(watched: Watched) -> None:
    """SIGKILL with one batch done but unanswered and the next of its mailbox not sent: each event is sent once."""
    sandbox = watched.sandbox
    events = rows_of(sandbox, *[40] * 4)
    sandbox.add_fault("hang", after_effect=True, delay=60, match={"path": "batch$"})

    ids = Counter(event["event_id"] for event in events)

    def told() -> Counter[str]:
        return Counter(message["event_id"] for message in sandbox.messages() if message["event_id"] in ids)

    watched.start_bulk("bulk", events)
    until(lambda: told().total() == 140, "all is told but what waits behind the batch that hangs")
    watched.kill("bulk")
    until(lambda: watched.task("bulk")["state"] == "success", "the retry succeeds")
    assert watched.task("bulk")["try_number"] == 2
    assert watched.row("bulk")["counts"] == {"cancelled": 160}
    assert told() == ids
    sent = Counter(
        unquote(request["path"].split("/events/")[1].removesuffix("/cancel"))
        for request in sandbox.requests(method="POST", path="/cancel")
        if request["mailbox"] != ADA
    )
    assert sent == ids


def test_a_bulk_task_that_is_marked_failed_stops_sending(watched: Watched) -> None:
    """Airflow tells the process, which lives for some seconds more: no batch begins a second after that."""
    sandbox, owner = watched.sandbox, "stopped@contoso.example"
    events = rows_in(sandbox, {owner: 400})
    sandbox.add_fault("slow", times=None, delay=1.5, match={"path": "batch$"})
    watched.start_bulk("stopped", events)
    until(lambda: sandbox.requests(mailbox=owner), "the first batch is out")
    watched.mark_failed("stopped")
    stopped = watched.processes / "stopped-1-stopped"
    until(stopped.exists, "the process is told")
    process = int((watched.processes / "stopped-1").read_text())
    until(lambda: not psutil.pid_exists(process), "the process has ended")
    sandbox.clear_faults()
    batches = {request["batch"] for request in sandbox.requests(mailbox=owner)}
    began = [datetime.fromisoformat(each["at"]).timestamp() for each in sandbox.requests() if each["n"] in batches]
    assert 0 < len(began) < 20
    assert max(began) < float(stopped.read_text()) + 1
    assert watched.task("stopped")["state"] == "failed"
