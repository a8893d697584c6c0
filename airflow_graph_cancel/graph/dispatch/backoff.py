"""Backoff and the retry budget: how long to wait, when to give up, and how to stop at once."""

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

log = logging.getLogger(__name__)

T = TypeVar("T")

_SLICE = 0.5
LONGEST_WAIT = 60.0
"""Seconds. A single wait may hold a worker slot for this long; longer waits are deferred."""


def never_stopped() -> bool:
    """Return False, for callers that cannot be stopped."""
    return False


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to retry within the process before the error reaches the caller.

    :param retry_for: retry budget in seconds; 0 tries once.
    :param longest_wait: give up instead of waiting longer than this many seconds at once, to free the worker slot.
    :param first_wait: seconds before the first retry when the service names none; doubled each time, with jitter.
    :param most_wait: upper bound of that wait in seconds.
    """

    retry_for: float = 300.0
    longest_wait: float = LONGEST_WAIT
    first_wait: float = 1.0
    most_wait: float = 30.0

    def wait(self, error: BaseException | None, tries: int) -> float:
        """Return the seconds to wait before the next try.

        A ``Retry-After`` is obeyed exactly the first time. After that, and after a lost response, the wait is at least
        the jittered backoff: a service that keeps asking for 0 s must not be flooded, and a request that Graph has
        begun may not be visible yet.

        :param error: the error of the last try.
        :param tries: tries so far, 1 after the first.
        """
        asked = error.retry_after if isinstance(error, TryLaterError) else None
        if asked is not None and isinstance(error, ThrottledError):
            return asked if tries == 1 else max(asked, self._backoff(tries - 1))
        return max(asked or 0.0, self._backoff(tries))

    def ends(self, wait: float, since: float) -> bool:
        """Return whether to give up instead of retrying.

        :param wait: seconds until the next try.
        :param since: time of the first "later", on the monotonic clock.
        """
        return wait > self.longest_wait or time.monotonic() + wait > since + self.retry_for

    def _backoff(self, tries: int) -> float:
        grown = min(self.most_wait, self.first_wait * 2.0 ** min(tries - 1, 32))
        return grown + random.uniform(0, self.first_wait)


async def call_with_backoff(
    call: Callable[[], Awaitable[T]],
    subject: object,
    backoff: Backoff,
    stopped: Callable[[], bool] = never_stopped,
) -> T:
    """Call until it returns, waiting as long as the service asks or else with jittered backoff.

    :param call: one try; only a :class:`TryLaterError` is retried.
    :param subject: what the call is about, for the log.
    :param backoff: when to give up.
    :param stopped: checked twice a second while waiting; True ends the wait, and ``call`` decides what to do then. It
        is not called a second time after that.
    :raises TryLaterError: the last one, when the retry budget is spent.
    """
    began = time.monotonic()
    last_call = False

    async def call_once() -> T:
        nonlocal last_call
        # A stop also ends the waits that follow: a call that may still read would be repeated without a pause.
        last_call = stopped()
        return await call()

    def wait(state: RetryCallState) -> float:
        return backoff.wait(state.outcome.exception() if state.outcome else None, state.attempt_number)

    def give_up(state: RetryCallState) -> bool:
        return last_call or backoff.ends(state.upcoming_sleep, began)

    def log_retry(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        status = error.status if isinstance(error, TryLaterError) else None
        reason = f"Graph answered {status}" if status else "No response"
        log.warning("%s; retrying in %.1f s: %s", reason, state.upcoming_sleep, subject)

    async def sleep(seconds: float) -> None:
        # In slices, because a stop only sets a flag and must not wait for the rest of a minute.
        until = time.monotonic() + seconds
        while (remaining := until - time.monotonic()) > 0 and not stopped():  # noqa: ASYNC110
            await asyncio.sleep(min(remaining, _SLICE))

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(TryLaterError),
        wait=wait,
        stop=give_up,
        before_sleep=log_retry,
        sleep=sleep,
        reraise=True,
    )
    return await retrying(call_once)
