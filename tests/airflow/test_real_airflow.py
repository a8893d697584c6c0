"""Scheduler, LocalExecutor, triggerer and API server in processes of their own: killed tasks, stops, long waits.

The four runs are started together and each test waits for its own, so that the long wait costs its minute once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import psutil
import pytest

from airflow_graph_cancel.sandbox.client import Sandbox
from tests.support.contoso import ADA, BEN
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "example_dags" / "_demo"))
import airflow_home  # noqa: E402
import real_airflow  # noqa: E402

pytestmark = pytest.mark.timeout(300)

FAULTS = {
    "killed_after": {"kind": "hang", "after_effect": True, "delay": 60},
    "killed_before": {"kind": "hang", "after_effect": False, "delay": 60},
    "marked_failed": {"kind": "429", "retry_after": "15"},
    "long_wait": {"kind": "429", "retry_after": "61"},
}


class Airflow:
    """A running Airflow with one run of the watched DAG for each fault."""

    def __init__(self, address: str, password: str, sandbox: Sandbox, processes: Path) -> None:
        self.sandbox = sandbox
        self.processes = processes
        self._address = address
        login = self._call("POST", "/auth/token", {"username": "admin", "password": password})
        self._token = login["access_token"]
        self.events: dict[str, str] = {}

    def start(self, name: str, event_id: str) -> None:
        """Trigger a run for one event under a name."""
        self.events[name] = event_id
        self._start(DAG, name, {"event_id": event_id})

    def start_bulk(self, name: str, events: list[dict[str, str]]) -> None:
        """Trigger a run for many events under a name."""
        self._start(BULK_DAG, name, {"events": events})

    def _start(self, dag: str, name: str, conf: dict[str, Any]) -> None:
        body = {"dag_run_id": name, "logical_date": None, "conf": {"name": name, **conf}}
        self._call("POST", f"{dag}/dagRuns", body)

    def task(self, name: str) -> dict[str, Any]:
        """Return the task instance of a run."""
        return self._call("GET", f"{self._dag(name)}/dagRuns/{name}/taskInstances/cancel")

    def _dag(self, name: str) -> str:
        return DAG if name in self.events else BULK_DAG

    def row(self, name: str) -> dict[str, Any]:
        """Return what the task returned."""
        entry = self._call(
            "GET", f"{self._dag(name)}/dagRuns/{name}/taskInstances/cancel/xcomEntries/return_value?deserialize=true"
        )
        value = entry["value"]
        return dict(value if isinstance(value, dict) else json.loads(value))

    def mark_failed(self, name: str) -> None:
        """Do what a person does who presses "Mark as failed"."""
        self._call("PATCH", f"{self._dag(name)}/dagRuns/{name}/taskInstances/cancel", {"new_state": "failed"})

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

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "_token"):
            headers["Authorization"] = f"Bearer {self._token}"
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self._address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))


DAG = "/api/v2/dags/watched_cancellation"
BULK_DAG = "/api/v2/dags/watched_bulk"


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Airflow]:
    """A real Airflow with the four runs on their way."""
    home = tmp_path_factory.mktemp("real-airflow")
    processes = home / "processes"
    processes.mkdir()
    port = real_airflow.free_port(0)
    address = f"http://127.0.0.1:{port}"
    with Sandbox.start() as sandbox:
        env = airflow_home.environment(
            home / "airflow", sandbox,
            AIRFLOW__CORE__DAGS_FOLDER=str(HERE / "dags"),
            AIRFLOW__API__HOST="127.0.0.1",
            AIRFLOW__API__PORT=str(port),
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"{address}/execution/",
            TASK_PROCESSES=str(processes),
        )  # fmt: skip
        log = home / "airflow.log"
        airflow_home.migrate(env, log)
        with real_airflow.standalone(env, log) as process:
            if not real_airflow.healthy(address, process):
                pytest.fail(log.read_text()[-5000:])
            password = json.loads((home / "airflow" / "simple_auth_manager_passwords.json.generated").read_text())
            running = Airflow(address, password["admin"], sandbox, processes)
            until(lambda: _dag_is_there(running), "the DAG is parsed")
            for mailbox in (ADA, BEN):
                sandbox.add_mailbox(mailbox)
            for name, fault in FAULTS.items():
                event = sandbox.create_event(
                    organizer=ADA, subject=name, attendees=[BEN],
                    start="2030-01-07T10:00:00Z", end="2030-01-07T11:00:00Z",
                )  # fmt: skip
                event_id = event["copies"][ADA]
                sandbox.add_fault(match={"path": "/cancel$", "event_id": event_id}, **fault)
                running.start(name, event_id)
            yield running


def _dag_is_there(airflow: Airflow) -> bool:
    try:
        airflow._call("GET", DAG)
        airflow._call("GET", BULK_DAG)
    except urllib.error.HTTPError:
        return False
    return True


def test_marked_failed_while_it_waits_sends_nothing(airflow: Airflow) -> None:
    """The process lives for some seconds more; it must not use them to send."""
    until(lambda: airflow.cancels("marked_failed") == 1, "the first request was throttled")
    airflow.mark_failed("marked_failed")
    time.sleep(17)  # beyond the Retry-After, when the request would have been sent again
    assert airflow.cancels("marked_failed") == 1
    assert airflow.messages("marked_failed") == 0
    assert airflow.task("marked_failed")["state"] == "failed"


@pytest.mark.parametrize(("name", "requests"), [("killed_after", 1), ("killed_before", 2)])
def test_a_killed_task_recovers_by_its_own_retry(airflow: Airflow, name: str, requests: int) -> None:
    """SIGKILL in the middle of the request, before or after Graph did the work: one message, outcome cancelled."""
    until(lambda: name not in airflow.waiting_faults(), "the request hangs")
    airflow.kill(name)
    until(lambda: airflow.task(name)["state"] == "success", "the retry succeeds")
    assert airflow.task(name)["try_number"] == 2
    row = airflow.row(name)
    assert (row["outcome"], row["attempts"]) == ("cancelled", requests)
    assert airflow.messages(name) == 1


def test_a_long_wait_is_deferred_and_goes_on(airflow: Airflow) -> None:
    """Retry-After of 61 s: the task is deferred, the triggerer wakes it, the first try ends well."""
    until(lambda: airflow.cancels("long_wait") >= 1, "the first request was throttled")
    until(lambda: airflow.task("long_wait")["state"] in {"deferred", "success"}, "it defers")
    until(lambda: airflow.task("long_wait")["state"] == "success", "it goes on", 150)
    assert airflow.task("long_wait")["try_number"] == 1
    assert (airflow.row("long_wait")["attempts"], airflow.messages("long_wait")) == (2, 1)
    first, second = airflow.sandbox.requests(method="POST", path=f"{airflow.events['long_wait']}/cancel")
    assert (first["status"], second["status"]) == (429, 202)


def test_a_killed_bulk_task_recovers_by_its_own_retry(airflow: Airflow) -> None:
    """SIGKILL with one batch done but unanswered and the next of its mailbox not sent: each event is sent once."""
    sandbox, events = airflow.sandbox, []
    for number in range(4):
        owner = f"organizer{number}@contoso.example"
        sandbox.add_mailbox(owner)
        for _ in range(40):
            event = sandbox.create_event(
                organizer=owner, subject="Planning", attendees=[BEN],
                start="2030-01-07T10:00:00Z", end="2030-01-07T11:00:00Z",
            )  # fmt: skip
            events.append({"event_id": event["copies"][owner], "user_id": owner})
    sandbox.add_fault("hang", after_effect=True, delay=60, match={"path": "batch$"})

    ids = Counter(event["event_id"] for event in events)

    def told() -> Counter[str]:
        return Counter(message["event_id"] for message in sandbox.messages() if message["event_id"] in ids)

    airflow.start_bulk("bulk", events)
    until(lambda: told().total() == 140, "all is told but what waits behind the batch that hangs")
    airflow.kill("bulk")
    until(lambda: airflow.task("bulk")["state"] == "success", "the retry succeeds")
    assert airflow.task("bulk")["try_number"] == 2
    assert airflow.row("bulk")["counts"] == {"cancelled": 160}
    assert told() == ids
    sent = Counter(
        unquote(request["path"].split("/events/")[1].removesuffix("/cancel"))
        for request in sandbox.requests(method="POST", path="/cancel")
        if request["mailbox"] != ADA
    )
    assert sent == ids


def test_a_bulk_task_that_is_marked_failed_stops_sending(airflow: Airflow) -> None:
    """Airflow tells the process, which lives for some seconds more: no batch begins a second after that."""
    sandbox, owner = airflow.sandbox, "stopped@contoso.example"
    sandbox.add_mailbox(owner)
    meeting = {
        "organizer": owner, "subject": "Planning", "attendees": [BEN],
        "start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z",
    }  # fmt: skip
    made = sandbox.create_events([meeting] * 400)
    sandbox.add_fault("slow", times=None, delay=1.5, match={"path": "batch$"})
    airflow.start_bulk("stopped", [{"event_id": event["copies"][owner], "user_id": owner} for event in made])
    until(lambda: sandbox.requests(mailbox=owner), "the first batch is out")
    airflow.mark_failed("stopped")
    stopped = airflow.processes / "stopped-1-stopped"
    until(stopped.exists, "the process is told")
    process = int((airflow.processes / "stopped-1").read_text())
    until(lambda: not psutil.pid_exists(process), "the process has ended")
    sandbox.clear_faults()
    batches = {request["batch"] for request in sandbox.requests(mailbox=owner)}
    began = [datetime.fromisoformat(each["at"]).timestamp() for each in sandbox.requests() if each["n"] in batches]
    assert 0 < len(began) < 20
    assert max(began) < float(stopped.read_text()) + 1
    assert airflow.task("stopped")["state"] == "failed"
