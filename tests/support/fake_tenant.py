"""Events that are there or not, answered for as Graph would, with faults by plan, and what became of them in truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.inputs import CancelInput
from airflow_graph_cancel.graph.errors import ServiceUnavailableError
from airflow_graph_cancel.graph.http.requests import CancelRequest
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.model.address import EventAddress
from tests.support.fake_graph import path_of
from tests.support.graph_responses import ACCEPTED, BROKEN, GONE, RECIPIENT_INVALID, THROTTLED, TOKEN_REFUSED, event

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.requests import Request
    from tests.support.fake_graph import Answer

__all__ = ["FakeTenant", "Fault", "inputs_of", "sent_blindly"]


class Fault(Enum):
    """What goes wrong with a request."""

    LOST_BEFORE = auto()
    LOST_AFTER = auto()
    BROKEN_BEFORE = auto()
    BROKEN_AFTER = auto()
    RECIPIENT_AFTER = auto()
    THROTTLED = auto()
    TOKEN_REFUSED = auto()
    NEVER_SENT = auto()

    @property
    def carried_out(self) -> bool:
        """Whether the request took effect all the same."""
        return self in {Fault.LOST_AFTER, Fault.BROKEN_AFTER, Fault.RECIPIENT_AFTER}

    @property
    def answer(self) -> Answer:
        """What is heard of it."""
        match self:
            case Fault.LOST_BEFORE | Fault.LOST_AFTER:
                return None
            case Fault.BROKEN_BEFORE | Fault.BROKEN_AFTER:
                return BROKEN
            case Fault.RECIPIENT_AFTER:
                return RECIPIENT_INVALID
            case Fault.THROTTLED:
                return THROTTLED
            case Fault.TOKEN_REFUSED:
                return TOKEN_REFUSED
            case Fault.NEVER_SENT:
                return ServiceUnavailableError("Graph could not be reached.")


def no_fault(_: Request) -> Fault | Response | None:
    """Answer as Graph would."""
    return None


class FakeTenant:
    """Organizers' copies.

    :param inputs: the events that are there.
    :param fault: what goes wrong with a request, or the response instead of Graph's.
    :ivar alive: paths of the events that are there.
    :ivar messages: cancellations that attendees got, by path.
    """

    def __init__(
        self, inputs: Iterable[CancelInput], fault: Callable[[Request], Fault | Response | None] = no_fault
    ) -> None:
        self.alive = {each.address.path for each in inputs}
        self.messages: Counter[str] = Counter()
        self.fault = fault

    def answer(self, request: Request) -> Answer:
        """Carry the request out, or not, and answer it."""
        fault = self.fault(request)
        if isinstance(fault, Response):
            return fault
        if fault is None:
            return self._carry_out(request)
        if fault.carried_out:
            self._carry_out(request)
        return fault.answer

    def _carry_out(self, request: Request) -> Response:
        path = path_of(request)
        if path not in self.alive:
            return GONE
        if not isinstance(request, CancelRequest):
            return event()
        self.alive.remove(path)
        self.messages[path] += 1
        return ACCEPTED


def inputs_of(**counts: int) -> list[CancelInput]:
    """So many events in each mailbox."""
    return [
        CancelInput(EventAddress(f"{mailbox}-{number}", mailbox), "Closed.")
        for mailbox, count in counts.items()
        for number in range(count)
    ]


MAY_HAVE_TAKEN_EFFECT = {Meaning.EFFECT_UNKNOWN, Meaning.RECIPIENT_INVALID}


def sent_blindly(heard: Iterable[tuple[Request, Answer]]) -> list[str]:
    """Return the events that were sent again although nothing showed that the last request had no effect.

    :param heard: each request with what was heard of it, in the order of the responses; of one event there never are
        two on their way.
    """
    in_doubt: set[str] = set()
    blind = []
    for request, answer in heard:
        path = path_of(request)
        meaning = answer.meaning if isinstance(answer, Response) else None
        if isinstance(request, CancelRequest):
            if path in in_doubt:
                blind.append(path)
            may_have_left = answer is None or type(answer).__name__ == "ResponseLostError"
            if may_have_left or meaning in MAY_HAVE_TAKEN_EFFECT:
                in_doubt.add(path)
        elif isinstance(answer, Response) and meaning is Meaning.ACCEPTED and answer.json.get("id"):
            in_doubt.discard(path)
    return blind
