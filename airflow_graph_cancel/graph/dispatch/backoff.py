"""The one retry loop: how long to wait, when to hand over to Airflow, and how to stop at once."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from airflow_graph_cancel.graph.errors import ThrottledError, TryLaterError

__all__ = ["LONGEST_WAIT", "Backoff", "call_with_backoff", "never_stopped"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_SLICE = 0.5
LONGEST_WAIT = 60.0
"""Seconds that a worker slot may be held by a single wait."""


def never_stopped() -> bool:
    """Return False: for callers that nobody tells to stop."""
    return False


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to go on trying within the process before the error is handed to the caller.

    :param retry_for: seconds in all; 0 tries once.
    :param longest_wait: a single wait of more seconds than this is handed over, so that no worker slot is held.
    :param first_wait: seconds before the first repetition when the service names none; doubled each time, jittered.
    :param most_wait: seconds that such a back-off grows to.
    """

    retry_for: float = 300.0
    longest_wait: float = LONGEST_WAIT
    first_wait: float = 1.0
    most_wait: float = 30.0

    def wait(self, error: BaseException | None, tries: int) -> float:
        """Return the seconds to wait before the next try.

        What the service asks for is obeyed to the letter once. A service that goes on asking for nothing, or lost an
        answer, gets a jittered back-off at least: what it has begun may not be visible yet.

        :param error: of the last try.
        :param tries: 1 after the first.
        """
        asked = error.retry_after if isinstance(error, TryLaterError) else None
        if asked is not None and isinstance(error, ThrottledError):
            return asked if tries == 1 else max(asked, self._backoff(tries - 1))
        return max(asked or 0.0, self._backoff(tries))

    def ends(self, wait: float, since: float) -> bool:
        """Return whether the work is handed over rather than waited for once more.

        :param wait: seconds of the next wait.
        :param since: when it was first told "later", on the monotonic clock.
        """
        return wait > self.longest_wait or time.monotonic() + wait > since + self.retry_for

    def _backoff(self, tries: int) -> float:
        grown = min(self.most_wait, self.first_wait * 2.0 ** min(tries - 1, 32))
        return grown + random.uniform(0, self.first_wait)


async def call_with_backoff(
    once: Callable[[], Awaitable[T]],
    subject: object,
    backoff: Backoff,
    stopped: Callable[[], bool] = never_stopped,
) -> T:
    """Call ``once`` until it returns, waiting as the service asks, or else with jittered back-off.

    :param once: one try; only a :class:`TryLaterError` is worth another.
    :param subject: what it is about, for the log.
    :param backoff: when to hand over.
    :param stopped: asked twice a second while waiting; True ends the wait, and ``once`` decides what that means.
    :raises TryLaterError: the last one, when backoff is at its end.
    """
    began = time.monotonic()

    def wait(state: RetryCallState) -> float:
        return backoff.wait(state.outcome.exception() if state.outcome else None, state.attempt_number)

    def hand_over(state: RetryCallState) -> bool:
        return backoff.ends(state.upcoming_sleep, began)

    def say(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        status = error.status if isinstance(error, TryLaterError) else None
        what = f"Graph answered {status}" if status else "no answer"
        log.warning("%s: %s, going on in %.1f s", subject, what, state.upcoming_sleep)

    async def sleep(seconds: float) -> None:
        # In slices, because a stop only sets a flag and must not wait for the rest of a minute.
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not stopped():  # noqa: ASYNC110
            await asyncio.sleep(min(left, _SLICE))

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(TryLaterError),
        wait=wait,
        stop=hand_over,
        before_sleep=say,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(once)
