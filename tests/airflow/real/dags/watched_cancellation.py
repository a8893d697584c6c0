"""Cancellations whose processes can be found and killed."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator, GraphCancelEventsOperator


class Watched:
    """Leave the process id, and the time of a stop, where the test looks for them."""

    async def aexecute(self, context: Any) -> Any:
        """Write it down, then do what the operator does."""
        self._note = (
            Path(os.environ["TASK_PROCESSES"]) / f"{context['dag_run'].conf['name']}-{context['ti'].try_number}"
        )
        self._note.write_text(str(os.getpid()))
        return await super().aexecute(context)  # type: ignore[misc]

    def on_kill(self) -> None:
        """Write down when Airflow says stop, then do what the operator does."""
        self._note.with_name(f"{self._note.name}-stopped").write_text(str(time.time()))
        super().on_kill()  # type: ignore[misc]


class WatchedCancelOperator(Watched, GraphCancelEventOperator):
    """One event."""


class WatchedBulkOperator(Watched, GraphCancelEventsOperator):
    """Many events."""


with DAG("watched_cancellation", schedule=None, is_paused_upon_creation=False):
    WatchedCancelOperator(
        task_id="cancel",
        event_id="{{ dag_run.conf['event_id'] }}",
        user_id="ada@contoso.example",
        comment="Closed.",
        conn_id="watched",
        retries=1,
        retry_delay=timedelta(seconds=1),
    )

with DAG("watched_bulk", schedule=None, is_paused_upon_creation=False):
    WatchedBulkOperator(
        task_id="cancel",
        events="{{ dag_run.conf['events'] | tojson }}",
        comment="Closed.",
        conn_id="watched",
        retries=1,
        retry_delay=timedelta(seconds=1),
    )
