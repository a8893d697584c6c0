"""DAG runs in an Airflow of its own: scheduler, LocalExecutor, triggerer and API server, on SQLite.

``dag.test()`` would flatter the mapped operator, which then needs no process a task, and fails every second one of its
items, as each is deferred to a new event loop and the provider keeps its client for the one before.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from airflow_graph_cancel.sandbox.client import Sandbox
from bench.closures import MANY, Rows, make
from bench.measuring import Taken, cpu_seconds, process_of, verified

if TYPE_CHECKING:
    from collections.abc import Iterator

    import rest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "example_dags" / "_demo"))
import real_airflow  # noqa: E402

__all__ = ["MAPPED", "in_airflow"]

MAPPED = 40
"""Events for the mapped operator: each is a task, and takes about a second."""
_PATIENCE = 600.0
_IDLE = 10.0


def in_airflow() -> tuple[Taken, Taken]:
    """Return what the mapped operator took for some of the events, and what ours took for all of them.

    Time is that of the DAG run; processor time is that of all of Airflow beyond what it takes when idle; memory is that
    of all its processes together, pages that they share counted once.
    """
    with tempfile.TemporaryDirectory(prefix="airflow-bench-") as folder, Sandbox.start() as sandbox:
        graph = process_of(sandbox)
        warm_up = make(sandbox, (2,), "warm-up")
        some, every = make(sandbox, (4,) * (MAPPED // 4), "mapped"), make(sandbox, MANY.counts, "one")
        sandbox.settings(latency=MANY.latency)
        stock = {**sandbox.connection, "conn_type": "msgraph"}
        stock["extra"] = {**stock["extra"], "base_url": f"{sandbox.url}/v1.0"}
        with real_airflow.running(
            Path(folder),
            sandbox,
            AIRFLOW__CORE__DAGS_FOLDER=str(HERE / "dags"),
            AIRFLOW_CONN_MSGRAPH_BENCHMARK=json.dumps(stock),
        ) as airflow:
            family = _Family(psutil.Process(airflow.process.pid))
            _run(airflow, "mapped", warm_up[:1])
            _run(airflow, "one_task", warm_up[1:])
            idle = family.idle()
            taken = []
            for dag, rows in (("mapped", some), ("one_task", every)):
                cpu, graph_cpu = family.cpu(), cpu_seconds(graph)
                with family.watched() as memory:
                    seconds = _run(airflow, dag, rows)
                cpu = family.cpu() - cpu - idle * seconds
                graph_cpu = cpu_seconds(graph) - graph_cpu
                taken.append(Taken(len(rows), seconds, cpu, max(memory), verified(sandbox, rows, dag), graph_cpu))
    return taken[0], taken[1]


def _run(airflow: rest.Airflow, dag: str, rows: Rows) -> float:
    """Run a DAG over some rows to its end; return how many seconds the run took by Airflow's own clock."""
    run_id = airflow.start(dag, {"rows": rows})
    state = airflow.ended(dag, run_id, _PATIENCE)
    if state != "success":
        raise RuntimeError(f"{dag} ended as {state}")
    run = airflow.call("GET", f"/api/v2/dags/{dag}/dagRuns/{run_id}")
    begun, ended = (datetime.fromisoformat(run[name]) for name in ("start_date", "end_date"))
    return (ended - begun).total_seconds()


class _Family:
    """Airflow's processes, all together.

    :param eldest: the one that started the others.
    """

    def __init__(self, eldest: psutil.Process) -> None:
        self._eldest = eldest

    def cpu(self) -> float:
        """Return the processor seconds that they have used so far."""
        return sum(self._each(cpu_seconds))

    def idle(self) -> float:
        """Return the processor seconds a second that go into doing nothing."""
        before = self.cpu()
        time.sleep(_IDLE)
        return (self.cpu() - before) / _IDLE

    @contextmanager
    def watched(self) -> Iterator[list[float]]:
        """Collect their memory in MB, once a second."""
        seen, over = [self._memory()], threading.Event()

        def watch() -> None:
            while not over.wait(1):
                seen.append(self._memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()

    def _memory(self) -> float:
        return sum(self._each(lambda process: float(process.memory_full_info().pss))) / 2**20

    def _each(self, measure: Callable[[psutil.Process], float]) -> Iterator[float]:
        for process in (self._eldest, *self._eldest.children(recursive=True)):
            # Tasks end while one counts.
            with suppress(psutil.NoSuchProcess):
                yield measure(process)
