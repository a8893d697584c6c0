"""Run a complete Airflow in separate processes, and leave none of them behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import airflow_home
import psutil
from rest import Airflow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_graph_cancel.sandbox.client import Sandbox

TIMEOUT = 180
COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class AirflowDownError(Exception):
    """Airflow did not start; the message is the end of its log."""


def end_on_any_signal() -> None:
    """Handle SIGTERM and SIGHUP like Ctrl-C, with the same clean-up."""
    for number in _ENDINGS:
        signal.signal(number, signal.default_int_handler)


@contextmanager
def running(folder: Path, sandbox: Sandbox, *, port: int = 0, **more: str) -> Iterator[Airflow]:
    """Run Airflow for as long as the context lasts.

    :param folder: for its home and its log; a metadata database in that home is used as it is.
    :param sandbox: the local Graph that ``graph_calendar_default`` connects to.
    :param port: port of the web UI and API; 0 takes any free one.
    :param more: additional environment variables.
    :raises AirflowDownError: if it does not start.
    """
    address = f"http://127.0.0.1:{port or free_port(0)}"
    env = airflow_home.environment(
        folder / "airflow", sandbox,
        **{
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": address.rpartition(":")[2],
            "AIRFLOW__API__BASE_URL": address,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            **more,
        },
    )  # fmt: skip
    log = folder / "airflow.log"
    if not (folder / "airflow" / "airflow.db").exists():
        airflow_home.migrate(env, log)
    with standalone(env, log) as process:
        if not healthy(address, process):
            raise AirflowDownError(log.read_text(errors="replace")[-6000:])
        passwords = json.loads((folder / "airflow" / "simple_auth_manager_passwords.json.generated").read_text())
        yield Airflow(address, passwords["admin"], process, log)


def free_port(wanted: int) -> int:
    """Return the wanted port if it is free, else any free port."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


@contextmanager
def standalone(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run Airflow in its own session: it stops completely only if the whole session is interrupted."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _STANDALONE], env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        # A second Ctrl-C during clean-up must not leave a scheduler behind.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDINGS}
        _stop(process)
        for number, handler in before.items():
            signal.signal(number, handler)


# Processes that a script starts in the background ignore SIGINT, and their children inherit that.
_STANDALONE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "os.execv(sys.executable, [sys.executable, '-m', 'airflow', 'standalone'])"
)


def _stop(process: subprocess.Popen[bytes]) -> None:
    # Tasks run in their own process groups, which a signal to the session's group does not reach.
    family = _family(process.pid)
    for number in (signal.SIGINT, signal.SIGKILL):
        family |= _family(process.pid)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=5)


def _family(pid: int) -> set[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return set(psutil.Process(pid).children(recursive=True))
    return set()


def healthy(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until every component of Airflow reports healthy; return False if it exits or takes too long."""
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until and process.poll() is None:
        with suppress(urllib.error.URLError, OSError, ValueError):
            with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
            if all(health.get(part, {}).get("status") == "healthy" for part in COMPONENTS):
                return True
        time.sleep(1)
    return False
