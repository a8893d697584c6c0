"""Cancel one Outlook meeting from a callback, such as a review meeting when its pipeline fails."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk.bases.notifier import BaseNotifier

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import EventMissingError, GraphCancelError, ServiceUnavailableError
from airflow_graph_cancel.operators.base import (
    GraphConnectionMixin,
    check_booleans,
    check_rendered,
    given_fields,
    to_seconds,
)

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import DAG
    from airflow.sdk.definitions.context import Context

    from airflow_graph_cancel.graph.outcome import CancelResult

__all__ = ["GraphCancelEventNotifier"]


class GraphCancelEventNotifier(BaseNotifier, GraphConnectionMixin):
    """Cancel one Outlook event from a callback: ``on_failure_callback`` and the like, or a missed deadline.

    Airflow runs a callback once, and only logs what it raises. So the notifier either cancels the event within
    ``time_limit``, or raises and logs that a person must cancel it. It never changes the state of the task or DAG run.

    It keeps no task state: deadlines have none, and in the DAG processor the task state store never responds. A second
    callback for the same event finds it gone and sends nothing.

    :param event_id: id of the event in the organizer's mailbox. An occurrence's id cancels that date, a series master's
        the whole series, past dates included. (templated)
    :param comment: message to the attendees; everyone who can see the DAG can read it too. (templated)
    :param user_id: organizer, as user principal name or object id; default is the connection's mailbox, else ``/me``.
        (templated)
    :param group_id: id of the Microsoft 365 group that owns the event. (templated)
    :param calendar_id: id of a calendar, or ``"default"``. (templated)
    :param calendar_group_id: id of a calendar group, or ``"default"`` for ``/me``. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: version of Graph, ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param on_missing: what to do if there is no such event: ``succeed`` logs a warning, since an earlier callback may
        have cancelled it; ``fail`` raises.
    :param preview: read the event and report what would happen, but send nothing.
    :param time_limit: for the whole call, waiting included (seconds or timedelta). Airflow kills a task's process 20 s
        after the task ended (``[core] task_success_overtime``), and a DAG file's callbacks after 50 s.
    :param context: set by Airflow when a deadline is missed.
    """

    template_fields: Sequence[str] = (
        "event_id",
        "comment",
        "user_id",
        "group_id",
        "calendar_id",
        "calendar_group_id",
        "conn_id",
        "api_version",
    )

    def __init__(
        self,
        *,
        event_id: str,
        comment: str | None = None,
        user_id: str | None = None,
        group_id: str | None = None,
        calendar_id: str | None = None,
        calendar_group_id: str | None = None,
        conn_id: str = "graph_calendar_default",
        api_version: str | None = None,
        on_missing: Literal["fail", "succeed"] = "succeed",
        preview: bool = False,
        time_limit: timedelta | float = timedelta(seconds=15),
        context: Context | None = None,
    ) -> None:
        super().__init__(context)
        if on_missing not in {"fail", "succeed"}:
            raise ValueError(f"on_missing must be fail or succeed, not {on_missing!r}")
        check_booleans(preview=preview)
        seconds = to_seconds(time_limit)
        if seconds <= 0:
            raise ValueError(f"time_limit must be more than 0 s, not {seconds:g} s")
        self.event_id = event_id
        self.comment = comment
        self.user_id = user_id
        self.group_id = group_id
        self.calendar_id = calendar_id
        self.calendar_group_id = calendar_group_id
        self.conn_id = conn_id
        self.api_version = api_version
        self.on_missing = on_missing
        self.preview = preview
        self.time_limit = seconds
        self._given = given_fields(self)

    def __call__(self, *args: Context) -> None:
        """Cancel the event, from a copy of this notifier.

        Airflow renders the templates in place and calls the same notifier for many tasks and DAG runs. Without the copy
        the second call would cancel the first one's meeting, and render a feed's text as a template.
        """
        super(GraphCancelEventNotifier, copy(self)).__call__(*args)

    def __await__(self) -> Generator[Any, None, None]:
        """Cancel the event, from a copy of this notifier; the triggerer awaits it when a deadline is missed."""
        return super(GraphCancelEventNotifier, copy(self)).__await__()

    def get_template_env(self, dag: DAG | None = None) -> jinja2.Environment:
        """Return the Jinja environment.

        ``dag.test()`` passes the serialized DAG to a DAG's own callbacks, which cannot make one.
        """
        return super().get_template_env(dag if hasattr(dag, "get_template_env") else None)

    def notify(self, context: Context) -> None:
        """Cancel the event, from a synchronous callback."""
        # In a separate thread: the caller may be running an event loop.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(asyncio.run, self.async_notify(context)).result()

    async def async_notify(self, context: Context) -> None:
        """Cancel the event.

        :raises GraphCancelError: if it was not cancelled, or may not have been; Airflow logs it.
        """
        owner = self.user_id or self.group_id or "the connection's mailbox"
        self.log.info("%s an event of %s: %s", "Previewing" if self.preview else "Cancelling", owner, self.event_id)
        try:
            check_rendered(self, self._given)
            result = await self._cancel()
        except EventMissingError as error:
            if self.on_missing == "succeed":
                self.log.warning("Outcome: %s. %s", error.outcome, error)
                return
            self._ask_for_help(error)
            raise
        except GraphCancelError as error:
            self._ask_for_help(error)
            raise
        self.log.info("Outcome: %s. %s (request id %s)", result.outcome, result.message, result.request_id)

    async def _cancel(self) -> CancelResult:
        # In a thread: importing the SDK takes a second and would block the triggerer's other triggers.
        hook = await asyncio.to_thread(lambda: self.hook)
        try:
            async with asyncio.timeout(self.time_limit):
                return await hook.cancel_event(
                    self.event_id,
                    self.comment,
                    self.user_id,
                    self.group_id,
                    self.calendar_id,
                    self.calendar_group_id,
                    preview=self.preview,
                    options=Options(Backoff(retry_for=self.time_limit, longest_wait=self.time_limit)),
                )
        except TimeoutError:
            raise ServiceUnavailableError(
                f"Cancelling took more than {self.time_limit:g} s (time_limit), so the event may or may not be "
                f"cancelled: {self.event_id!r}."
            ) from None

    def _ask_for_help(self, error: GraphCancelError) -> None:
        self.log.error("Outcome: %s. Check the meeting yourself, Airflow will not call again. %s", error.outcome, error)
