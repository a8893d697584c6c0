"""Keep requests in the air: as many as the mailboxes and the app may have, and none after a stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from airflow_graph_cancel.graph.dispatch.backoff import Backoff, never_stopped
from airflow_graph_cancel.graph.dispatch.mailbox_queue import AT_ONCE, BATCH_LIMIT, MailboxQueue

__all__ = ["Batch", "Dispatcher", "Options"]

Batch = list[tuple[str, int]]
"""Pairs of a mailbox and the number of what is asked of it."""

_TICK = 0.25
_LAST_ANSWERS = 2.0
_SLOW, _SLOWER = 1.0, 4.0
"""A round trip of more seconds than this, and of so many times the best one, says that a mailbox is strained."""


def _nothing() -> None:
    """Let a tick pass."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to go about many requests.

    :param backoff: how long to go on with one of them after its first "later".
    :param concurrency: requests that the service works on at a time, over all mailboxes.
    :param batch: False sends each request on its own.
    :param stopped: asked before every request; True ends the work.
    """

    backoff: Backoff
    concurrency: int = 64
    batch: bool = True
    stopped: Callable[[], bool] = never_stopped


class Dispatcher:
    """Send what waits in the lanes until nothing waits, flies or rests any more.

    :param fly: makes one batch of requests, takes their answers, and returns the mailboxes that were strained.
    :param options: how many at a time, and who may stop it.
    :param tick: called several times a second, for progress.
    """

    def __init__(
        self,
        fly: Callable[[Batch], Awaitable[frozenset[str]]],
        options: Options,
        tick: Callable[[], None] = _nothing,
    ) -> None:
        self._fly = fly
        self._queue = MailboxQueue(options.concurrency, BATCH_LIMIT if options.batch else 1)
        self._stopped = options.stopped
        self._tick = tick
        self._flying: set[asyncio.Task[None]] = set()
        self._resting = 0
        self._best_trip = float("inf")
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """Return how many wait for their turn."""
        return len(self._queue)

    def wait_for_turn(self, mailbox: str, number: int, *, first: bool = False) -> None:
        """Let something wait until its mailbox may be asked.

        :param number: what the caller knows it by.
        :param first: before all others of its mailbox.
        """
        self._queue.add(mailbox.casefold(), number, first=first)
        self._changed.set()

    def rest(self, seconds: float, mailbox: str, number: int) -> None:
        """Let something wait for its turn after so many seconds; nothing else waits for it."""
        self._resting += 1
        asyncio.get_running_loop().call_later(seconds, self._rested, mailbox, number)

    def _rested(self, mailbox: str, number: int) -> None:
        self._resting -= 1
        self.wait_for_turn(mailbox, number)

    def is_slow(self, seconds: float, count: int) -> bool:
        """Return whether the service took much longer for a round trip than it can.

        :param seconds: that the batch took.
        :param count: requests in it.
        """
        trip = seconds / -(-count // AT_ONCE)
        self._best_trip = min(self._best_trip, trip)
        return trip > max(_SLOW, _SLOWER * self._best_trip)

    async def run(self) -> bool:
        """Return True when all is done, False if told to stop; answers on their way are waited for a little.

        :raises BaseException: what a flight raised.
        """
        try:
            return await self._work()
        finally:
            for flight in self._flying:
                flight.cancel()

    async def _work(self) -> bool:
        ticked = time.monotonic()
        while self._failure is None and not self._stopped():
            while not self._stopped() and (batch := self._queue.take()):
                flight = asyncio.create_task(self._flight(batch))
                self._flying.add(flight)
                flight.add_done_callback(self._landed)
            if time.monotonic() - ticked > _TICK:
                ticked = time.monotonic()
                self._tick()
            if not (self._flying or self._resting or len(self._queue)):
                return True
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _TICK)
        if self._failure is not None:
            raise self._failure
        if self._flying:
            await asyncio.wait(self._flying, timeout=_LAST_ANSWERS)
        return False

    async def _flight(self, batch: Batch) -> None:
        self._queue.landed(batch, await self._fly(batch))

    def _landed(self, flight: asyncio.Task[None]) -> None:
        self._flying.discard(flight)
        if not flight.cancelled() and (error := flight.exception()) is not None:
            self._failure = self._failure or error
        self._changed.set()
