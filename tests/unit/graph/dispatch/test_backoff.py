"""How long to wait, and when to stop waiting."""

from __future__ import annotations

import asyncio

import pytest

from airflow_graph_cancel.graph.dispatch.backoff import Backoff, call_with_backoff
from airflow_graph_cancel.graph.errors import ServiceUnavailableError, ThrottledError, TryLaterError

BACKOFF = Backoff(first_wait=1.0, most_wait=30.0)


def test_what_the_service_asks_for_is_obeyed_to_the_letter_once() -> None:
    """A decimal of Retry-After is neither rounded nor padded."""
    assert BACKOFF.wait(ThrottledError("later", retry_after=0.249), 1) == 0.249


def test_a_service_that_goes_on_asking_for_nothing_is_not_hammered() -> None:
    """Retry-After of 0 for ever would be thousands of requests a minute, each of which counts against the app."""
    waits = [BACKOFF.wait(ThrottledError("later", retry_after=0), tries) for tries in range(1, 6)]
    assert waits[0] == 0
    assert all(wait >= 2.0 ** (tries - 1) for tries, wait in enumerate(waits[1:], start=1))


def test_a_lost_answer_is_not_looked_after_at_once() -> None:
    """What Graph has begun may not be visible yet: reading the event too early would lead to a second message."""
    assert BACKOFF.wait(ServiceUnavailableError("no answer", retry_after=0), 1) >= 1.0


@pytest.mark.parametrize("tries", [1, 5, 50, 5000])
def test_the_back_off_has_an_end(tries: int) -> None:
    """Doubling stops at the most that anybody wants to wait, and never overflows."""
    assert 1.0 <= BACKOFF.wait(None, tries) <= 31.0


def test_a_wait_beyond_the_budget_is_handed_over() -> None:
    """It costs no time to find out that there is none."""
    calls = []

    async def once() -> None:
        calls.append(1)
        raise ThrottledError("later", retry_after=50)

    with pytest.raises(TryLaterError):
        asyncio.run(call_with_backoff(once, "a test", Backoff(retry_for=10)))
    assert len(calls) == 1


def test_a_bug_is_not_retried() -> None:
    """Only what says "later" of itself is worth another try."""

    async def once() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(call_with_backoff(once, "a test", BACKOFF))
