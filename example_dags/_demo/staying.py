"""``make up``: the local Graph and Airflow's web UI, until Ctrl-C."""

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
from rich.console import Console

from airflow_graph_cancel.sandbox.client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 180
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMPONENTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")


def run() -> int:
    """Keep both up until Ctrl-C; return 1 only if Airflow ends by itself."""
    console = Console(soft_wrap=True)
    # A closed terminal and a polite kill end it like Ctrl-C does.
    for number in _ENDINGS:
        signal.signal(number, signal.default_int_handler)
    try:
        return stay(console)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 0


def stay(console: Console) -> int:
    """Start both, say where they are, and wait for Airflow's end."""
    build = airflow_home.ROOT / ".build" / "up"
    build.mkdir(parents=True, exist_ok=True)
    graph_port, airflow_port = free_port(8443), free_port(8080)
    with Sandbox.start(tenant="sample", port=graph_port, directory=build / "graph") as sandbox:
        address = f"http://127.0.0.1:{airflow_port}"
        env = airflow_home.environment(
            build / "airflow", sandbox,
            AIRFLOW__API__HOST="127.0.0.1",
            AIRFLOW__API__PORT=str(airflow_port),
            AIRFLOW__CORE__EXECUTION_API_SERVER_URL=f"{address}/execution/",
            AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL="30",
            AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION="False",
        )  # fmt: skip
        console.print("Starting Airflow; the first time takes half a minute ...")
        airflow_home.migrate(env, build / "airflow.log")
        with standalone(env, build / "airflow.log") as process:
            if not healthy(address, process):
                console.print(f"[bold red]Airflow did not come up; see {build / 'airflow.log'}")
                return 1
            passwords = json.loads((build / "airflow" / "simple_auth_manager_passwords.json.generated").read_text())
            console.print(
                f"\nAirflow      {address}   user admin, password {passwords['admin']}\n"
                f"Local Graph  {sandbox.url}   (its certificate is its own: let the browser go on)\n\n"
                "Trigger cancel_from_feed in Airflow and watch the meetings go in the other window.\n"
                "The connection graph_calendar_default leads to the local Graph. It comes from the environment, so\n"
                "that Airflow does not list it. Ctrl-C ends both, within ten seconds.",
                highlight=False,
            )
            process.wait()
    return 1


def free_port(wanted: int) -> int:
    """Return the wanted port if nobody has it, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise OSError("no port is free")


@contextmanager
def standalone(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run Airflow in a session of its own, since it stops whole only on an interrupt of the whole session."""
    with log.open("a") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _STANDALONE], env=env, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        # An impatient second Ctrl-C must not leave a scheduler behind.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in _ENDINGS}
        for number in (signal.SIGINT, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(5)
        for number, handler in before.items():
            signal.signal(number, handler)


# A process that a script started in the background ignores SIGINT, and its children inherit that.
_STANDALONE = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "os.execv(sys.executable, [sys.executable, '-m', 'airflow', 'standalone'])"
)


def healthy(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Wait until every part of Airflow says that it is well; False if it ends or takes too long."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with suppress(urllib.error.URLError, OSError, ValueError):
            with urllib.request.urlopen(f"{address}/api/v2/monitor/health", timeout=5) as answer:
                health = json.load(answer)
            if all(health.get(part, {}).get("status") == "healthy" for part in COMPONENTS):
                return True
        time.sleep(1)
    return False
