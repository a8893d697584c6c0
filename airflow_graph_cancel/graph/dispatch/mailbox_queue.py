"""Which events go out next, so that no mailbox is asked for more than it allows and the fullest one never waits.

Outlook serves an app four requests at a time in one mailbox, and Graph works on four parts of a ``$batch`` at a time,
whatever their mailboxes. So a mailbox that is in at most one batch at a time can never be asked for too much. Nothing
here sends anything or knows the time.

Source: https://learn.microsoft.com/graph/throttling-limits (Outlook service limits).
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

__all__ = ["AT_ONCE", "BATCH_LIMIT", "MailboxQueue"]

BATCH_LIMIT = 20
"""Requests that Graph takes in one batch."""
AT_ONCE = 4
"""Requests that Outlook serves at a time in one mailbox, and Graph at a time of one batch."""


@dataclass(slots=True)
class _Lane:
    """One mailbox's events that are still to be sent."""

    waiting: deque[int] = field(default_factory=deque)
    width: int = BATCH_LIMIT
    """Events that may be in one batch; fewer than four after the mailbox said that it was too much."""
    flying: int = 0
    size: int = 0
    """Events that ever waited here: the fullest mailbox is begun first, and a mailbox that is begun is finished first,
    so that what is in doubt after a crash is never much."""
    offered: bool = False


class MailboxQueue:
    """Make batches of events of many mailboxes.

    :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
    :param batch_limit: events in one request; 1 sends each on its own, at most four at a time for one mailbox.
    """

    def __init__(self, concurrency: int, batch_limit: int = BATCH_LIMIT) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        self._concurrency = concurrency
        self._batch_limit = batch_limit
        self._queue: dict[str, _Lane] = {}
        self._free = concurrency
        self._waiting = 0
        self._large: list[tuple[int, str]] = []
        self._small: list[tuple[int, str]] = []

    def __len__(self) -> int:
        """Return how many events wait."""
        return self._waiting

    def add(self, mailbox: str, event: int, *, first: bool = False) -> None:
        """Let an event wait for its turn.

        :param event: a number that the caller knows it by.
        :param first: before the others of its mailbox.
        """
        lane = self._queue.setdefault(mailbox, _Lane())
        if first:
            lane.waiting.appendleft(event)
        else:
            lane.waiting.append(event)
        lane.size += 1
        self._waiting += 1
        self._offer(mailbox, lane)

    def take(self) -> list[tuple[str, int]]:
        """Return the next batch as pairs of mailbox and event; empty if nothing may go out now.

        The mailbox with most events goes first. Small ones share a batch, but only as far as that costs no round
        trip more than the whole needs anyway.
        """
        if not self._free or (leader := self._pop(self._large) or self._pop(self._small)) is None:
            return []
        # Graph would work on four parts of a larger batch at a time, however few slots are left.
        most = self._rounds(self._queue[leader]) * AT_ONCE if self._free >= AT_ONCE else self._free
        size = min(self._batch_limit, most)
        batch = self._draw(leader, size)
        aside: list[str] = []
        while len(batch) < size and len(aside) < AT_ONCE and (guest := self._pop(self._small)) is not None:
            room = size - len(batch)
            if min(len(self._queue[guest].waiting), self._queue[guest].width) <= room:
                batch += self._draw(guest, room)
            else:
                aside.append(guest)
        for mailbox in aside:
            self._offer(mailbox, self._queue[mailbox])
        self._free -= min(len(batch), AT_ONCE)
        return batch

    def landed(self, batch: list[tuple[str, int]], strained: frozenset[str] = frozenset()) -> None:
        """Take note that a batch was answered.

        :param strained: the mailboxes for which it was too much; they are asked for less until all is well again.
        """
        self._free += min(len(batch), AT_ONCE)
        for mailbox, _ in batch:
            self._queue[mailbox].flying -= 1
        for mailbox in {mailbox for mailbox, _ in batch}:
            lane = self._queue[mailbox]
            lane.width = max(1, min(lane.width, AT_ONCE) // 2) if mailbox in strained else lane.width * 2
            lane.width = min(lane.width, BATCH_LIMIT)
            self._offer(mailbox, lane)

    def _rounds(self, leader: _Lane) -> int:
        """Return how many round trips the rest needs at least: by its fullest mailbox, or by its sum."""
        fullest = -(-min(len(leader.waiting), BATCH_LIMIT) // AT_ONCE)
        return max(fullest, -(-self._waiting // self._concurrency))

    def _may_fly(self, lane: _Lane) -> int:
        """Return how many more events of this mailbox may go out in one request now."""
        if self._batch_limit > 1:
            return 0 if lane.flying else min(lane.width, self._batch_limit)
        return int(lane.flying < min(lane.width, AT_ONCE))

    def _draw(self, mailbox: str, most: int) -> list[tuple[str, int]]:
        lane = self._queue[mailbox]
        count = min(most, len(lane.waiting), self._may_fly(lane))
        drawn = [(mailbox, lane.waiting.popleft()) for _ in range(count)]
        lane.flying += count
        self._waiting -= count
        self._offer(mailbox, lane)
        return drawn

    def _offer(self, mailbox: str, lane: _Lane) -> None:
        if lane.waiting and not lane.offered and self._may_fly(lane):
            lane.offered = True
            heapq.heappush(self._large if lane.size > BATCH_LIMIT else self._small, (-lane.size, mailbox))

    def _pop(self, offers: list[tuple[int, str]]) -> str | None:
        """Return the fullest mailbox among these that may be sent to."""
        while offers:
            _, mailbox = heapq.heappop(offers)
            lane = self._queue[mailbox]
            lane.offered = False
            if lane.waiting and self._may_fly(lane):
                return mailbox
        return None
