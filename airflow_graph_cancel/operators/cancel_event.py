"""Cancel one Outlook meeting in a task."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException

from airflow_graph_cancel.graph.cancel.journal import InMemoryJournal
from airflow_graph_cancel.graph.errors import EventMissingError, GraphCancelError, NotOrganizerError, TryLaterError
from airflow_graph_cancel.graph.outcome import CancelResult
from airflow_graph_cancel.hooks.task_state.journal import TaskStateJournal
from airflow_graph_cancel.operators.base import (
    DEFAULT_RETRY_POLICY,
    GraphOperator,
    Policy,
    airflow_errors,
    check_booleans,
    check_policies,
    check_rendered,
    given_fields,
    is_long_wait,
    to_seconds,
)

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

    from airflow_graph_cancel.graph.model.address import EventAddress

__all__ = ["GraphCancelEventOperator"]

Row = dict[str, str | int | None]


class GraphCancelEventOperator(GraphOperator):
    """Cancel one Outlook event and tell each attendee exactly once.

    The request is sent from the worker, never from a trigger, because Airflow may run a trigger twice. The task state
    store records each request before it is sent; a retry that finds such a record reads the event before it sends
    anything. Returns a row ``{"event_id", "mailbox", "outcome", "request_id", "attempts", "at", "message"}``.

    :param event_id: id of the event in the organizer's mailbox. An occurrence's id cancels that date, a series master's
        the whole series, past dates included. (templated)
    :param comment: message to the attendees; everyone who can see the DAG run can read it too. (templated)
    :param user_id: organizer, as user principal name or object id; default is the connection's mailbox, else ``/me``.
        (templated)
    :param group_id: id of the Microsoft 365 group that owns the event. (templated)
    :param calendar_id: id of a calendar, or ``"default"``. (templated)
    :param calendar_group_id: id of a calendar group, or ``"default"`` for ``/me``. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: version of Graph, ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param on_missing: how the task ends if there is no such event: ``fail``, ``skip`` or ``succeed``.
    :param on_not_organizer: how it ends if the event is an attendee's or a room's copy: ``fail``, ``skip`` or
        ``succeed``.
    :param preview: read the event and report what would happen, but send nothing.
    :param retry_for: how long one try repeats the request after a 429, a 5xx or a lost response (seconds or timedelta).
        A single wait of more than a minute is deferred and holds no worker slot.
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`.
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
        retry_policy: RetryPolicy | None = DEFAULT_RETRY_POLICY,
        **kwargs: Any,
    ) -> None:
        super().__init__(retry_policy=retry_policy, **kwargs)
        check_policies(on_missing=on_missing, on_not_organizer=on_not_organizer)
        check_booleans(preview=preview)
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
        self._given = given_fields(self)
        self._started: datetime | None = None
        self._in_doubt = False

    async def aexecute(self, context: Context) -> Row:
        """Cancel the event and return its row, or end the task as its outcome and the policies say.

        :raises AirflowSkipException: if ``on_missing`` or ``on_not_organizer`` is ``skip`` and applies.
        :raises AirflowFailException: if Graph refuses, or an argument is invalid; a retry would change nothing.
        :raises TryLaterError: if ``retry_for`` is over before Graph gives an answer.
        """
        store = context.get("task_state_store")
        self._started = self._started or datetime.now(UTC)
        owner = self.user_id or self.group_id or "the connection's mailbox"
        self.log.info("%s an event of %s: %s", "Previewing" if self.preview else "Cancelling", owner, self.event_id)
        with airflow_errors():
            check_rendered(self, self._given)
            options = self._options(retry_for=self._seconds_left())
            try:
                result = await self.hook.cancel_event(
                    self.event_id,
                    self.comment,
                    self.user_id,
                    self.group_id,
                    self.calendar_id,
                    self.calendar_group_id,
                    preview=self.preview,
                    journal=partial(TaskStateJournal, store) if store is not None else self._in_memory,
                    options=options,
                )
            except GraphCancelError as error:
                result = self._result_of(error)
        self.log.info("Outcome: %s. %s (request id %s)", result.outcome, result.message, result.request_id)
        return result.as_row()

    def execute_complete(
        self, context: Context, event: object = None, started: str | None = None, in_doubt: bool = False
    ) -> Row:
        """Start over after a deferral; the task state store knows what was sent before it.

        :param started: when this try began, ISO 8601: the deferral counts towards ``retry_for``.
        :param in_doubt: whether an earlier request may have taken effect, for a context without a task state store.
        """
        self._started = datetime.fromisoformat(started) if started else None
        self._in_doubt = in_doubt
        row: Row = self.execute(context)  # type: ignore[no-untyped-call]
        return row

    def _in_memory(self, _: EventAddress) -> InMemoryJournal:
        return InMemoryJournal(sent_before=self._in_doubt)

    def _seconds_left(self) -> float:
        started = self._started or datetime.now(UTC)
        return max(0.0, to_seconds(self.retry_for) - (datetime.now(UTC) - started).total_seconds())

    def _result_of(self, error: GraphCancelError) -> CancelResult:
        """Return a result if a policy lets the error pass; else skip, defer or fail."""
        policy: Policy = "fail"
        if isinstance(error, EventMissingError):
            policy = self.on_missing
        elif isinstance(error, NotOrganizerError):
            policy = self.on_not_organizer
        elif isinstance(error, TryLaterError):
            self._defer_long_wait(error)
        if policy == "succeed":
            return CancelResult(
                event_id=self.event_id,
                mailbox=error.mailbox or "me",
                outcome=error.outcome,
                message=str(error),
                request_id=error.request_id,
                attempts=error.attempts,
            )
        self.log.info("Outcome: %s. %s", error.outcome, error)
        if policy == "skip":
            raise AirflowSkipException(str(error)) from None
        raise error

    def _defer_long_wait(self, error: TryLaterError) -> None:
        if is_long_wait(error.retry_after) and self._seconds_left() > 0:
            started = self._started.isoformat() if self._started else None
            self._wait_deferred(error.retry_after, started=started, in_doubt=error.in_doubt)
