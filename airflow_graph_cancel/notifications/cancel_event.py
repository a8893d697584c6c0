"""Cancel one Outlook meeting from a callback: the review is off when the pipeline fails."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk.bases.notifier import BaseNotifier

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.errors import EventMissingError, GraphCancelError, ServiceUnavailableError
from airflow_graph_cancel.operators.endings import check_rendered, check_switches, given

if TYPE_CHECKING:
    import jinja2
    from airflow.sdk import DAG
    from airflow.sdk.definitions.context import Context

    from airflow_graph_cancel.graph.outcome import CancelResult
    from airflow_graph_cancel.hooks.graph_event import GraphEventHook

__all__ = ["GraphCancelEventNotifier"]


class GraphCancelEventNotifier(BaseNotifier):
    """Cancel one Outlook event when Airflow calls back: ``on_failure_callback`` and its like, or a missed deadline.

    Airflow calls a callback once and never again, and only logs what it raises. So the event is cancelled within a
    short time or not at all; if not, the error is raised and the log says that somebody must see to the meeting. It
    never changes the state of the task or the DAG run.

    No task state is kept: a deadline has none, and the one that the DAG processor offers never answers. The event
    itself is the memory: a second callback finds it gone and tells nobody anything.

    :param event_id: id of the event in the organizer's mailbox: an occurrence's for that date, a series master's for
        the whole series, past dates too. (templated)
    :param comment: text that the attendees read; whoever can see the DAG can read it too. (templated)
    :param user_id: user principal name or object id of the organizer; default is the connection's mailbox, else
        ``/me``. (templated)
    :param group_id: a Microsoft 365 group as the owner. (templated)
    :param calendar_id: a calendar's id, or ``"default"``. (templated)
    :param calendar_group_id: a calendar group's id, or ``"default"`` for ``/me``. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param on_missing: ``succeed`` warns in the log when there is no such event, for an earlier callback may have
        cancelled it; ``fail`` raises.
    :param preview: read and report, send nothing.
    :param time_limit: for all of it, waiting included (seconds or timedelta). Airflow ends a task's process 20 s after
        its task (``[core] task_success_overtime``) and a DAG file's callbacks after 50 s.
    :param context: what a deadline gives; Airflow sets it.
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
        check_switches(preview=preview)
        seconds = time_limit.total_seconds() if isinstance(time_limit, timedelta) else time_limit
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
        self._given = given(self)

    def __call__(self, *args: Context) -> None:
        """Cancel, with a copy of this object.

        Airflow renders a notifier in place and for good, and calls the same one for many tasks and DAG runs: the
        second would cancel the first one's meeting, and what a feed had written would be rendered as a template.
        """
        super(GraphCancelEventNotifier, copy(self)).__call__(*args)

    def __await__(self) -> Generator[Any, None, None]:
        """Cancel, with a copy of this object, as a deadline in the triggerer does."""
        return super(GraphCancelEventNotifier, copy(self)).__await__()

    def get_template_env(self, dag: DAG | None = None) -> jinja2.Environment:
        """Return what renders the templates.

        ``dag.test()`` gives a DAG's own callbacks the DAG as the scheduler keeps it, which makes no environment.
        """
        return super().get_template_env(dag if hasattr(dag, "get_template_env") else None)

    def notify(self, context: Context) -> None:
        """Cancel the event; for callbacks that are not async."""
        # In a thread of its own: the caller may be running an event loop.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(asyncio.run, self.async_notify(context)).result()

    async def async_notify(self, context: Context) -> None:
        """Cancel the event.

        :raises GraphCancelError: if it was not cancelled, or nobody knows; Airflow logs it.
        """
        owner = self.user_id or self.group_id or "of the connection"
        self.log.info("%s event %r in mailbox %s", "Previewing" if self.preview else "Cancelling", self.event_id, owner)
        try:
            check_rendered(self, self._given)
            result = await self._cancel()
        except EventMissingError as error:
            if self.on_missing == "succeed":
                self.log.warning("Outcome: %s. %s", error.outcome, error)
                return
            self._say_who_must_act(error)
            raise
        except GraphCancelError as error:
            self._say_who_must_act(error)
            raise
        self.log.info("Outcome: %s (request id %s). %s", result.outcome, result.request_id, result.message)

    async def _cancel(self) -> CancelResult:
        # Importing the SDK takes a second, in which all other triggers of a triggerer would stand still.
        hook = await asyncio.to_thread(self._make_hook)
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
                    backoff=Backoff(retry_for=self.time_limit, longest_wait=self.time_limit),
                )
        except TimeoutError:
            raise ServiceUnavailableError(
                f"Cancelling event {self.event_id!r} took more than {self.time_limit:g} s (time_limit). Whether it is "
                "cancelled is not known."
            ) from None

    def _make_hook(self) -> GraphEventHook:
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook

        return GraphEventHook(conn_id=self.conn_id, api_version=self.api_version)

    def _say_who_must_act(self, error: GraphCancelError) -> None:
        self.log.error("Outcome: %s. %s Airflow will not call again: see to the meeting.", error.outcome, error)
