"""Cancel one event exactly once: send, look, send again, or stop.

The rule that everything here serves: after an answer was lost, or when an earlier try may have sent the request, the
event is looked at before it is sent again. Gone means that our request took effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.answers import Answer, Meaning
from airflow_graph_cancel.graph.client import AnswerLostError
from airflow_graph_cancel.graph.errors import GraphCancelError, StoppedError, TryLaterError
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from airflow_graph_cancel.graph.patience import Patience, never_stopped, patiently
from airflow_graph_cancel.graph.refusals import refusal

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.address import EventAddress
    from airflow_graph_cancel.graph.client import GraphClient
    from airflow_graph_cancel.graph.journal import Journal

__all__ = ["Cancelling"]

_EVIDENCE = ("id", "isCancelled", "isOrganizer", "organizer")


class Cancelling:
    """One event on its way to being cancelled.

    :param client: sends single requests.
    :param address: which event.
    :param comment: text for the attendees, None for none.
    :param journal: what earlier tries left and later ones will need.
    :param patience: how long to go on within the process.
    :param stopped: asked before every cancel request; True ends it.
    """

    def __init__(
        self,
        client: GraphClient,
        address: EventAddress,
        comment: str | None,
        *,
        journal: Journal,
        patience: Patience,
        stopped: Callable[[], bool] = never_stopped,
    ) -> None:
        self._client = client
        self._address = address
        self._comment = comment
        self._journal = journal
        self._patience = patience
        self._stopped = stopped
        self._in_doubt = journal.sent_before()
        self._ever_in_doubt = self._in_doubt

    async def run(self) -> CancelResult:
        """Return how the event came to be cancelled.

        :raises RefusedError: if Graph says no.
        :raises TryLaterError: if it goes on saying "later" for longer than patience allows.
        :raises StoppedError: if told to stop.
        """
        if (settled := self._journal.settled_before()) is not None:
            return settled
        try:
            result = await patiently(self._once, self._address, self._patience, self._stopped)
        except GraphCancelError as error:
            error.attempts, error.in_doubt = self._journal.sent, self._in_doubt
            if not self._ever_in_doubt:
                self._journal.not_sent()
            raise
        if result.outcome is Outcome.CANCELLED:
            self._journal.settled(result)
        return result

    async def _once(self) -> CancelResult:
        if self._in_doubt and (gone := await self._took_effect()):
            return gone
        answer = await self._post()
        match answer.meaning:
            case Meaning.ACCEPTED:
                return self._result(Outcome.CANCELLED, "Graph accepted the cancellation.", answer)
            case Meaning.EVENT_GONE | Meaning.OCCURRENCE_GONE:
                return await self._not_there(answer)
            case Meaning.NOT_ORGANIZER | Meaning.MALFORMED:
                return await self._look_behind(answer)
            case Meaning.RECIPIENT_INVALID:
                # Graph has been seen to answer this after it had done the work.
                self._doubt()
                if gone := await self._took_effect():
                    return gone
                raise refusal(self._address, answer)
            case Meaning.EFFECT_UNKNOWN:
                self._doubt()
                raise refusal(self._address, answer)
            case _:
                raise refusal(self._address, answer)

    async def _post(self) -> Answer:
        if self._stopped():
            raise StoppedError(f"The task was told to stop before it sent the cancellation of {self._address}.")
        self._journal.sending()
        try:
            return await self._client.cancel(self._address, self._comment)
        except (AnswerLostError, asyncio.CancelledError):
            self._doubt()
            raise

    def _doubt(self) -> None:
        self._in_doubt = self._ever_in_doubt = True

    async def _took_effect(self) -> CancelResult | None:
        """Look whether a request whose answer is not known took effect; None if the event stands as before."""
        answer = await self._client.look(self._address, _EVIDENCE)
        if answer.meaning in {Meaning.EVENT_GONE, Meaning.OCCURRENCE_GONE} or _is_cancelled(answer):
            return self._result(
                Outcome.CANCELLED,
                "The answer to an earlier request was lost; a look shows the event gone.",
                answer,
            )
        if answer.meaning is not Meaning.ACCEPTED:
            raise refusal(self._address, answer)
        self._in_doubt = False
        return None

    async def _not_there(self, answer: Answer) -> CancelResult:
        """Tell the three kinds of "not there" apart: our doing, somebody else's, and never there."""
        if self._ever_in_doubt or self._journal.sent_before():
            return self._result(
                Outcome.CANCELLED,
                "The event is gone, and this task had sent its cancellation before.",
                answer,
            )
        if answer.meaning is Meaning.OCCURRENCE_GONE:
            return self._result(Outcome.ALREADY_CANCELLED, "This date had been taken out of its series before.", answer)
        return await self._look_behind(answer)

    async def _look_behind(self, answer: Answer) -> CancelResult:
        """Look for what a refusal leaves open: a copy that says it is cancelled, and whose copy would be right."""
        try:
            look = await self._client.look(self._address, _EVIDENCE)
        except TryLaterError:
            raise refusal(self._address, answer) from None
        if _is_cancelled(look):
            return self._result(Outcome.ALREADY_CANCELLED, "This copy shows that it was cancelled before.", look)
        copy = look.json if look.meaning is Meaning.ACCEPTED else None
        raise refusal(self._address, answer, copy)

    def _result(self, outcome: Outcome, message: str, answer: Answer) -> CancelResult:
        return CancelResult(
            event_id=self._address.event_id,
            mailbox=self._address.mailbox,
            outcome=outcome,
            message=message,
            request_id=answer.request_id,
            attempts=self._journal.sent,
        )


def _is_cancelled(look: Answer) -> bool:
    return look.meaning is Meaning.ACCEPTED and look.json.get("isCancelled") is True
