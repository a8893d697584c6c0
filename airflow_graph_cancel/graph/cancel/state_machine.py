"""One event on its way to being cancelled: what to ask next, and what an answer makes of it. Sends nothing itself.

The rule that everything here serves: after an answer was lost, or when an earlier try may have sent the request, the
event is looked at before it is sent again. Gone means that our request took effect.

One request at a time or twenty in a batch, it is decided here and nowhere else what happens on a 404.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.errors import ServiceUnavailableError
from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.journal import Past
    from airflow_graph_cancel.graph.model.address import EventAddress

__all__ = ["EVIDENCE", "Cancellation", "Step"]

EVIDENCE = ("id", "isCancelled", "isOrganizer", "organizer")
"""Properties that a look asks for."""


class Step(Enum):
    """The request that a case needs next."""

    SEND = auto()
    LOOK_FOR_EFFECT = auto()
    """Did a request whose answer is not known take effect?"""
    LOOK_BEHIND = auto()
    """What does a refusal leave open: cancelled already, and whose copy would be the right one?"""


class Cancellation:
    """Decide about one event, from its first request to its outcome.

    Ask :attr:`step`, make that request, give the answer to :meth:`answered`, and so on until it returns a result or
    raises. After a :class:`~airflow_graph_cancel.graph.errors.TryLaterError` the case can be gone on with later.

    :param address: which event.
    :param past: what was sent for it before.
    """

    __slots__ = ("_doubted", "_past", "_refusal", "address", "step")

    def __init__(self, address: EventAddress, past: Past) -> None:
        self.address = address
        self._past = past
        self._doubted = past.sent_before()
        self._refusal: Response | None = None
        self.step = Step.LOOK_FOR_EFFECT if self._doubted else Step.SEND

    @property
    def attempts(self) -> int:
        """Cancel requests sent for this event so far, in all tries."""
        return self._past.sent

    @property
    def in_doubt(self) -> bool:
        """Whether a request was sent whose effect is not known."""
        return self.step is Step.LOOK_FOR_EFFECT

    @property
    def ever_in_doubt(self) -> bool:
        """Whether there was such a request at any time; the mark in the journal must then stay."""
        return self._doubted

    def lost(self) -> None:
        """Note that the request of this step went out and no usable answer came."""
        if self.step is Step.SEND:
            self._doubted, self.step = True, Step.LOOK_FOR_EFFECT

    def answered(self, answer: Response) -> CancelResult | None:
        """Take the answer to the request of this step; return the result, or None if another step is needed.

        :raises RefusedError: if Graph says no.
        :raises TryLaterError: if it says "later", or nothing that can be used.
        """
        match self.step:
            case Step.SEND:
                return self._sent(answer)
            case Step.LOOK_FOR_EFFECT:
                return self._looked_for_effect(answer)
            case Step.LOOK_BEHIND:
                return self._looked_behind(answer)

    def _sent(self, answer: Response) -> CancelResult | None:
        match answer.meaning:
            case Meaning.ACCEPTED:
                return self._result(Outcome.CANCELLED, "Graph accepted the cancellation.", answer)
            case Meaning.EVENT_GONE | Meaning.OCCURRENCE_GONE if self._doubted or self._past.sent_before():
                return self._result(
                    Outcome.CANCELLED, "The event is gone, and this task had sent its cancellation before.", answer
                )
            case Meaning.OCCURRENCE_GONE:
                return self._result(
                    Outcome.ALREADY_CANCELLED, "This date had been taken out of its series before.", answer
                )
            case Meaning.EVENT_GONE | Meaning.NOT_ORGANIZER | Meaning.MALFORMED:
                self._refusal, self.step = answer, Step.LOOK_BEHIND
                return None
            case Meaning.RECIPIENT_INVALID:
                # Graph has been seen to answer this after it had done the work.
                self._refusal = answer
                self.lost()
                return None
            case Meaning.EFFECT_UNKNOWN:
                self.lost()
                raise refusal(self.address, answer)
            case _:
                raise refusal(self.address, answer)

    def _looked_for_effect(self, answer: Response) -> CancelResult | None:
        if answer.meaning.is_gone or _is_cancelled(answer):
            return self._result(
                Outcome.CANCELLED, "The answer to an earlier request was lost; a look shows the event gone.", answer
            )
        if answer.meaning is Meaning.RECIPIENT_INVALID:
            raise ServiceUnavailableError(f"Graph answered a look at {self.address} as if it were a cancellation.")
        if answer.meaning is not Meaning.ACCEPTED or not answer.json.get("id"):
            # A look that does not show the event shows nothing.
            raise refusal(self.address, answer)
        self.step = Step.SEND
        if self._refusal is not None:
            raise refusal(self.address, self._refusal)
        return None

    def _looked_behind(self, answer: Response) -> CancelResult | None:
        self.step = Step.SEND
        if _is_cancelled(answer):
            return self._result(Outcome.ALREADY_CANCELLED, "This copy shows that it was cancelled before.", answer)
        copy = answer.json if answer.meaning is Meaning.ACCEPTED else None
        raise refusal(self.address, self._refusal or answer, copy)

    def _result(self, outcome: Outcome, message: str, answer: Response) -> CancelResult:
        return self.address.result(
            outcome,
            message,
            request_id=answer.request_id,
            # What a killed process had sent may not have been counted any more; it was one at least.
            attempts=max(self._past.sent, int(self.step is Step.LOOK_FOR_EFFECT)),
        )


def _is_cancelled(look: Response) -> bool:
    return look.meaning is Meaning.ACCEPTED and look.json.get("isCancelled") is True
