"""Wait until cancelled events are gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.sensor import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowSensorTimeout, AirflowSkipException

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.template_values import names
from airflow_graph_cancel.operators.base import (
    DEFAULT_RETRY_POLICY,
    GraphConnectionMixin,
    airflow_errors,
    check_booleans,
    check_rendered,
    given_fields,
)

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

__all__ = ["GraphEventsCancelledSensor"]

Row = dict[str, Any]
_ROWS_RETURNED = 100
_ROWS_LOGGED = 10


class GraphEventsCancelledSensor(BaseSensorOperator, GraphConnectionMixin):
    """Wait until each organizer's copy is gone or marked as cancelled. Reads only.

    Graph answers a cancellation with 202: accepted, not done. This sensor checks that it was done: once on the worker,
    then from the triggerer, until no event is left.

    Returns ``{"total", "gone", "still_there": [up to 100 {"event_id", "mailbox", "message"}], "at"}``. When the timeout
    is over, it fails with the first ten events that are still there, or skips with ``soft_fail=True``; a deferrable
    sensor then also pushes the same mapping as the XCom ``verification``, for a report.

    :param events: anything that ``GraphCancelEventsOperator`` takes, or what it returned if it has a ``report_path``:
        then only the events it reports as cancelled are waited for, not those that were held back or refused.
        (templated)
    :param user_id: owner of events that name none; default is the connection's mailbox, else ``/me``. (templated)
    :param without: event ids that an approver took out of the plan. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: version of Graph, ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param poke_interval: time between two checks (seconds or timedelta).
    :param timeout: how long to wait in all (seconds or timedelta).
    :param deferrable: wait in the triggerer; False waits on the worker, in the sensor's ``mode``.
    :param concurrency: how many requests Graph may work on at once, over all mailboxes; a batch counts as four.
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`.
    """

    template_fields: Sequence[str] = ("events", "user_id", "without", "conn_id", "api_version")

    def __init__(
        self,
        *,
        events: object,
        user_id: str | None = None,
        without: Iterable[str] | str | None = None,
        conn_id: str = "graph_calendar_default",
        api_version: str | None = None,
        poke_interval: timedelta | float = 30,
        timeout: timedelta | float = 3600,
        deferrable: bool = True,
        concurrency: int = 64,
        retry_policy: RetryPolicy | None = DEFAULT_RETRY_POLICY,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, retry_policy=retry_policy, **kwargs)
        check_booleans(deferrable=deferrable)
        self.events = events
        self.user_id = user_id
        self.without = without
        self.conn_id = conn_id
        self.api_version = api_version
        self.deferrable = deferrable
        self.concurrency = concurrency
        self._given = given_fields(self)

    def execute(self, context: Context) -> Row:
        """Return if all events are gone, else wait for them without a worker slot."""
        if not self.deferrable:
            found: Row = super().execute(context)
            return found
        total, still_there = self._check()
        if not still_there:
            return self._verification(total, [])
        from airflow_graph_cancel.triggers.cancelled import GraphEventsCancelledTrigger

        self.log.info("%d of %d events are still there: deferred, checking from the triggerer", len(still_there), total)
        until = datetime.now(UTC) + timedelta(seconds=self.timeout)
        self.defer(
            trigger=GraphEventsCancelledTrigger(
                rows=still_there,
                total=total,
                conn_id=self.conn_id,
                api_version=self.api_version,
                poke_interval=self.poke_interval,
                until=until.isoformat(),
                concurrency=self.concurrency,
            ),
            method_name="execute_complete",
        )
        raise AssertionError("defer() always raises")

    def execute_complete(self, context: Context, event: object = None) -> Row:
        """Return if the trigger saw all events go, else fail with those that are still there.

        :param event: the trigger's payload.
        :raises AirflowSensorTimeout: if events are still there; ``AirflowSkipException`` with ``soft_fail``.
        :raises RuntimeError: if the trigger ended without a payload, which must not count as success.
        """
        if not isinstance(event, dict) or not isinstance(event.get("still_there"), list):
            raise RuntimeError("The trigger ended without reporting which events are still there. Clear the task.")
        total, still_there = int(event["total"]), event["still_there"]
        verification = self._verification(total, still_there)
        if not still_there:
            return verification
        context["ti"].xcom_push(key="verification", value=verification)
        details = "; ".join(str(row["message"]) for row in still_there[:_ROWS_LOGGED])
        sentence = f"{len(still_there)} of {total} events are not gone after {self.timeout:.0f} s. {details}"
        if self.soft_fail or self.never_fail:
            raise AirflowSkipException(sentence)
        raise AirflowSensorTimeout(sentence)

    def poke(self, context: Context) -> PokeReturnValue:
        """Check once, on the worker."""
        total, still_there = self._check()
        for row in still_there[:_ROWS_LOGGED]:
            self.log.info("%s", row["message"])
        return PokeReturnValue(not still_there, self._verification(total, still_there))

    def _check(self) -> tuple[int, list[Row]]:
        with airflow_errors(after_sending=True):
            check_rendered(self, self._given)
            return asyncio.run(self._find_remaining())

    async def _find_remaining(self) -> tuple[int, list[Row]]:
        from airflow_graph_cancel.hooks.storage import cancelled_rows

        total, remaining = await self.hook.find_remaining(
            cancelled_rows(self.events),
            self.user_id,
            without=names("without", self.without),
            options=Options(Backoff(retry_for=min(Backoff().retry_for, self.timeout)), self.concurrency),
        )
        return total, [dict(each.as_row()) for each in remaining]

    def _verification(self, total: int, still_there: list[Row]) -> Row:
        gone = total - len(still_there)
        self.log.info("%d of %d events are gone", gone, total)
        shown = [{name: row[name] for name in ("event_id", "mailbox", "message")} for row in still_there]
        return {
            "total": total,
            "gone": gone,
            "still_there": shown[:_ROWS_RETURNED],
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
