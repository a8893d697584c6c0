"""Memory and processor time of very many events.

The ids are unknown to the local Graph, so that each costs two requests, and no time goes into making meetings.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from itertools import pairwise

from bench.memory import peak_mb
from bench.results import Promise, Section

__all__ = ["very_many_events"]

SIZES = (1_000, 10_000, 100_000)
MAILBOXES = 500
MOST_MB = 250
FLAT = 1.25
"""Largest accepted ratio of CPU time per event between the largest and the middle size; leaves room for noise."""


class CountingStore(dict[str, object]):
    """A state store that serialises each value and keeps only its size."""

    calls = 0
    written = 0

    def get(self, key: str, default: object = None) -> object:
        """Count a read; no earlier try has stored anything."""
        self.calls += 1
        return default

    def set(self, key: str, value: object) -> None:
        """Count a write and its bytes."""
        self.calls += 1
        self.written += len(json.dumps(value))


@dataclass(frozen=True)
class Took:
    """What cancelling a number of events took.

    :param cpu: seconds, start-up included.
    :param peak: MB above an interpreter with Airflow loaded.
    :param calls: of the state store.
    :param written: bytes into the state store.
    """

    events: int
    seconds: float
    cpu: float
    peak: float
    calls: int
    written: int


def very_many_events() -> Section:
    """Measure each size in a process of its own."""
    taken = [_in_a_process(count) for count in SIZES]
    # Differences between sizes, because start-up takes the same time for each.
    each = [
        (more.cpu - less.cpu) / (more.events - less.events) * 1000
        for less, more in pairwise((Took(0, 0.0, 0.0, 0.0, 0, 0), *taken))
    ]
    growth = each[-1] / each[1]
    peak = max(took.peak for took in taken)
    return Section(
        "Very many events",
        f"""\
{MAILBOXES} mailboxes and ids that Graph does not know, which cost two requests each and have the longest messages to
store. CPU time is that of each event beyond the previous size; the first size includes start-up. Memory is measured on
top of an interpreter with Airflow loaded. In Airflow, each call to the state store is a request to the API server.""",
        ("events", "seconds", "CPU ms each", "peak MB above Airflow", "state calls", "state bytes each"),
        [
            (
                f"{took.events:,}", f"{took.seconds:.1f}", f"{cpu:.2f}", f"{took.peak:.0f}", f"{took.calls:,}",
                f"{took.written / took.events:.0f}",
            )
            for took, cpu in zip(taken, each, strict=True)
        ],
        [
            Promise(f"at most {MOST_MB} MB above Airflow", f"{peak:.0f} MB", peak <= MOST_MB),
            Promise(
                f"CPU time per event is flat up to {SIZES[-1]:,}: at most {FLAT} times that up to {SIZES[1]:,}",
                f"{growth:.2f} times", growth <= FLAT,
            ),
        ],
    )  # fmt: skip


def _in_a_process(count: int) -> Took:
    command = [sys.executable, "-W", "ignore", "-m", "bench.large", str(count)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(f"{count} events failed: {ran.stderr[-3000:]}")
    return Took(**json.loads(ran.stdout.splitlines()[-1]))


def _measure(count: int) -> dict[str, float]:
    """Cancel ``count`` events; return what it took beyond an interpreter with Airflow loaded."""
    import airflow.sdk.bases.operator  # noqa: F401 - what every task process has loaded

    loaded = peak_mb()
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
        took = {"seconds": time.monotonic() - wall, "cpu": time.process_time() - cpu}
        peak = peak_mb() - loaded
        answered = sandbox.state()["requests"]
        if result["counts"] != {"missing": count} or answered != {"200": answered["200"], "404": 2 * count}:
            raise RuntimeError(f"{result['counts']}, and Graph answered {answered}")
        return {"events": count, "peak": peak, "calls": store.calls, "written": store.written, **took}


if __name__ == "__main__":
    print(json.dumps(_measure(int(sys.argv[1]))))
