"""When a mailbox counts as strained, and what becomes of a part of a batch that has no response."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

import pytest

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.dispatcher import Dispatcher
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.http.requests import GetRequest
from airflow_graph_cancel.graph.http.response import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_graph_cancel.graph.errors import TryLaterError
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.requests import Request


class HalfDeaf:
    """A client that gets a response to the first part of every batch and to no other."""

    async def sign_in(self) -> str:
        """Return a token."""
        return "token"

    async def send_batch(self, requests: Sequence[Request]) -> list[Response | None]:
        """Answer the first request."""
        return [Response(404, {}), *[None] * (len(requests) - 1)]


class OneRead:
    """A job that is done with its first response."""

    mailbox = "ada@contoso.example"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def next_request(self) -> GetRequest:
        """Ask for something."""
        return GetRequest("/me")

    def received(self, response: Response) -> OneRead | None:
        """Take the response."""
        self.heard.append(f"received {response.status}")
        return None

    def lost(self) -> None:
        """Take note."""
        self.heard.append("lost")

    def gave_up(self, error: TryLaterError) -> None:
        """Take note."""
        self.heard.append("gave up")


@pytest.mark.parametrize(
    ("fastest", "seconds", "count", "slow"),
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
def test_slow_is_over_a_second_and_four_times_the_fastest(
    fastest: float, seconds: float, count: int, slow: bool
) -> None:
    """By round trip, of which a batch of twenty has five; a service that is always slow is not strained by us."""
    dispatcher: Dispatcher[OneRead] = Dispatcher(cast("GraphClient", HalfDeaf()), Options())
    assert not dispatcher._is_slow(fastest, 1)
    assert dispatcher._is_slow(seconds, count) is slow


def test_a_part_without_a_response_is_lost_and_not_done() -> None:
    """It may have been carried out; only a look can tell."""
    jobs = [OneRead(), OneRead()]
    dispatcher: Dispatcher[OneRead] = Dispatcher(cast("GraphClient", HalfDeaf()), Options(Backoff(retry_for=0)))
    assert asyncio.run(dispatcher.run(jobs))
    assert [job.heard for job in jobs] == [["received 404"], ["lost", "gave up"]]
