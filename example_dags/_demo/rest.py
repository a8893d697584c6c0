"""A minimal client for Airflow's REST API, with the requests that the demonstration needs."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

Json = dict[str, Any]
Found = TypeVar("Found")
TIMEOUT = 120
_ENDS = {"success", "failed"}


class Airflow:
    """A running Airflow.

    :ivar address: URL of the web UI.
    :ivar password: password of the user ``admin``.
    :ivar process: exits when Airflow does.
    :ivar log: log file of all components.
    """

    def __init__(self, address: str, password: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.address = address
        self.password = password
        self.process = process
        self.log = log
        self._token = ""
        self._token = self.call("POST", "/auth/token", {"username": "admin", "password": password})["access_token"]

    def is_there(self, dag_id: str) -> bool:
        """Return whether Airflow has parsed a DAG."""
        try:
            return bool(self.call("GET", f"/api/v2/dags/{dag_id}"))
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return False

    def start(self, dag_id: str, conf: Json | None = None, run_id: str | None = None) -> str:
        """Trigger a DAG as soon as Airflow has parsed it; return the run id."""
        self.until(lambda: self.is_there(dag_id), f"{dag_id} is parsed")
        body = {"logical_date": None, "conf": conf or {}, **({"dag_run_id": run_id} if run_id else {})}
        return str(self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self.call("GET", _run(dag_id, run_id))["state"])

    def ended(self, dag_id: str, run_id: str, seconds: float = TIMEOUT) -> str:
        """Wait until a run has ended and return its state."""
        self.until(lambda: self.state(dag_id, run_id) in _ENDS, f"{dag_id} has ended", seconds)
        return self.state(dag_id, run_id)

    def tasks(self, dag_id: str, run_id: str) -> dict[tuple[str, int], Json]:
        """Return the task instances of a run, by task id and map index (-1 if not mapped)."""
        found = self.call("GET", f"{_run(dag_id, run_id)}/taskInstances?limit=1000")["task_instances"]
        return {(task["task_id"], task["map_index"]): task for task in found}

    def xcom(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1, key: str = "return_value") -> Any:
        """Return an XCom value of a task, or None if there is none."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries/{key}"
        try:
            entry = self.call("GET", f"{path}?map_index={map_index}&deserialize=true")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None
        return entry["value"]

    def questions(self, dag_id: str, run_id: str) -> list[Json]:
        """Return the pending approvals of a run, with ``subject``, ``body`` and ``params``."""
        found = self.call("GET", f"{_run(dag_id, run_id)}/hitlDetails?response_received=false")["hitl_details"]
        log = self.log.read_text(encoding="utf-8", errors="replace")
        return [
            each
            for each in found
            if each["task_instance"]["state"] == "awaiting_input" and _paused(each["task_instance"]) in log
        ]

    def answer(self, question: Json, option: str, **params: object) -> None:
        """Respond to an approval, as the form in the web UI does.

        :param params: the form's fields.
        """
        task = question["task_instance"]
        path = f"{_run(task['dag_id'], task['dag_run_id'])}/taskInstances/{task['task_id']}/{task['map_index']}"
        self.call("PATCH", f"{path}/hitlDetails", {"chosen_options": [option], "params_input": params})

    def until(self, condition: Callable[[], Found], what: str, seconds: float = TIMEOUT) -> Found:
        """Wait until a condition is true and return its value.

        :raises TimeoutError: names the condition if it stays false.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := condition():
                return found
            time.sleep(0.5)
        raise TimeoutError(f"timed out after {seconds:.0f} s, waiting until {what}")

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send one request and return its JSON."""
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))


def _paused(task: Json) -> str:
    """Return the text that the scheduler logs once it has seen that a task paused.

    A response before that, faster than any person, makes Airflow 3.3 treat the resumed task as lost.
    """
    return (
        f"with state success for task instance TaskInstanceKey(dag_id='{task['dag_id']}', task_id='{task['task_id']}', "
        f"run_id='{task['dag_run_id']}', try_number={task['try_number']}, map_index={task['map_index']})"
    )


def _run(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id)}"
