"""What importing the operator and cancelling one event cost.

Ratios within one run, since machines differ: the import is compared with that of the operator that Airflow's azure
provider has for Graph, each in processes of its own with Airflow's SDK loaded before.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time

from bench.results import Promise, Section

__all__ = ["one_event"]

OURS = "import airflow_graph_cancel.operators.cancel"
THEIRS = "from airflow.providers.microsoft.azure.operators.msgraph import MSGraphAsyncOperator"
ROUNDS = 5
EVENTS = 300


def one_event() -> Section:
    """Measure the import in processes of its own, and cancellations in this one."""
    ours, theirs = _import_seconds(OURS), _import_seconds(THEIRS)
    first, each = _cancel_milliseconds()
    return Section(
        "One event",
        f"""\
The cost of a DAG file that imports the operator, with Airflow's SDK already loaded, compared with the Graph operator of
Airflow's own provider; the lowest of {ROUNDS} rounds. Below it, the cost of one cancellation in a task.""",
        ("", "CPU ms"),
        [
            ("import of GraphCancelEventOperator", f"{ours * 1000:.1f}"),
            ("import of MSGraphAsyncOperator", f"{theirs * 1000:.1f}"),
            ("first cancellation, with sign-in, TLS and lazy imports", f"{first:.1f}"),
            (f"each of {EVENTS} further ones", f"{each:.2f}"),
        ],
        [
            Promise("the import takes at most 0.1 times the other", f"{ours / theirs:.3f} times", ours / theirs <= 0.1),
            Promise("a further cancellation takes at most 5 ms", f"{each:.2f} ms", each <= 5),
        ],
    )


def _import_seconds(statement: str) -> float:
    """Return the CPU seconds of an import beyond Airflow's SDK; the least of some rounds, as noise only adds."""
    program = (
        "import time; from airflow.sdk.bases.operator import BaseAsyncOperator; start = time.process_time(); "
        f"{statement}; print(time.process_time() - start)"
    )
    command = [sys.executable, "-W", "ignore", "-c", program]
    return min(
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])
        for _ in range(ROUNDS)
    )


def _cancel_milliseconds() -> tuple[float, float]:
    """Return the CPU milliseconds of the first cancellation, and of each of the following ones."""
    from airflow_graph_cancel.hooks.graph_event import GraphEventHook
    from airflow_graph_cancel.sandbox.client import Sandbox

    ada = "ada@contoso.example"
    with Sandbox.start() as sandbox:
        sandbox.add_mailbox(ada)
        when = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}
        ids = [
            sandbox.create_event(organizer=ada, subject=str(n), attendees=["ben@fabrikam.example"], **when)["copies"][
                ada
            ]
            for n in range(EVENTS + 1)
        ]
        os.environ["AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT"] = json.dumps(sandbox.connection)

        async def cancel_all() -> tuple[float, float]:
            async with GraphEventHook() as hook:
                start = time.process_time()
                await hook.cancel_event(ids[0], "Closed.", user_id=ada)
                first = time.process_time() - start
                start = time.process_time()
                for event_id in ids[1:]:
                    await hook.cancel_event(event_id, "Closed.", user_id=ada)
                return first * 1000, (time.process_time() - start) * 1000 / EVENTS

        return asyncio.run(cancel_all())
