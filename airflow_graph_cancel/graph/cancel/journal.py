"""What must outlive the process so that nobody is told twice: a mark before every cancel request, and the results."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_graph_cancel.graph.outcome import CancelResult


class Past(Protocol):
    """What is known of the requests sent for an event; the state machine needs nothing else."""

    @property
    def sent(self) -> int:
        """Cancel requests sent so far, in all tries."""

    def sent_before(self) -> bool:
        """Return whether another try or process may have sent the request; read from the store on every call."""


class Journal(Past, Protocol):
    """Record whether a cancel request for an event may be on its way.

    The record is written before the request goes out, and so survives a process that dies.
    """

    def settled_before(self) -> CancelResult | None:
        """Return the result of an earlier try that settled the event."""

    def sending(self) -> None:
        """Record that the request is about to be sent, and count it."""

    def not_sent(self) -> None:
        """Record that certainly no request took effect."""

    def settled(self, result: CancelResult) -> None:
        """Record that the event is cancelled."""


class BulkJournal(Protocol):
    """The same for the events of one task, each known by its place in the list."""

    def settled_before(self) -> Mapping[int, CancelResult]:
        """Return the results of earlier tries."""

    def event(self, number: int) -> Past:
        """Return what is known of one event."""

    def sending(self, numbers: Sequence[int]) -> None:
        """Record that cancel requests for these events are about to be sent, and count them."""

    def not_sent(self, number: int) -> None:
        """Record that certainly no request for this event took effect."""

    def settled(self, number: int, result: CancelResult) -> None:
        """Record the result of an event."""

    def close(self) -> None:
        """Record that this process sends nothing more, and store what is not stored yet."""

    def forget(self, numbers: Iterable[int]) -> None:
        """Let a later try decide about these events again; no request for them took effect."""


class InMemoryJournal:
    """The journal of a caller that keeps nothing beyond the process.

    :param sent_before: what the caller knows of an earlier try.
    """

    __slots__ = ("_sent_before", "sent")

    def __init__(self, *, sent_before: bool = False) -> None:
        self.sent = 0
        self._sent_before = sent_before

    def settled_before(self) -> None:
        """Return None: earlier tries left nothing."""

    def sent_before(self) -> bool:
        """Return what the caller said."""
        return self._sent_before

    def sending(self) -> None:
        """Count the request."""
        self.sent += 1

    def not_sent(self) -> None:
        """Keep nothing."""

    def settled(self, result: CancelResult) -> None:
        """Keep nothing."""


class InMemoryBulkJournal:
    """An :class:`InMemoryJournal` for each event."""

    def __init__(self) -> None:
        self._events: defaultdict[int, InMemoryJournal] = defaultdict(InMemoryJournal)

    def settled_before(self) -> Mapping[int, CancelResult]:
        """Return nothing: earlier tries left nothing."""
        return {}

    def event(self, number: int) -> InMemoryJournal:
        """Return the journal of one event."""
        return self._events[number]

    def sending(self, numbers: Sequence[int]) -> None:
        """Count the requests."""
        for number in numbers:
            self._events[number].sending()

    def not_sent(self, number: int) -> None:
        """Keep nothing."""

    def settled(self, number: int, result: CancelResult) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Keep nothing."""

    def forget(self, numbers: Iterable[int]) -> None:
        """Keep nothing."""
