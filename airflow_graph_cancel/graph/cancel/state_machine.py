"""State machine for cancelling one event: which request comes next, and what a response means. Performs no I/O.

One rule governs it: after a lost response, or when an earlier try may have sent the request, the event is read
before its cancellation is sent again. If it is gone, our request took effect.

Single requests and batches both use it. Which request follows a 404, and which outcome, is decided here and
nowhere else.
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

EVIDENCE = ("id", "isCancelled", "isOrganizer", "organizer")
"""Properties that a read of the event (a GET) selects."""


class Step(Enum):
    """The request that is needed next."""

    SEND = auto()
    READ_FOR_EFFECT = auto()
    """Did a request whose response is not known take effect?"""
    READ_AFTER_REFUSAL = auto()
    """After a refusal: is the event cancelled already, and who is the organizer?"""


class Cancellation:
    """The state of cancelling one event, from its first request to its outcome.

    Read :attr:`step`, send that request, pass the response to :meth:`answered`, and repeat until it returns a result or
    raises. After a :class:`~airflow_graph_cancel.graph.errors.TryLaterError` it can be resumed later.

    :param address: which event.
    :param past: what was sent for it before.
    """

    __slots__ = ("_doubted", "_past", "_refusal", "address", "step")

    def __init__(self, address: EventAddress, past: Past) -> None:
        self.address = address
        self._past = past
        self._doubted = past.sent_before()
        self._refusal: Response | None = None
        self.step = Step.READ_FOR_EFFECT if self._doubted else Step.SEND

    @property
    def attempts(self) -> int:
        """Cancel requests sent for this event so far, in all tries."""
        return self._past.sent

    @property
    def in_doubt(self) -> bool:
        """Whether a request was sent whose effect is unknown."""
        return self.step is Step.READ_FOR_EFFECT

    @property
    def ever_in_doubt(self) -> bool:
        """Whether there ever was such a request; the mark in the journal must then stay."""
        return self._doubted

    def lost(self) -> None:
        """Record that the request of this step went out and no usable response came."""
        if self.step is Step.SEND:
            self._doubted, self.step = True, Step.READ_FOR_EFFECT

    def answered(self, response: Response) -> CancelResult | None:
        """Take the response to the request of this step; return the result, or None if another step is needed.

        :raises RefusedError: if Graph refuses.
        :raises TryLaterError: if Graph asks to try later, or the response is unusable.
        """
        match self.step:
            case Step.SEND:
                return self._sent(response)
            case Step.READ_FOR_EFFECT:
                return self._received_for_effect(response)
            case Step.READ_AFTER_REFUSAL:
                return self._received_after_refusal(response)

    def _sent(self, response: Response) -> CancelResult | None:
        match response.meaning:
            case Meaning.ACCEPTED:
                return self._result(Outcome.CANCELLED, "Graph accepted the cancellation.", response)
            case Meaning.EVENT_GONE | Meaning.OCCURRENCE_GONE if self._doubted or self._past.sent_before():
                return self._result(
                    Outcome.CANCELLED, "The event is gone, and this task had sent its cancellation.", response
                )
            case Meaning.OCCURRENCE_GONE:
                return self._result(
                    Outcome.ALREADY_CANCELLED, "This date had been removed from its series before.", response
                )
            case Meaning.EVENT_GONE | Meaning.NOT_ORGANIZER | Meaning.MALFORMED:
                self._refusal, self.step = response, Step.READ_AFTER_REFUSAL
                return None
            case Meaning.RECIPIENT_INVALID:
                # Graph has been seen to answer this although it had cancelled the event.
                self._refusal = response
                self.lost()
                return None
            case Meaning.EFFECT_UNKNOWN:
                self.lost()
                raise refusal(self.address, response)
            case _:
                raise refusal(self.address, response)

    def _received_for_effect(self, response: Response) -> CancelResult | None:
        if response.meaning.is_gone or _is_cancelled(response):
            return self._result(
                Outcome.CANCELLED, "The response to an earlier request was lost, and the event is gone.", response
            )
        if response.meaning is Meaning.RECIPIENT_INVALID:
            raise ServiceUnavailableError(f"Graph answered a read as if it were a cancellation: {self.address}.")
        if response.meaning is not Meaning.ACCEPTED or not response.json.get("id"):
            # A response that does not contain the event proves nothing.
            raise refusal(self.address, response)
        self.step = Step.SEND
        if self._refusal is not None:
            raise refusal(self.address, self._refusal)
        return None

    def _received_after_refusal(self, response: Response) -> CancelResult | None:
        self.step = Step.SEND
        if _is_cancelled(response):
            return self._result(Outcome.ALREADY_CANCELLED, "This copy shows that it was cancelled before.", response)
        event = response.json if response.meaning is Meaning.ACCEPTED else None
        raise refusal(self.address, self._refusal or response, event)

    def _result(self, outcome: Outcome, message: str, response: Response) -> CancelResult:
        return self.address.result(
            outcome,
            message,
            request_id=response.request_id,
            # A killed process may not have counted its request; it sent one at least.
            attempts=max(self._past.sent, int(self.step is Step.READ_FOR_EFFECT)),
        )


def _is_cancelled(read: Response) -> bool:
    return read.meaning is Meaning.ACCEPTED and read.json.get("isCancelled") is True
