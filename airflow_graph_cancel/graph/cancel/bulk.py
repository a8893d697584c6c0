"""Cancel many events as fast as their mailboxes allow, each decided by the same state machine as a single one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.drift import find_drift
from airflow_graph_cancel.graph.cancel.state_machine import EVIDENCE, Cancellation, Step
from airflow_graph_cancel.graph.dispatch.dispatcher import Dispatcher
from airflow_graph_cancel.graph.errors import GraphCancelError, RefusedError, StoppedError, TryLaterError
from airflow_graph_cancel.graph.http.requests import CancelRequest, GetRequest, Request, event_path
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.cancel.journal import BulkJournal
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.response import Response


@dataclass(frozen=True, slots=True)
class BulkResult:
    """The result of a bulk run.

    :param inputs: the events, in the order in which they were given; their places are the keys of the mappings.
    :param results: results of the settled events.
    :param left: the last errors of the events that a later try must take up.
    :param people: people who would be told, in a preview; None otherwise.
    """

    inputs: Sequence[CancelInput]
    results: Mapping[int, CancelResult]
    left: Mapping[int, GraphCancelError]
    people: int | None = None

    @property
    def counts(self) -> Counter[Outcome]:
        """Events by outcome, settled or not."""
        outcomes = [result.outcome for result in self.results.values()]
        return Counter([*outcomes, *(error.outcome for error in self.left.values())])

    @property
    def longest_wait(self) -> float | None:
        """Seconds until every unsettled event may be sent again, None if Graph named no time for one of them."""
        waits = [error.retry_after for error in self.left.values()]
        return max((wait for wait in waits if wait is not None), default=None) if None not in waits else None

    def row(self, number: int) -> CancelResult:
        """Return the result of one event; of an event that is not settled, why it is not.

        :param number: its place in ``inputs``.
        """
        address = self.inputs[number].address
        if (result := self.results.get(number)) is not None:
            return result
        if (error := self.left.get(number)) is not None:
            return address.failed(error)
        return address.result(
            Outcome.UNAVAILABLE, "The task ended before this event was settled: it may or may not be cancelled."
        )


@dataclass(frozen=True, slots=True)
class BulkProgress:
    """How far a bulk run has come.

    :param total: events in all.
    :param settled: events with a final outcome, those of earlier tries included.
    :param rate: events settled per second by this try.
    :param result: returns the result so far.
    """

    total: int
    settled: int
    rate: float
    result: Callable[[], BulkResult]


def no_progress(_: BulkProgress) -> None:
    """Do nothing, for callers that show no progress."""


async def cancel_events(
    client: GraphClient,
    inputs: Sequence[CancelInput],
    journal: BulkJournal,
    options: Options,
    *,
    hold: bool = False,
    progress: Callable[[BulkProgress], None] = no_progress,
) -> BulkResult:
    """Cancel the events, each once.

    :param client: sends batches and single requests.
    :param inputs: the events.
    :param journal: what earlier tries left and later ones need.
    :param options: how many at a time, how long to retry, and who may stop it.
    :param hold: do not cancel an event that has changed since it was planned.
    :param progress: called before the first request and then several times a second.
    :raises StoppedError: if told to stop; the journal and the last progress hold what is known.
    :raises RefusedError: if the login refuses.
    """
    run = _BulkRun(inputs, journal)

    def tick() -> None:
        progress(run.progress())

    tick()
    dispatcher: Dispatcher[_Event] = Dispatcher(client, options, before_send=run.before_send, tick=tick)
    try:
        if hold:
            run.hold(await find_drift(client, inputs, run.open(), run.begun(), options))
        finished = await dispatcher.run(_Event(run, number) for number in run.open())
    finally:
        journal.close()
    if not finished:
        raise StoppedError(f"The task was told to stop. {len(run.results)} of {len(inputs)} events are settled.")
    if not run.left:
        run.forget_what_was_not_sent()
    return run.result()


class _BulkRun:
    """The events of one run: their results, and the errors of those that are left."""

    def __init__(self, inputs: Sequence[CancelInput], journal: BulkJournal) -> None:
        self.inputs = inputs
        self.journal = journal
        self.results: dict[int, CancelResult] = dict(journal.settled_before())
        self.left: dict[int, GraphCancelError] = {}
        self._known, self._started = len(self.results), time.monotonic()
        self._certainly_not_sent: set[int] = set()

    def open(self) -> list[int]:
        """Return the events that have neither a result nor an error yet."""
        return [number for number in range(len(self.inputs)) if number not in self.results and number not in self.left]

    def begun(self) -> set[int]:
        """Return the events for which this task may have sent something, in any of its tries."""
        pasts = ((number, self.journal.event(number)) for number in range(len(self.inputs)))
        return {number for number, past in pasts if past.sent or past.sent_before()}

    def hold(self, drifted: Mapping[int, CancelResult | GraphCancelError]) -> None:
        """Keep events from being sent: those that have changed, and those that could not be read."""
        for number, found in drifted.items():
            if isinstance(found, CancelResult):
                self._certainly_not_sent.add(number)
                self.settle(number, found)
            elif isinstance(found, RefusedError):
                past = self.journal.event(number)
                found.in_doubt = past.sent_before()
                self.refuse(number, found, attempts=past.sent, in_doubt=found.in_doubt)
            else:
                self.left[number] = found

    def before_send(self, events: Sequence[_Event]) -> None:
        """Mark the events that are about to be cancelled: the process can die at any moment after the request."""
        self.journal.sending([event.number for event in events if event.cancels])

    def settle(self, number: int, result: CancelResult) -> None:
        """Record the final outcome of an event."""
        self.results[number] = result
        self.journal.settled(number, result)

    def refuse(self, number: int, error: RefusedError, *, attempts: int, in_doubt: bool) -> None:
        """Settle an event with a refusal.

        :param in_doubt: whether an earlier request for it may have taken effect.
        """
        if not in_doubt:
            self._certainly_not_sent.add(number)
        self.settle(number, self.inputs[number].address.failed(error, attempts=attempts))

    def leave(self, number: int, error: TryLaterError, *, in_doubt: bool) -> None:
        """Leave an event for a later try.

        :param in_doubt: whether a request for it may have taken effect.
        """
        self.left[number] = error
        if not in_doubt:
            self.journal.not_sent(number)

    def forget_what_was_not_sent(self) -> None:
        """Let a cleared task decide about refused and held events again.

        Only after a try that Airflow does not repeat by itself. What was ever in doubt stays as it is.
        """
        self.journal.forget(self._certainly_not_sent)

    def progress(self) -> BulkProgress:
        """Return how far the run has come."""
        seconds = max(time.monotonic() - self._started, 0.001)
        settled = len(self.results)
        return BulkProgress(len(self.inputs), settled, (settled - self._known) / seconds, self.result)

    def result(self) -> BulkResult:
        """Return what is known now."""
        return BulkResult(self.inputs, dict(self.results), dict(self.left))


class _Event:
    """One event of a run, as a job for the dispatcher."""

    __slots__ = ("_cancellation", "_run", "number")

    def __init__(self, run: _BulkRun, number: int) -> None:
        self.number = number
        self._run = run
        self._cancellation: Cancellation | None = None

    @property
    def mailbox(self) -> str:
        return self._run.inputs[self.number].address.mailbox

    @property
    def cancels(self) -> bool:
        """Whether its next request is a cancellation."""
        return self._state.step is Step.SEND

    @property
    def _state(self) -> Cancellation:
        # Only events in work have one: a hundred thousand would take memory for nothing.
        if self._cancellation is None:
            run, number = self._run, self.number
            self._cancellation = Cancellation(run.inputs[number].address, run.journal.event(number))
        return self._cancellation

    def next_request(self) -> Request:
        event = self._run.inputs[self.number]
        if self.cancels:
            return CancelRequest(event.address, event.comment)
        return GetRequest(event_path(event.address, EVIDENCE))

    def received(self, response: Response) -> _Event | None:
        state = self._state
        try:
            result = state.answered(response)
        except RefusedError as error:
            error.in_doubt = state.in_doubt
            self._run.refuse(self.number, error, attempts=state.attempts, in_doubt=state.ever_in_doubt)
        else:
            if result is None:
                return self
            self._run.settle(self.number, result)
        self._cancellation = None
        return None

    def lost(self) -> None:
        self._state.lost()

    def gave_up(self, error: TryLaterError) -> None:
        state, self._cancellation = self._state, None
        error.in_doubt, error.attempts = state.in_doubt, state.attempts
        self._run.leave(self.number, error, in_doubt=state.ever_in_doubt)
