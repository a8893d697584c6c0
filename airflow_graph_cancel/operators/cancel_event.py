"""Cancel one Outlook meeting in a task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.operator import BaseAsyncOperator
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from airflow_graph_cancel.graph.cancel.journal import NoJournal
from airflow_graph_cancel.graph.dispatch.backoff import LONGEST_WAIT, Backoff
from airflow_graph_cancel.graph.errors import (
    EventMissingError,
    GraphCancelError,
    NotOrganizerError,
    StoppedError,
    TryLaterError,
)
from airflow_graph_cancel.graph.outcome import CancelResult
from airflow_graph_cancel.hooks.task_state.journal import TaskStateJournal
from airflow_graph_cancel.operators.endings import (
    OBEY_GRAPH,
    Policy,
    check_policies,
    check_rendered,
    check_switches,
    given,
    waiting_trigger,
)

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

    from airflow_graph_cancel.graph.model.address import EventAddress
    from airflow_graph_cancel.hooks.graph_event import GraphEventHook

__all__ = ["GraphCancelEventOperator"]


class GraphCancelEventOperator(BaseAsyncOperator):
    """Cancel one Outlook event, so that each attendee is told exactly once.

    The request is sent on the worker and never in a trigger, which Airflow may run twice. Before it goes out the task
    state store notes it; a retry that finds the note looks at the event before it sends anything. Returns a row
    ``{"event_id", "mailbox", "outcome", "request_id", "attempts", "at", "message"}``.

    :param event_id: id of the event in the organizer's mailbox: an occurrence's for that date, a series master's for
        the whole series, past dates too. (templated)
    :param comment: text that the attendees read; whoever can see the DAG run can read it too. (templated)
    :param user_id: user principal name or object id of the organizer; default is the connection's mailbox, else
        ``/me``. (templated)
    :param group_id: a Microsoft 365 group as the owner. (templated)
    :param calendar_id: a calendar's id, or ``"default"``. (templated)
    :param calendar_group_id: a calendar group's id, or ``"default"`` for ``/me``. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param on_missing: what to do when there is no such event: ``fail``, ``skip`` or ``succeed``.
    :param on_not_organizer: what to do when the mailbox is an attendee's or a room's: ``fail``, ``skip``, ``succeed``.
    :param preview: read and report, send nothing.
    :param retry_for: how long to go on within one try after "later" and lost answers (seconds or timedelta). A single
        wait of more than a minute is deferred and holds no worker slot.
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`; yours wins.
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
        on_missing: Policy = "fail",
        on_not_organizer: Policy = "fail",
        preview: bool = False,
        retry_for: timedelta | float = timedelta(minutes=5),
        retry_policy: RetryPolicy | None = OBEY_GRAPH,
        **kwargs: Any,
    ) -> None:
        super().__init__(retry_policy=retry_policy, **kwargs)
        check_policies(on_missing=on_missing, on_not_organizer=on_not_organizer)
        check_switches(preview=preview)
        self.event_id = event_id
        self.comment = comment
        self.user_id = user_id
        self.group_id = group_id
        self.calendar_id = calendar_id
        self.calendar_group_id = calendar_group_id
        self.conn_id = conn_id
        self.api_version = api_version
        self.on_missing = on_missing
        self.on_not_organizer = on_not_organizer
        self.preview = preview
        self.retry_for = retry_for
        self._given = given(self)
        self._started: datetime | None = None
        self._in_doubt = False
        self._stopped = False

    @cached_property
    def hook(self) -> GraphEventHook:
        """The hook; imported here because DAG files are parsed all the time and the SDK is heavy."""
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook

        return GraphEventHook(conn_id=self.conn_id, api_version=self.api_version)

    async def aexecute(self, context: Context) -> dict[str, str | int | None]:
        """Cancel the event and return its row, or end the task as its outcome demands."""
        store = context.get("task_state_store")
        self._started = self._started or datetime.now(UTC)
        owner = self.user_id or self.group_id or "of the connection"
        self.log.info("%s event %r in mailbox %s", "Previewing" if self.preview else "Cancelling", self.event_id, owner)
        try:
            check_rendered(self, self._given)
            result = await self.hook.cancel_event(
                self.event_id,
                self.comment,
                self.user_id,
                self.group_id,
                self.calendar_id,
                self.calendar_group_id,
                preview=self.preview,
                backoff=Backoff(retry_for=self._seconds_left(), longest_wait=LONGEST_WAIT),
                journal=partial(TaskStateJournal, store) if store is not None else self._no_journal,
                stopped=lambda: self._stopped,
            )
        except GraphCancelError as error:
            result = self._end_badly(error)
        self.log.info("Outcome: %s (request id %s). %s", result.outcome, result.request_id, result.message)
        return result.as_row()

    def _no_journal(self, _: EventAddress) -> NoJournal:
        return NoJournal(sent_before=self._in_doubt)

    def execute_complete(
        self, context: Context, event: object = None, started: str | None = None, in_doubt: bool = False
    ) -> dict[str, str | int | None]:
        """Go on after a deferral, by beginning anew: the task state store knows what had been sent."""
        self._started = datetime.fromisoformat(started) if started else None
        self._in_doubt = in_doubt
        row: dict[str, str | int | None] = self.execute(context)  # type: ignore[no-untyped-call]
        return row

    def on_kill(self) -> None:
        """Send nothing more.

        Airflow raises nothing in a task that is marked failed or gets SIGTERM; it calls this and lets the task go on.
        """
        self._stopped = True

    def _seconds_left(self) -> float:
        budget = self.retry_for.total_seconds() if isinstance(self.retry_for, timedelta) else self.retry_for
        started = self._started or datetime.now(UTC)
        return max(0.0, budget - (datetime.now(UTC) - started).total_seconds())

    def _end_badly(self, error: GraphCancelError) -> CancelResult:
        """Return a row for an outcome that may pass, else raise what Airflow understands."""
        self.log.info("Outcome: %s. %s", error.outcome, error)
        policy = "fail"
        if isinstance(error, EventMissingError):
            policy = self.on_missing
        elif isinstance(error, NotOrganizerError):
            policy = self.on_not_organizer
        elif isinstance(error, TryLaterError):
            self._defer_a_long_wait(error)
            raise error
        elif isinstance(error, StoppedError):
            raise error
        if policy == "skip":
            raise AirflowSkipException(str(error)) from None
        if policy == "fail":
            raise AirflowFailException(str(error)) from None
        return CancelResult(
            event_id=self.event_id,
            mailbox=error.mailbox or "me",
            outcome=error.outcome,
            message=str(error),
            request_id=error.request_id,
            attempts=error.attempts,
        )

    def _defer_a_long_wait(self, error: TryLaterError) -> None:
        if error.retry_after is None or error.retry_after <= LONGEST_WAIT or self._seconds_left() <= 0:
            return
        moment = datetime.now(UTC) + timedelta(seconds=error.retry_after)
        self.log.info("Graph asked to wait until %s; the worker slot is free until then.", moment.isoformat())
        self.defer(
            trigger=waiting_trigger(moment),
            method_name="execute_complete",
            kwargs={"started": self._started.isoformat() if self._started else None, "in_doubt": error.in_doubt},
        )
