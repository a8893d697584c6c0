"""What must outlive the process, so that no attendee is told twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.outcome import CancelResult

__all__ = ["Journal", "NoJournal"]


class Journal(Protocol):
    """Remember whether a cancel request for this event may be on its way.

    Written before a request goes out, so that a process that dies leaves the truth behind.

    :ivar sent: cancel requests sent so far, in all tries.
    """

    sent: int

    def settled_before(self) -> CancelResult | None:
        """Return the result of an earlier try that ended well, if there is one."""

    def sent_before(self) -> bool:
        """Return whether another try or process may have sent the request; read anew on every call."""

    def sending(self) -> None:
        """Note that the request is about to be sent, and count it."""

    def not_sent(self) -> None:
        """Note that, for certain, no request took effect."""

    def settled(self, result: CancelResult) -> None:
        """Note that the event is cancelled."""


class NoJournal:
    """The journal of a caller that never tries again."""

    def __init__(self) -> None:
        self.sent = 0

    def settled_before(self) -> None:
        """Nothing is known of earlier tries."""

    def sent_before(self) -> bool:
        """Nothing is known of earlier tries."""
        return False

    def sending(self) -> None:
        """Only count."""
        self.sent += 1

    def not_sent(self) -> None:
        """Keep nothing."""

    def settled(self, result: CancelResult) -> None:
        """Keep nothing."""
