"""Cancel Outlook meetings as a step of a pipeline: one in a task, or thousands."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from airflow_graph_cancel.graph.cancel.journal import InMemoryJournal
from airflow_graph_cancel.graph.errors import (
    EventMissingError,
    GraphCancelError,
    NotOrganizerError,
    StoppedError,
    TryLaterError,
)
from airflow_graph_cancel.graph.formatting import counted
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from airflow_graph_cancel.graph.template_values import names
from airflow_graph_cancel.hooks.storage import write_report
from airflow_graph_cancel.hooks.task_state.bulk_journal import TaskStateBulkJournal
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

    from airflow_graph_cancel.graph.cancel.bulk import BulkProgress, BulkResult
    from airflow_graph_cancel.graph.model.address import EventAddress

__all__ = ["GraphCancelEventOperator", "GraphCancelEventsOperator"]

Row = dict[str, str | int | None]
IfChanged = Literal["hold", "cancel"]
_ROWS_LOGGED = 10
_LOG_EVERY = 5.0
"""Seconds between two progress messages."""
_MAX_DEFERRALS = 10
"""If Graph asks to wait more often than this in one try, Airflow's retries decide."""


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


class GraphCancelEventsOperator(GraphOperator):
    """Cancel many Outlook events, tell each attendee exactly once, and account for every event.

    Works on many mailboxes at once, with four requests at a time in each and up to twenty requests in a batch. All
    events are tried before the task fails; a retry takes up only those that are not settled. Returns ``{"total",
    "counts": {outcome: n}, "unsettled": [up to 100 rows], "report": path or None}``.

    :param events: a list of ids, a list of rows ``{"event_id", "user_id" | "group_id", "calendar_id",
        "calendar_group_id", "comment"}`` (other keys are copied to the report), or the plan that
        ``GraphFindEventsOperator`` returned, which is carried out unchanged or not at all. (templated)
    :param comment: message to the attendees of events without their own. (templated)
    :param user_id: owner of events that name none; default is the connection's mailbox, else ``/me``. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: version of Graph, ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param on_missing: how the task ends if an event does not exist: ``fail``; or ``skip`` or ``succeed``, which mean
        the same here: count the event and go on.
    :param on_not_organizer: the same for an attendee's or a room's copy.
    :param preview: read the events and report what would happen, but send nothing.
    :param without: event ids that an approver took out of the plan; the rest is still bound to its digest. (templated)
    :param plan_max_age: refuse an older plan (timedelta); None accepts any age.
    :param if_changed: ``hold`` does not cancel an event that has changed since the plan was made, according to Graph's
        ``changeKey``; its outcome is ``changed``, and the task passes. ``cancel`` cancels the event without this
        check.
    :param max_meetings: refuse to send anything if there are more events.
    :param max_people: refuse to send anything if more people would get a message.
    :param report_path: where to write a report in JSON Lines, one row per event, as ``ObjectStoragePath`` takes it.
        (templated)
    :param concurrency: how many requests Graph may work on at once, over all mailboxes; a batch counts as four.
    :param batch: False sends each request on its own.
    :param retry_for: how long one try repeats the requests for an event after a 429, a 5xx or a lost response (seconds
        or timedelta). If all remaining events must wait for more than a minute, the task is deferred and holds no
        worker slot.
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`.
    """

    template_fields: Sequence[str] = (
        "events",
        "comment",
        "user_id",
        "conn_id",
        "api_version",
        "report_path",
        "without",
    )

    def __init__(
        self,
        *,
        events: object,
        comment: str | None = None,
        user_id: str | None = None,
        conn_id: str = "graph_calendar_default",
        api_version: str | None = None,
        on_missing: Policy = "fail",
        on_not_organizer: Policy = "fail",
        preview: bool = False,
        max_meetings: int | None = None,
        max_people: int | None = None,
        without: Iterable[str] | str | None = None,
        plan_max_age: timedelta | None = timedelta(hours=24),
        if_changed: IfChanged = "hold",
        report_path: str | None = None,
        concurrency: int = 64,
        batch: bool = True,
        retry_for: timedelta | float = timedelta(minutes=5),
        retry_policy: RetryPolicy | None = DEFAULT_RETRY_POLICY,
        **kwargs: Any,
    ) -> None:
        super().__init__(retry_policy=retry_policy, **kwargs)
        check_policies(on_missing=on_missing, on_not_organizer=on_not_organizer)
        check_booleans(preview=preview, batch=batch)
        if if_changed not in get_args(IfChanged):
            raise ValueError(f"if_changed must be hold or cancel, not {if_changed!r}")
        self.events = events
        self.comment = comment
        self.user_id = user_id
        self.conn_id = conn_id
        self.api_version = api_version
        self.on_missing = on_missing
        self.on_not_organizer = on_not_organizer
        self.preview = preview
        self.max_meetings = max_meetings
        self.max_people = max_people
        self.without = without
        self.plan_max_age = plan_max_age
        self.if_changed = if_changed
        self.report_path = report_path
        self.concurrency = concurrency
        self.batch = batch
        self.retry_for = retry_for
        self._given = given_fields(self)
        self._deferrals = 0
        self._last_log = 0.0
        self._last_progress: BulkProgress | None = None

    async def aexecute(self, context: Context) -> dict[str, Any]:
        """Cancel the events and return the counts, or end the task as the outcomes and the policies say.

        :raises AirflowFailException: if events were refused, or an argument is invalid; a retry would change nothing.
        :raises TryLaterError: if events are not settled when ``retry_for`` is over.
        """
        store = context.get("task_state_store")
        with airflow_errors():
            check_rendered(self, self._given)
            try:
                result = await self.hook.cancel_events(
                    self.events,
                    self.comment,
                    self.user_id,
                    without=names("without", self.without),
                    plan_max_age=self.plan_max_age,
                    hold_if_changed=self.if_changed == "hold",
                    preview=self.preview,
                    max_meetings=self.max_meetings,
                    max_people=self.max_people,
                    options=self._options(concurrency=self.concurrency, batch=self.batch),
                    journal=partial(TaskStateBulkJournal, store) if store is not None else None,
                    progress=self._log_progress,
                )
            except StoppedError:
                if self._last_progress is not None:
                    # The person who stopped the task must see which attendees were told.
                    self._write_report(self._last_progress.result())
                raise
        return self._finish(result, context)

    def execute_complete(self, context: Context, event: object = None, deferrals: int = 0) -> dict[str, Any]:
        """Start over after a deferral; the task state store knows which events are settled.

        :param deferrals: how often this try has been deferred.
        """
        self._deferrals = deferrals
        result: dict[str, Any] = self.execute(context)  # type: ignore[no-untyped-call]
        return result

    def _log_progress(self, progress: BulkProgress) -> None:
        self._last_progress = progress
        now = time.monotonic()
        if now - self._last_log < _LOG_EVERY:
            return
        self._last_log = now
        unsettled, rate = progress.total - progress.settled, progress.rate
        remaining = f", about {unsettled / rate:.0f} s left" if rate else ""
        counts = _counts_text(progress.result().counts)
        self.log.info("%d of %d settled (%s), %.0f/s%s", progress.settled, progress.total, counts, rate, remaining)

    def _finish(self, result: BulkResult, context: Context) -> dict[str, Any]:
        """Report the outcomes, then return, fail, retry or defer."""
        self._write_report(result)
        total, counts = len(result.inputs), {str(outcome): count for outcome, count in result.counts.items()}
        self.log.info("%d events: %s", total, _counts_text(result.counts) or "nothing to do")
        if held := result.counts[Outcome.CHANGED]:
            self.log.warning("%d events were held back, because they have changed since the plan was made", held)
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"total": total, **counts}
        failed = [number for number in range(total) if not self._passes(result.row(number).outcome)]
        if not failed:
            # An unsettled event never passes, so there is none here; its row is in the report and in the error.
            return {"total": total, "counts": counts, "unsettled": [], "report": self.report_path}
        sentence = f"{_failed_text(result, failed)} ({_counts_text(result.counts)}). {_reasons_text(result, failed)}"
        if not result.left:
            raise AirflowFailException(sentence)
        wait = result.longest_wait
        if is_long_wait(wait) and self._deferrals < _MAX_DEFERRALS:
            self._wait_deferred(wait, deferrals=self._deferrals + 1)
        error = next(iter(result.left.values()))
        raise type(error)(sentence, status=error.status, code=error.code, retry_after=wait) from error

    def _write_report(self, result: BulkResult) -> None:
        if not self.report_path:
            return
        rows = []
        for number, event in enumerate(result.inputs):
            address = {name: value for name, value in event.address.as_row().items() if value}
            # Other keys of a feed or a plan are copied, but cannot replace this package's own.
            rows.append({**event.further, **result.row(number).as_row(), **address})
        write_report(self.report_path, rows)

    def _passes(self, outcome: Outcome) -> bool:
        if outcome == Outcome.MISSING:
            return self.on_missing != "fail"
        if outcome == Outcome.NOT_ORGANIZER:
            return self.on_not_organizer != "fail"
        return outcome.passes


def _failed_text(result: BulkResult, failed: Sequence[int]) -> str:
    """Say how many events were not cancelled. Those that are not settled are named apart: they may be cancelled."""
    refused = sum(number in result.results for number in failed)
    unsettled = len(failed) - refused
    total = f" of {counted(len(result.inputs), 'event', 'events')}"
    parts = []
    if refused:
        parts.append(f"{refused:,}{total} {'was' if refused == 1 else 'were'} not cancelled")
    if unsettled:
        parts.append(f"{unsettled:,}{'' if parts else total} {'is' if unsettled == 1 else 'are'} not settled yet")
    return ", and ".join(parts)


def _reasons_text(result: BulkResult, failed: Sequence[int]) -> str:
    """Return the messages of the first failed events, each once, with the events that it does not name itself."""
    events: dict[str, list[str]] = {}
    for number in failed[:_ROWS_LOGGED]:
        row = result.row(number)
        unnamed = events.setdefault(row.message, [])
        if str(result.inputs[number].address) not in row.message:
            unnamed.append(f"{row.event_id} in {row.mailbox}")
    return "; ".join(f"{text} ({', '.join(unnamed)})" if unnamed else text for text, unnamed in events.items())


def _counts_text(counts: Counter[Outcome]) -> str:
    return ", ".join(f"{outcome} {count}" for outcome, count in sorted(counts.items()))
