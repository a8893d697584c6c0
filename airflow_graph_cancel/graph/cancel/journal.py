"""What must outlive the process, so that no attendee is told twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_graph_cancel.graph.outcome import CancelResult

__all__ = ["BulkJournal", "Journal", "NoBulkJournal", "NoJournal", "Past"]


class Past(Protocol):
    """What is known of the requests that were sent for an event: all that is needed to decide about it."""

    @property
    def sent(self) -> int:
        """Cancel requests sent so far, in all tries."""

    def sent_before(self) -> bool:
        """Return whether another try or process may have sent the request; read anew on every call."""


class Journal(Past, Protocol):
    """Remember whether a cancel request for this event may be on its way.

    Written before a request goes out, so that a process that dies leaves the truth behind.
    """

    def settled_before(self) -> CancelResult | None:
        """Return the result of an earlier try that ended well, if there is one."""

    def sending(self) -> None:
        """Note that the request is about to be sent, and count it."""

    def not_sent(self) -> None:
        """Note that, for certain, no request took effect."""

    def settled(self, result: CancelResult) -> None:
        """Note that the event is cancelled."""


class BulkJournal(Protocol):
    """The same for many events of one task, each known by its number."""

    def settled_before(self) -> Mapping[int, CancelResult]:
        """Return what earlier tries settled."""

    def event(self, number: int) -> Past:
        """Return what is known of one event."""

    def sending(self, numbers: Sequence[int]) -> None:
        """Note that cancel requests for these events are about to be sent, and count them."""

    def not_sent(self, number: int) -> None:
        """Note that, for certain, no request for this event took effect."""

    def settled(self, number: int, result: CancelResult) -> None:
        """Note what became of an event."""

    def close(self) -> None:
        """Note that this process sends nothing more, and store what has not been stored yet."""

    def forget(self, numbers: Iterable[int]) -> None:
        """Let a next try decide about these events anew; nothing was sent for them that took effect."""


class NoJournal:
    """The journal of a caller that keeps nothing.

    :param sent_before: what the caller knows of an earlier try.
    """

    def __init__(self, *, sent_before: bool = False) -> None:
        self.sent = 0
        self._sent_before = sent_before

    def settled_before(self) -> None:
        """Nothing is known of earlier tries."""

    def sent_before(self) -> bool:
        """Return what the caller said."""
        return self._sent_before

    def sending(self) -> None:
        """Only count."""
        self.sent += 1

    def not_sent(self) -> None:
        """Keep nothing."""

    def settled(self, result: CancelResult) -> None:
        """Keep nothing."""


class NoBulkJournal:
    """The journal of a caller that sends nothing and never tries again."""

    def settled_before(self) -> Mapping[int, CancelResult]:
        """Nothing is known of earlier tries."""
        return {}

    def event(self, number: int) -> Past:
        """Nothing is known."""
        return NoJournal()

    def sending(self, numbers: Sequence[int]) -> None:
        """Keep nothing."""

    def not_sent(self, number: int) -> None:
        """Keep nothing."""

    def settled(self, number: int, result: CancelResult) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Keep nothing."""

    def forget(self, numbers: Iterable[int]) -> None:
        """Keep nothing."""
