"""Airflow's API server with its web UI, in a process of its own and with a home of its own, on loopback."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 120
USE_CONNECTION = Path(__file__).with_name("use_connection.py")


@dataclass(frozen=True, slots=True)
class AirflowServer:
    """An Airflow that is up and takes everybody for its administrator.

    :param address: of the web UI and the API.
    :param env: of its process, for others that share its database.
    :param log: what it says.
    """

    address: str
    env: dict[str, str]
    log: Path

    def store(self, connection: dict[str, object]) -> None:
        """Add a connection through the API, as one that no form has seen."""
        self._call("POST", "/api/v2/connections", connection)

    def stored(self, conn_id: str) -> dict[str, Any]:
        """What the API tells of a connection, its extras parsed."""
        connection = json.loads(self.answer(conn_id))
        return {**connection, "extra": json.loads(connection["extra"])}

    def answer(self, conn_id: str) -> str:
        """What the API tells of a connection, as it goes over the wire."""
        return self._call("GET", f"/api/v2/connections/{conn_id}")

    def use(self, conn_id: str, event_id: str | None = None, user_id: str | None = None) -> dict[str, Any]:
        """What a task of this Airflow makes of a connection; see ``use_connection.py``."""
        arguments = [argument for argument in (conn_id, event_id, user_id) if argument]
        ran = subprocess.run(
            [sys.executable, str(USE_CONNECTION), *arguments],
            env=self.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr[-3000:]
        return dict(json.loads(ran.stdout.splitlines()[-1]))

    def _call(self, method: str, path: str, body: dict[str, object] | None = None) -> str:
        with urllib.request.urlopen(f"{self.address}/auth/token", timeout=30) as answer:
            token = json.load(answer)["access_token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.read().decode())


@contextmanager
def running(home: Path, **more: str) -> Iterator[AirflowServer]:
    """Run the server for as long as the context lasts.

    :param home: becomes AIRFLOW_HOME.
    :param more: further environment variables.
    """
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    log = home / "server.log"
    env = {
        **os.environ,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": address,
        **more,
    }
    # Connections of other tests would come before those that the form stores.
    env = {name: value for name, value in env.items() if not name.startswith("AIRFLOW_CONN_")}
    airflow = [sys.executable, "-m", "airflow"]
    with log.open("w") as output:
        subprocess.run([*airflow, "db", "migrate"], env=env, stdout=output, stderr=output, check=True)
        process = subprocess.Popen(
            [*airflow, "api-server"], env=env, stdout=output, stderr=output, start_new_session=True
        )  # fmt: skip
    try:
        _await_health(address, process, log)
        yield AirflowServer(address, env, log)
    finally:
        _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await_health(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5):
            return
        time.sleep(0.2)
    raise AssertionError(f"Airflow did not come up:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
