"""What counts as a mailbox that is asked for too much."""

from __future__ import annotations

import pytest

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.dispatcher import Batch, Dispatcher, Options


async def never_flies(_: Batch) -> frozenset[str]:
    """Nothing is sent here."""
    raise AssertionError


@pytest.mark.parametrize(
    ("best", "seconds", "count", "slow"),
    [
        (0.1, 0.9, 1, False),
        (0.1, 1.1, 1, True),
        (0.1, 4.9, 20, False),
        (0.1, 5.1, 20, True),
        (0.5, 1.9, 4, False),
        (0.5, 2.1, 4, True),
        (3.0, 3.0, 4, False),
    ],
)
def test_slow_is_over_a_second_and_four_times_the_best(best: float, seconds: float, count: int, slow: bool) -> None:
    """By round trip, of which a batch of twenty has five; a service that is always slow is not strained by us."""
    flights = Dispatcher(never_flies, Options(Backoff()))
    assert not flights.is_slow(best, 1)
    assert flights.is_slow(seconds, count) is slow
