"""What a contender took, and whether the local Graph was the bottleneck."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

import psutil

from airflow_graph_cancel.sandbox.client import Sandbox
from bench.closures import Rows, Shape, make

__all__ = ["Taken", "contend", "cpu_seconds", "process_of", "verified"]


@dataclass(frozen=True)
class Taken:
    """What it took to cancel so many events.

    :param seconds: of the clock.
    :param cpu: seconds of the contender.
    :param peak: its memory in MB, Python and libraries included.
    :param throttled: 429 answers that it brought upon itself.
    :param graph_cpu: seconds of the local Graph, which is one process.
    """

    events: int
    seconds: float
    cpu: float
    peak: float
    throttled: int
    graph_cpu: float

    @property
    def rate(self) -> float:
        """Events a second."""
        return self.events / self.seconds

    @property
    def busy(self) -> float:
        """Share of the time that the local Graph was busy."""
        return self.graph_cpu / self.seconds


def contend(shape: Shape, name: str, most: int | None = None) -> Taken:
    """Let one contender cancel a tenant made for it, in a process of its own.

    :param most: events that it gets, so that a slow one does not take all day; None for all.
    """
    with Sandbox.start() as sandbox:
        graph = process_of(sandbox)
        warm_up = make(sandbox, (1,), "warm-up")
        rows = make(sandbox, shape.counts)[:most]
        sandbox.settings(latency=shape.latency)
        job = {"connection": sandbox.connection, "rows": rows, "warm_up": warm_up, "concurrency": shape.concurrency}
        command = [sys.executable, "-W", "ignore", "-m", "bench.contenders", name]
        before = cpu_seconds(graph)
        ran = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RuntimeError(f"{name} failed: {ran.stderr[-3000:]}")
        took: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
        graph_cpu = cpu_seconds(graph) - before
        throttled = verified(sandbox, rows, name)
        return Taken(len(rows), took["seconds"], took["cpu"], took["peak"], throttled, graph_cpu)


def verified(sandbox: Sandbox, rows: Rows, name: str) -> int:
    """Hold a contender to the ledger: each event's attendees told once; return how many answers were 429."""
    ledger = sandbox.ledger()
    ids = {row["event_id"] for row in rows}
    told = [message["event_id"] for message in ledger["messages"] if message["event_id"] in ids]
    if sorted(told) != sorted(ids):
        raise RuntimeError(f"{name} told {len(set(told))} of {len(ids)} in {len(told)} messages")
    return sum(request["status"] == 429 for request in ledger["requests"])


def process_of(sandbox: Sandbox) -> psutil.Process:
    """Return the process of a local Graph that this one has started."""
    port = sandbox.url.rpartition(":")[2]
    (graph,) = (
        child
        for child in psutil.Process().children()
        if any(str(each.laddr.port) == port and each.status == psutil.CONN_LISTEN for each in child.net_connections())
    )
    return graph


def cpu_seconds(process: psutil.Process) -> float:
    """Return what a process has used so far, and what its ended children had."""
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
