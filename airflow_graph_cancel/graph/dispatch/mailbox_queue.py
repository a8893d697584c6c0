"""Decide which requests go out next, within what each mailbox allows. No I/O and no clock.

Outlook serves four concurrent requests of one app in one mailbox, and Graph works on four parts of a ``$batch`` at a
time, whatever their mailboxes. A mailbox that is in at most one batch at a time can therefore never be throttled
because of us.

Source: https://learn.microsoft.com/graph/throttling-limits (Outlook service limits).
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
Batch = list[tuple[str, T]]
"""Pairs of a mailbox and what is asked of it."""

BATCH_LIMIT = 20
"""Requests that Graph accepts in one batch."""
CONCURRENT = 4
"""Requests that Outlook serves at a time in one mailbox, and Graph in one batch."""


@dataclass(slots=True)
class _Mailbox(Generic[T]):
    queued: deque[T] = field(default_factory=deque)
    width: int = BATCH_LIMIT
    """Items that may be in one batch; fewer than four after the mailbox was strained."""
    in_flight: int = 0
    size: int = 0
    """Items ever queued here. The fullest mailbox starts first, and a mailbox that has started finishes first, which
    keeps what is in doubt after a crash small."""
    offered: bool = False


class MailboxQueue(Generic[T]):
    """Make batches of the items of many mailboxes.

    :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
    :param batch_limit: items in one request; 1 sends each on its own, at most four at a time in one mailbox.
    """

    def __init__(self, concurrency: int, batch_limit: int = BATCH_LIMIT) -> None:
        if concurrency < 1:
            raise ValueError(f"concurrency must be at least 1, not {concurrency}")
        self._concurrency = concurrency
        self._batch_limit = batch_limit
        self._mailboxes: dict[str, _Mailbox[T]] = {}
        self._free = concurrency
        self._queued = 0
        self._arrived: set[str] = set()
        self._large: list[tuple[int, str]] = []
        self._small: list[tuple[int, str]] = []

    def __len__(self) -> int:
        """Return how many items are queued."""
        return self._queued

    def put(self, mailbox: str, item: T, *, first: bool = False) -> None:
        """Queue an item.

        :param first: before the other items of its mailbox.
        """
        entry = self._mailboxes.setdefault(mailbox, _Mailbox())
        if first:
            entry.queued.appendleft(item)
        else:
            entry.queued.append(item)
        entry.size += 1
        self._queued += 1
        # Offered when the next batch is taken: how full a mailbox is shows only when all its items are queued.
        self._arrived.add(mailbox)

    def take(self) -> Batch[T]:
        """Return the next batch; empty if nothing may go out now.

        The mailbox with most items goes first. Small ones share a batch, as long as that adds no round trip to those
        that the whole needs anyway.
        """
        while self._arrived:
            mailbox = self._arrived.pop()
            self._offer(mailbox, self._mailboxes[mailbox])
        if not self._free or (leader := self._pop(self._large) or self._pop(self._small)) is None:
            return []
        # Graph would work on four parts of a larger batch at a time, however few slots are left.
        most = self._rounds(self._mailboxes[leader]) * CONCURRENT if self._free >= CONCURRENT else self._free
        size = min(self._batch_limit, most)
        batch = self._draw(leader, size)
        aside: list[str] = []
        while len(batch) < size and len(aside) < CONCURRENT and (guest := self._pop(self._small)) is not None:
            room = size - len(batch)
            if min(len(self._mailboxes[guest].queued), self._mailboxes[guest].width) <= room:
                batch += self._draw(guest, room)
            else:
                aside.append(guest)
        for mailbox in aside:
            self._offer(mailbox, self._mailboxes[mailbox])
        self._free -= min(len(batch), CONCURRENT)
        return batch

    def done(self, batch: Batch[T], strained: frozenset[str] = frozenset()) -> None:
        """Record that a batch was answered.

        :param strained: mailboxes that were throttled or slow; they get smaller batches until all is well again.
        """
        self._free += min(len(batch), CONCURRENT)
        for mailbox, _ in batch:
            self._mailboxes[mailbox].in_flight -= 1
        for mailbox in {mailbox for mailbox, _ in batch}:
            entry = self._mailboxes[mailbox]
            entry.width = max(1, min(entry.width, CONCURRENT) // 2) if mailbox in strained else entry.width * 2
            entry.width = min(entry.width, BATCH_LIMIT)
            self._offer(mailbox, entry)

    def _rounds(self, leader: _Mailbox[T]) -> int:
        """Return how many round trips the rest needs at least: by its fullest mailbox, or by its sum."""
        fullest = -(-min(len(leader.queued), BATCH_LIMIT) // CONCURRENT)
        return max(fullest, -(-self._queued // self._concurrency))

    def _room(self, entry: _Mailbox[T]) -> int:
        """Return how many more items of this mailbox may go out in one request now."""
        if self._batch_limit > 1:
            return 0 if entry.in_flight else min(entry.width, self._batch_limit)
        return int(entry.in_flight < min(entry.width, CONCURRENT))

    def _draw(self, mailbox: str, most: int) -> Batch[T]:
        entry = self._mailboxes[mailbox]
        count = min(most, len(entry.queued), self._room(entry))
        drawn = [(mailbox, entry.queued.popleft()) for _ in range(count)]
        entry.in_flight += count
        self._queued -= count
        self._offer(mailbox, entry)
        return drawn

    def _offer(self, mailbox: str, entry: _Mailbox[T]) -> None:
        if entry.queued and not entry.offered and self._room(entry):
            entry.offered = True
            heapq.heappush(self._large if entry.size > BATCH_LIMIT else self._small, (-entry.size, mailbox))

    def _pop(self, offers: list[tuple[int, str]]) -> str | None:
        """Return the fullest mailbox among these that may be sent to."""
        while offers:
            _, mailbox = heapq.heappop(offers)
            entry = self._mailboxes[mailbox]
            entry.offered = False
            if entry.queued and self._room(entry):
                return mailbox
        return None
