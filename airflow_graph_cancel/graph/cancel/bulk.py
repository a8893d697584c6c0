"""Cancel many events, as fast as their mailboxes allow, each decided about like a single one."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.asking import Asking
from airflow_graph_cancel.graph.cancel.preview import forecast, people_told
from airflow_graph_cancel.graph.cancel.state_machine import Cancellation
from airflow_graph_cancel.graph.dispatch.dispatcher import Batch, Dispatcher, Options
from airflow_graph_cancel.graph.errors import (
    GraphCancelError,
    RefusedError,
    ServiceUnavailableError,
    StoppedError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.cancel.journal import BulkJournal
    from airflow_graph_cancel.graph.http.client import GraphClient

__all__ = ["BulkCancellation"]


@dataclass(slots=True)
class _Trouble:
    """An event that was not settled at once: how often it was told "later", and since when."""

    since: float
    tries: int = 0
    token_refused: bool = False


class BulkCancellation:
    """Many events on their way to being cancelled.

    :param client: sends batches and single requests.
    :param orders: the events; their places are their numbers.
    :param journal: what earlier tries left and later ones will need.
    :param options: how to go about it.
    :param preview: look at every event, send nothing; ``people`` then says how many would be told.
    :param tick: called several times a second, for progress.
    """

    def __init__(
        self,
        client: GraphClient,
        orders: Sequence[CancelInput],
        journal: BulkJournal,
        options: Options,
        *,
        preview: bool = False,
        tick: Callable[[BulkCancellation], None] = lambda _: None,
    ) -> None:
        self.orders = orders
        self.results: dict[int, CancelResult] = dict(journal.settled_before())
        self.left: dict[int, GraphCancelError] = {}
        self._known, self._started = len(self.results), time.monotonic()
        self.people = 0
        self.counts = Counter(result.outcome for result in self.results.values())
        self._client = client
        self._asking = Asking(client, preview=preview)
        self._journal = journal
        self._patience = options.backoff
        self._dispatcher = Dispatcher(self._fly, options, lambda: tick(self))
        self._preview = preview
        self._cases: dict[int, Cancellation] = {}
        self._troubles: dict[int, _Trouble] = {}
        self._certainly_not_sent: set[int] = set()

    async def run(self) -> None:
        """Try every event; afterwards each is in ``results`` or, with its last error, in ``left``.

        :raises StoppedError: if told to stop; the journal holds what is known.
        """
        for number in range(len(self.orders)):
            if number not in self.results and number not in self.left:
                self._wait_for_turn(number)
        try:
            # A single sign-in before many requests begin at once.
            if len(self._dispatcher):
                await self._client.sign_in()
            if not await self._dispatcher.run():
                raise StoppedError(
                    f"The task was told to stop; {len(self.results)} of {len(self.orders)} events are settled."
                )
        finally:
            self._journal.close()

    def begun(self) -> list[int]:
        """Return the numbers of the events for which this task, in any of its tries, may have sent something."""
        return [
            number
            for number in range(len(self.orders))
            if (past := self._journal.event(number)).sent or past.sent_before()
        ]

    def settle(self, number: int, result: CancelResult) -> None:
        """Note what became of an event without anything being sent for it."""
        self.results[number] = result
        if result.outcome is Outcome.CHANGED:
            self._certainly_not_sent.add(number)
        self.counts[result.outcome] += 1
        self._journal.settled(number, result)

    def refuse(self, number: int, error: RefusedError) -> None:
        """Settle an event by a refusal."""
        case = self._case(number)
        if not case.ever_in_doubt:
            self._certainly_not_sent.add(number)
        self.settle(number, self.orders[number].address.failed(error, attempts=case.attempts))

    def leave(self, number: int, error: GraphCancelError) -> None:
        """Leave an event for a later try."""
        self.left[number] = error

    def forget_what_was_not_sent(self) -> None:
        """Let whoever runs the task again, by clearing it, have refused and held events decided about anew.

        Only for a try after which Airflow makes no other by itself. What was ever in doubt stays as it is.
        """
        self._journal.forget(self._certainly_not_sent)

    def _wait_for_turn(self, number: int, *, first: bool = False) -> None:
        self._dispatcher.wait_for_turn(self.orders[number].address.mailbox, number, first=first)

    async def _fly(self, batch: Batch) -> frozenset[str]:
        numbers = [number for _, number in batch]
        cases = [self._case(number) for number in numbers]
        # The mark comes before the request, for a process can die at any moment after it.
        self._journal.sending([number for number, case in zip(numbers, cases, strict=True) if self._asking.sends(case)])
        started = time.monotonic()
        answers = await self._asking.ask(cases, [self.orders[number].comment for number in numbers])
        slow = self._dispatcher.is_slow(time.monotonic() - started, len(batch))
        strained = {mailbox for mailbox, _ in batch} if slow else set()
        token_works = any(isinstance(answer, Response) and answer.meaning is Meaning.ACCEPTED for answer in answers)
        renew = False
        for (mailbox, number), case, answer in zip(batch, cases, answers, strict=True):
            if isinstance(answer, Response) and answer.meaning is Meaning.THROTTLED:
                strained.add(mailbox)
            renew |= self._take(number, case, answer, token_works=token_works)
        if renew:
            await self._client.credential.renew()
        return frozenset(strained)

    def _case(self, number: int) -> Cancellation:
        if number not in self._cases:
            self._cases[number] = Cancellation(self.orders[number].address, self._journal.event(number))
        return self._cases[number]

    def _take(self, number: int, case: Cancellation, answer: Response | GraphCancelError, *, token_works: bool) -> bool:
        """Take one event's answer; return whether a fresh token is needed.

        :param token_works: whether the token was taken for another event of the same batch.
        """
        order = self.orders[number]
        try:
            if not isinstance(answer, Response):
                if isinstance(answer, ResponseLostError) and not self._preview:
                    case.lost()
                raise answer
            if answer.meaning is Meaning.TOKEN_REFUSED:
                if token_works:
                    raise ServiceUnavailableError("Graph refuses a token that it takes for other events.", status=401)
                if not self._trouble(number).token_refused:
                    self._trouble(number).token_refused = True
                    self._wait_for_turn(number, first=True)
                    return True
            elif number in self._troubles:
                self._troubles[number].token_refused = False
            if self._preview:
                result: CancelResult | None = forecast(order.address, answer)
                self.people += people_told(answer)
            else:
                result = case.answered(answer)
        except TryLaterError as error:
            self._later(number, case, error)
        except RefusedError as error:
            if not case.ever_in_doubt:
                self._certainly_not_sent.add(number)
            self._settle(number, order.address.failed(error, attempts=case.attempts))
        else:
            if result is None:
                if number in self._troubles:
                    # It answered properly; what comes next has its own bad luck.
                    self._troubles[number].tries = 0
                self._wait_for_turn(number, first=True)
            else:
                self._settle(number, result)
        return False

    def _trouble(self, number: int) -> _Trouble:
        return self._troubles.setdefault(number, _Trouble(time.monotonic()))

    def _later(self, number: int, case: Cancellation, error: TryLaterError) -> None:
        trouble = self._trouble(number)
        trouble.tries += 1
        wait = self._patience.wait(error, trouble.tries)
        if self._patience.ends(wait, trouble.since):
            error.in_doubt, error.attempts = case.in_doubt, case.attempts
            if not case.ever_in_doubt:
                self._journal.not_sent(number)
            self.left[number] = error
            del self._cases[number]
            return
        self._dispatcher.rest(wait, self.orders[number].address.mailbox, number)

    def _settle(self, number: int, result: CancelResult) -> None:
        self.settle(number, result)
        self._cases.pop(number, None)
        self._troubles.pop(number, None)

    @property
    def rate(self) -> float:
        """Events settled a second, in this run."""
        return (len(self.results) - self._known) / max(time.monotonic() - self._started, 0.001)

    @property
    def longest_wait_asked(self) -> float | None:
        """Seconds until the last of what is left may be asked for again, None if something has no such time."""
        waits = [error.retry_after for error in self.left.values()]
        return max((wait for wait in waits if wait is not None), default=None) if None not in waits else None
