"""Memory and CPU of very many events: ``make bench``.

The ids are unknown to the local Graph, so that each costs two requests, and no time goes into making meetings.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

from rich.console import Console
from rich.table import Table

SIZES = (1_000, 10_000, 100_000)
MAILBOXES = 500
MOST_MB = 250


class CountingStore(dict[str, object]):
    """A state store that serialises what it is given and keeps its size only."""

    written = 0

    def set(self, key: str, value: object) -> None:
        """Count a value."""
        self.written += len(json.dumps(value))


def measure(count: int) -> dict[str, float]:
    """Cancel so many events; return what it took beyond an interpreter with Airflow loaded."""
    import airflow.sdk.bases.operator  # noqa: F401 - what every task process has loaded

    loaded = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
    from airflow_graph_cancel.sandbox.client import Sandbox

    with Sandbox.start() as sandbox:
        for number in range(MAILBOXES):
            sandbox.add_mailbox(f"organizer{number}@contoso.example")
        os.environ["AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT"] = json.dumps(sandbox.connection)
        events = [
            {"event_id": f"AAMk{number:0140}=", "user_id": f"organizer{number % MAILBOXES}@contoso.example"}
            for number in range(count)
        ]
        store = CountingStore()
        operator = GraphCancelEventsOperator(task_id="x", events=events, comment="Closed.", on_missing="succeed")
        wall, cpu = time.monotonic(), time.process_time()
        result = asyncio.run(operator.aexecute({"task_state_store": store}))  # type: ignore[typeddict-item]
        assert result["counts"] == {"missing": count}
        return {
            "seconds": time.monotonic() - wall,
            "cpu": (time.process_time() - cpu) / count * 1000,
            "peak": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - loaded) / 1024,
            "state": store.written / count,
        }


def main() -> int:
    """Measure each size in a process of its own, print, and return 1 if it takes too much memory."""
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-bench-")
    table = Table(title="unknown ids, two requests each", title_justify="left")
    for heading in ("events", "seconds", "CPU ms each", "peak MB above Airflow", "state bytes each"):
        table.add_column(heading, justify="right")
    peak = 0.0
    for count in SIZES:
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.large", str(count)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        took: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
        peak = max(peak, took["peak"])
        table.add_row(
            f"{count:,}", f"{took['seconds']:.1f}", f"{took['cpu']:.2f}", f"{took['peak']:.0f}", f"{took['state']:.0f}"
        )
    Console().print(table)
    return 0 if peak <= MOST_MB else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
    else:
        sys.exit(main())
