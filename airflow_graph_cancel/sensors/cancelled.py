"""Wait until cancelled events are really gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.sensor import BaseSensorOperator, PokeReturnValue
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, AirflowSkipException

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.errors import GraphCancelError, TryLaterError
from airflow_graph_cancel.graph.template_values import names
from airflow_graph_cancel.operators.endings import OBEY_GRAPH, check_rendered, check_switches, given

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

    from airflow_graph_cancel.hooks.graph_event import GraphEventHook

__all__ = ["GraphEventsCancelledSensor"]

Row = dict[str, Any]
_ROWS_SHOWN = 100
_ROWS_SAID = 10


class GraphEventsCancelledSensor(BaseSensorOperator):
    """Wait until every organizer's copy is gone, or shows itself as cancelled. Reads only.

    Graph answers a cancellation with 202, which means that it was accepted. This looks whether it took place. It looks
    once on the worker; what is still there then is waited for in the triggerer. Returns ``{"total", "gone",
    "still_there": [up to 100 {"event_id", "mailbox", "message"}], "at"}``, and fails with the first ten of those that
    are there when the time is over; ``soft_fail=True`` skips instead. A deferrable one that does not return leaves the
    same as XCom ``verification``, for a report.

    :param events: as ``GraphCancelEventsOperator`` takes them; or what that returned, with a report: then only events
        that it says are cancelled are waited for, not those that were held back or refused. (templated)
    :param user_id: owner of events that bring none; default is the connection's mailbox, else ``/me``. (templated)
    :param without: event ids that an approver took out of the plan. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param poke_interval: between two looks (seconds or timedelta).
    :param timeout: how long to wait (seconds or timedelta).
    :param deferrable: wait in the triggerer. False waits on the worker, in the sensor's ``mode``.
    :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`; yours wins.
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
        retry_policy: RetryPolicy | None = OBEY_GRAPH,
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, timeout=timeout, retry_policy=retry_policy, **kwargs)
        check_switches(deferrable=deferrable)
        self.events = events
        self.user_id = user_id
        self.without = without
        self.conn_id = conn_id
        self.api_version = api_version
        self.deferrable = deferrable
        self.concurrency = concurrency
        self._given = given(self)

    @cached_property
    def hook(self) -> GraphEventHook:
        """The hook; imported here because DAG files are parsed all the time and the SDK is heavy."""
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook

        return GraphEventHook(conn_id=self.conn_id, api_version=self.api_version)

    def execute(self, context: Context) -> Row:
        """Return once all are gone, or go on waiting without a worker slot."""
        if not self.deferrable:
            found: Row = super().execute(context)
            return found
        total, still_there = self._look()
        if not still_there:
            return self._verified(total, [])
        from airflow_graph_cancel.triggers.cancelled import GraphEventsCancelledTrigger

        self.log.info(
            "%d of %d events are still there; waiting for them without a worker slot", len(still_there), total
        )
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
        raise AssertionError("a deferral ends the task")

    def execute_complete(self, context: Context, event: object = None) -> Row:
        """Return, or fail with what is still there."""
        if not isinstance(event, dict) or not isinstance(event.get("still_there"), list):
            raise RuntimeError("The trigger ended without saying what is still there.")
        still_there: list[Row] = event["still_there"]
        if still_there:
            context["ti"].xcom_push(key="verification", value=self._verified(int(event["total"]), still_there))
            said = "; ".join(str(row["message"]) for row in still_there[:_ROWS_SAID])
            sentence = f"{len(still_there)} of {event['total']} events are not gone after {self.timeout:.0f} s. {said}"
            if self.soft_fail or self.never_fail:
                raise AirflowSkipException(sentence)
            raise AirflowSensorTimeout(sentence)
        return self._verified(int(event["total"]), [])

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once, on the worker."""
        total, still_there = self._look()
        for row in still_there[:_ROWS_SAID]:
            self.log.info("%s", row["message"])
        return PokeReturnValue(not still_there, self._verified(total, still_there))

    def _look(self) -> tuple[int, list[Row]]:
        try:
            check_rendered(self, self._given)
            return asyncio.run(self._remaining())
        except TryLaterError:
            raise
        except GraphCancelError as error:
            raise AirflowFailException(str(error)) from error

    async def _remaining(self) -> tuple[int, list[Row]]:
        from airflow_graph_cancel.hooks.storage import cancelled_rows

        total, remaining = await self.hook.find_remaining(
            cancelled_rows(self.events),
            self.user_id,
            without=names("without", self.without),
            concurrency=self.concurrency,
            backoff=Backoff(retry_for=min(300.0, self.timeout)),
        )
        return total, [dict(each.as_row()) for each in remaining]

    def _verified(self, total: int, still_there: list[Row]) -> Row:
        self.log.info("%d of %d events are gone", total - len(still_there), total)
        shown = [{name: row[name] for name in ("event_id", "mailbox", "message")} for row in still_there]
        return {
            "total": total,
            "gone": total - len(still_there),
            "still_there": shown[:_ROWS_SHOWN],
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
