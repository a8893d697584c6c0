"""Cancel thousands of Outlook events in one task."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.graph.errors import StoppedError
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.graph.template_values import names
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
)
from airflow_graph_cancel.operators.row_report import write_report

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

    from airflow_graph_cancel.graph.cancel.bulk import BulkProgress, BulkResult
__all__ = ["GraphCancelEventsOperator"]

IfChanged = Literal["hold", "cancel"]
_ROWS_SAID = 10
_SAY_EVERY = 5.0
_MOST_DEFERRALS = 10
"""A service that says "later" for ever is left to Airflow's retries, and to people."""


class GraphCancelEventsOperator(GraphOperator):
    """Cancel many Outlook events, so that each attendee is told exactly once and every event is accounted for.

    Many mailboxes are worked on side by side, four requests at a time in each, twenty requests in a batch. All events
    are tried before the task fails; a retry takes up only what is not settled. Returns ``{"total", "counts":
    {outcome: n}, "unsettled": [up to 100 rows], "report": path or None}``.

    :param events: a list of ids, a list of ``{"event_id", "user_id" | "group_id", "calendar_id", "calendar_group_id",
        "comment"}`` (further keys are carried into the report), or a plan, as ``GraphFindEventsOperator`` returned it,
        which is carried out as it stands or not at all; may come from XCom. (templated)
    :param comment: text for events that bring none. (templated)
    :param user_id: owner of events that bring none; default is the connection's mailbox, else ``/me``. (templated)
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param on_missing: ``fail``, or let the task pass with the event counted (``skip`` or ``succeed``).
    :param on_not_organizer: the same for copies that are an attendee's or a room's.
    :param preview: read and report, send nothing.
    :param without: event ids that an approver took out of the plan; the rest stays bound to its digest. (templated)
    :param plan_max_age: refuse an older plan (timedelta), None for any age.
    :param if_changed: ``hold`` does not cancel what has changed since the plan was made, by Graph's ``changeKey``: its
        outcome is ``changed``, and the task passes. ``cancel`` does not look.
    :param max_meetings: refuse before anything is sent if there are more events.
    :param max_people: refuse before anything is sent if more people would get a message.
    :param report_path: JSON Lines, a row an event; anything that ``ObjectStoragePath`` takes. (templated)
    :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
    :param batch: False sends each request on its own.
    :param retry_for: how long to go on with an event within one try after "later" (seconds or timedelta).
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`; yours wins.
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
        self._said = 0.0
        self._deferrals = 0
        self._last_progress: BulkProgress | None = None

    async def aexecute(self, context: Context) -> dict[str, Any]:
        """Cancel the events and return the counts, or end the task as the outcomes demand."""
        from airflow_graph_cancel.hooks.task_state.bulk_journal import TaskStateBulkJournal

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
                    progress=self._progress,
                )
            except StoppedError:
                if self._last_progress is not None:
                    # People were told of what is settled, whoever stopped the task.
                    self._write_report(self._last_progress.result())
                raise
        return self._end(result, context)

    def execute_complete(self, context: Context, event: object = None, deferrals: int = 0) -> dict[str, Any]:
        """Go on after a deferral, by beginning anew: the task state store knows what is settled."""
        self._deferrals = deferrals
        result: dict[str, Any] = self.execute(context)  # type: ignore[no-untyped-call]
        return result

    def _write_report(self, result: BulkResult) -> None:
        if self.report_path:
            write_report(self.report_path, result)

    def _progress(self, progress: BulkProgress) -> None:
        self._last_progress = progress
        now = time.monotonic()
        if now - self._said < _SAY_EVERY:
            return
        self._said = now
        open_events, rate = progress.total - progress.settled, progress.rate
        remaining = f", about {open_events / rate:.0f} s left" if rate else ""
        counted = _counted(progress.result().counts)
        self.log.info("%d of %d settled (%s), %.0f/s%s", progress.settled, progress.total, counted, rate, remaining)

    def _end(self, result: BulkResult, context: Context) -> dict[str, Any]:
        self._write_report(result)
        total, counts = len(result.inputs), result.counts
        plain = {str(outcome): count for outcome, count in counts.items()}
        self.log.info("%d events: %s", total, _counted(counts) or "nothing to do")
        if held := counts[Outcome.CHANGED]:
            self.log.warning("%d events have changed since the plan was made and were held back", held)
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"total": total, **plain}
        bad = [row for number in range(total) if not self._passes((row := result.row(number)).outcome)]
        if not bad:
            return {"total": total, "counts": plain, "unsettled": [], "report": self.report_path}
        said = "; ".join(f"{row.event_id} in {row.mailbox}: {row.message}" for row in bad[:_ROWS_SAID])
        sentence = f"{len(bad)} of {total} events were not cancelled ({_counted(counts)}). {said}"
        if not result.left:
            raise AirflowFailException(sentence)
        wait = result.longest_wait
        if is_long_wait(wait) and self._deferrals < _MOST_DEFERRALS:
            self._wait_deferred(wait, deferrals=self._deferrals + 1)
        worst = next(iter(result.left.values()))
        raise type(worst)(sentence, status=worst.status, code=worst.code, retry_after=wait) from worst

    def _passes(self, outcome: Outcome) -> bool:
        if outcome == Outcome.MISSING:
            return self.on_missing != "fail"
        if outcome == Outcome.NOT_ORGANIZER:
            return self.on_not_organizer != "fail"
        return outcome.passes


def _counted(counts: Counter[Outcome]) -> str:
    return ", ".join(f"{outcome} {count}" for outcome, count in sorted(counts.items()))
