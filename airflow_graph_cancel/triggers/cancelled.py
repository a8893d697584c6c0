"""Look at events from time to time until they are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.errors import TryLaterError

if TYPE_CHECKING:
    from airflow_graph_cancel.hooks.graph_event import GraphEventHook

__all__ = ["GraphEventsCancelledTrigger"]

Row = dict[str, str | None]


class GraphEventsCancelledTrigger(BaseTrigger):
    """Wait in the triggerer until none of these events is there any more, or until it is too late.

    Reads are safe to repeat, which is why this may run in a trigger while a cancellation may not. The event says how
    many there were and which of them are left.

    :param rows: addresses of the events that were still there.
    :param total: how many events the sensor waits for in all.
    :param conn_id: connection.
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's.
    :param poke_interval: seconds between two looks.
    :param until: when it is too late, ISO 8601 with offset.
    :param concurrency: requests that the service works on at a time.
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
        """Return what the triggerer makes the trigger from."""
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

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Yield one event, when all are gone or the time is over; errors other than "later" end the trigger."""
        # Importing the SDK takes a second, in which all other triggers would stand still.
        hook = await asyncio.to_thread(self._make_hook)
        until = datetime.fromisoformat(self.until)
        rows = self.rows
        while True:
            left = (until - datetime.now(UTC)).total_seconds()
            await asyncio.sleep(max(0.0, min(self.poke_interval, left)))
            try:
                left = (until - datetime.now(UTC)).total_seconds()
                backoff = Backoff(retry_for=max(0.0, min(self.poke_interval, left)))
                _, remaining = await hook.find_remaining(rows, concurrency=self.concurrency, backoff=backoff)
            except TryLaterError as error:
                self.log.warning("Could not look whether events are gone: %s", error)
            else:
                rows = [each.as_row() for each in remaining]
            if not rows or datetime.now(UTC) >= until:
                yield TriggerEvent({"total": self.total, "still_there": rows})  # type: ignore[no-untyped-call]
                return
            self.log.info("%d of %d events are still there", len(rows), self.total)
