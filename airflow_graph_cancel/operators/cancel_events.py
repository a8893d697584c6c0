"""Cancel thousands of Outlook events in one task."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.graph.dispatch.backoff import LONGEST_WAIT, Backoff
from airflow_graph_cancel.graph.errors import GraphCancelError, StoppedError, TryLaterError
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.graph.template_values import names
from airflow_graph_cancel.operators.base import (
    DEFAULT_RETRY_POLICY,
    GraphOperator,
    Policy,
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

    from airflow_graph_cancel.graph.cancel.bulk import BulkCancellation
__all__ = ["GraphCancelEventsOperator"]

IfChanged = Literal["hold", "cancel"]
_ROWS_SHOWN = 100
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
        self._work: BulkCancellation | None = None

    async def aexecute(self, context: Context) -> dict[str, Any]:
        """Cancel the events and return the counts, or end the task as the outcomes demand."""
        from airflow_graph_cancel.hooks.task_state.bulk_journal import TaskStateBulkJournal

        budget = self.retry_for.total_seconds() if isinstance(self.retry_for, timedelta) else self.retry_for
        try:
            check_rendered(self, self._given)
            work = await self.hook.cancel_events(
                self.events,
                self.comment,
                self.user_id,
                without=names("without", self.without),
                plan_max_age=self.plan_max_age,
                hold_if_changed=self.if_changed == "hold",
                preview=self.preview,
                max_meetings=self.max_meetings,
                max_people=self.max_people,
                concurrency=self.concurrency,
                batch=self.batch,
                backoff=Backoff(retry_for=budget, longest_wait=LONGEST_WAIT),
                journal=partial(TaskStateBulkJournal, context.get("task_state_store")),
                stopped=lambda: self._stopped,
                tick=self._progress,
            )
        except StoppedError:
            self._report_what_was_done()
            raise
        except TryLaterError:
            raise
        except GraphCancelError as error:
            raise AirflowFailException(str(error)) from error
        return self._end(work, context)

    def execute_complete(self, context: Context, event: object = None, deferrals: int = 0) -> dict[str, Any]:
        """Go on after a deferral, by beginning anew: the task state store knows what is settled."""
        self._deferrals = deferrals
        result: dict[str, Any] = self.execute(context)  # type: ignore[no-untyped-call]
        return result

    def _report_what_was_done(self) -> None:
        """Write the rows of what is settled: people were told of that, whoever stopped the task."""
        if self._work is None or not self.report_path:
            return
        message = "The task was told to stop: it is not known whether this event is cancelled."
        rows = {number: result.as_row() for number, result in self._work.results.items()}
        for number, order in enumerate(self._work.orders):
            if number not in rows:
                rows[number] = order.address.result(Outcome.UNAVAILABLE, message).as_row()
        write_report(self.report_path, self._work.orders, rows)

    def _progress(self, work: BulkCancellation) -> None:
        self._work = work
        now = time.monotonic()
        if now - self._said < _SAY_EVERY:
            return
        self._said = now
        rate = work.rate
        left = f", about {(len(work.orders) - len(work.results)) / rate:.0f} s left" if rate else ""
        self.log.info(
            "%d of %d settled (%s), %.0f/s%s", len(work.results), len(work.orders), _counted(work), rate, left
        )

    def _end(self, work: BulkCancellation, context: Context) -> dict[str, Any]:
        unsettled = {number: _left(work, number) for number in sorted(work.left)}
        rows = {**{number: result.as_row() for number, result in work.results.items()}, **unsettled}
        if self.report_path:
            write_report(self.report_path, work.orders, rows)
        result = {
            "total": len(work.orders),
            "counts": _plain(work),
            "unsettled": list(unsettled.values())[:_ROWS_SHOWN],
            "report": self.report_path,
        }
        self.log.info("%d events: %s", len(work.orders), _counted(work) or "nothing to do")
        if held := work.counts[Outcome.CHANGED]:
            self.log.warning("%d events have changed since the plan was made and were held back", held)
        for outlet in self.outlets:
            context["outlet_events"][outlet].extra = {"total": len(work.orders), **_plain(work)}
        if not unsettled:
            work.forget_what_was_not_sent()
        bad = [row for number, row in sorted(rows.items()) if not self._passes(Outcome(str(row["outcome"])))]
        if not bad:
            return result
        said = "; ".join(f"{row['event_id']} in {row['mailbox']}: {row['message']}" for row in bad[:_ROWS_SAID])
        sentence = f"{len(bad)} of {len(work.orders)} events were not cancelled ({_counted(work)}). {said}"
        if not unsettled:
            raise AirflowFailException(sentence)
        wait = work.longest_wait_asked
        if is_long_wait(wait) and self._deferrals < _MOST_DEFERRALS:
            self._wait_deferred(wait, deferrals=self._deferrals + 1)
        worst = next(iter(work.left.values()))
        raise type(worst)(sentence, status=worst.status, code=worst.code, retry_after=wait) from worst

    def _passes(self, outcome: Outcome) -> bool:
        if outcome == Outcome.MISSING:
            return self.on_missing != "fail"
        if outcome == Outcome.NOT_ORGANIZER:
            return self.on_not_organizer != "fail"
        return outcome.passes


def _left(work: BulkCancellation, number: int) -> dict[str, str | int | None]:
    return work.orders[number].address.failed(work.left[number]).as_row()


def _plain(work: BulkCancellation) -> dict[str, int]:
    counts = Counter({str(outcome): count for outcome, count in work.counts.items()})
    counts.update(str(error.outcome) for error in work.left.values())
    return dict(counts)


def _counted(work: BulkCancellation) -> str:
    return ", ".join(f"{outcome} {count}" for outcome, count in sorted(_plain(work).items()))
