"""Check in the triggerer whether events are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import InvalidInputError, TryLaterError

if TYPE_CHECKING:
    from airflow_graph_cancel.hooks.graph_event import GraphEventHook

__all__ = ["GraphEventsCancelledTrigger"]

Row = dict[str, str | None]


class GraphEventsCancelledTrigger(BaseTrigger):
    """Check events at an interval until all are gone or the time is over.

    Airflow may run a trigger twice. This one only reads, so that is harmless; a cancellation must stay on the worker.
    Its payload is ``{"total", "still_there": [rows]}``.

    :param rows: addresses of the events that are still there.
    :param total: how many events the sensor waits for in all.
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``.
    :param api_version: version of Graph, ``v1.0`` or ``beta``; None for the connection's.
    :param poke_interval: seconds between two checks.
    :param until: when to stop waiting, ISO 8601 with offset.
    :param concurrency: how many requests Graph may work on at once, over all mailboxes; a batch counts as four.
    """

    def __init__(
        self,
        rows: list[Row],
        total: int,
        conn_id: str,
        api_version: str | None,
        poke_interval: float,
        until: str,
        concurrency: int,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rows = rows
        self.total = total
        self.conn_id = conn_id
        self.api_version = api_version
        self.poke_interval = poke_interval
        self.until = until
        self.concurrency = concurrency

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and arguments from which the triggerer makes this trigger."""
        return (
            "airflow_graph_cancel.triggers.cancelled.GraphEventsCancelledTrigger",
            {
                "rows": self.rows,
                "total": self.total,
                "conn_id": self.conn_id,
                "api_version": self.api_version,
                "poke_interval": self.poke_interval,
                "until": self.until,
                "concurrency": self.concurrency,
            },
        )

    def _make_hook(self) -> GraphEventHook:
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook

        return GraphEventHook(conn_id=self.conn_id, api_version=self.api_version)

    def _seconds_until(self, end: datetime) -> float:
        """Return the poke interval, or what is left of the time if that is less."""
        return max(0.0, min(self.poke_interval, (end - datetime.now(UTC)).total_seconds()))

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one payload, when all events are gone or the time is over.

        :raises GraphCancelError: if Graph refuses; a 429, a 5xx or a lost response only ends this check.
        """
        # In a thread: importing the SDK takes a second and would block every other trigger.
        hook = await asyncio.to_thread(self._make_hook)
        until = datetime.fromisoformat(self.until)
        rows = self.rows
        while True:
            await asyncio.sleep(self._seconds_until(until))
            try:
                backoff = Backoff(retry_for=self._seconds_until(until))
                _, remaining = await hook.find_remaining(rows, options=Options(backoff, self.concurrency))
            except InvalidInputError as error:
                # The cancelling task has sent something, so the message must not say that nothing was sent.
                error.nothing_sent = False
                raise
            except TryLaterError as error:
                self.log.warning("Could not check whether events are gone, will check again: %s", error)
            else:
                rows = [each.as_row() for each in remaining]
            if not rows or datetime.now(UTC) >= until:
                yield TriggerEvent({"total": self.total, "still_there": rows})  # type: ignore[no-untyped-call]
                return
            self.log.info("%d of %d events are still there", len(rows), self.total)
