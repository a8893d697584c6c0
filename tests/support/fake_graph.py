"""A stand-in for the client: responses by script, in no time but the virtual clock's, and a record of what was sent."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.requests import CancelRequest, GetRequest
from airflow_graph_cancel.graph.http.response import Response

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.errors import GraphCancelError
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.requests import Request

ROOT = "https://graph.example/v1.0"
AT_ONCE = 4
"""Requests that Outlook serves at a time in one mailbox, and Graph in one batch."""

Answer = Response | Exception | None
"""A response, an error instead of one, or None for a response that is lost, which a batch then lacks."""


@dataclass(slots=True)
class Sent:
    """Requests that went out together.

    :param at: when, on the monotonic clock.
    :param until: when the response came; infinite until then.
    """

    requests: list[Request]
    at: float
    until: float = float("inf")

    @property
    def mailboxes(self) -> Counter[str]:
        """Requests by mailbox."""
        return Counter(map(mailbox_of, self.requests))


def path_of(request: Request) -> str:
    """The resource that is asked for, without its query."""
    return request.path.partition("?")[0] if isinstance(request, GetRequest) else request.address.path


def mailbox_of(request: Request) -> str:
    """The mailbox in a path that begins with ``/users/``."""
    return path_of(request).split("/")[2]


@dataclass
class FakeGraph:
    """A client that sends nothing.

    :param answer: the answer to a request; called when it is carried out, at the end of its round trip.
    :param latency: seconds of a round trip, of which a batch has one for every four requests.
    :param outer: the answer to a whole batch, called after its parts were carried out; None lets their answers through.
    :ivar log: what happened, in order: ``sign in``, ``renew``, and requests as ``POST`` or ``GET`` with their paths.
    :ivar heard: each request with what the caller heard of it, in the order of the responses; None if it was lost.
    """

    answer: Callable[[Request], Answer]
    latency: float | Callable[[Sequence[Request]], float] = 0.1
    outer: Callable[[Sequence[Request]], Exception | None] = lambda _: None
    sent: list[Sent] = field(default_factory=list)
    log: list[tuple[str, str]] = field(default_factory=list)
    heard: list[tuple[Request, Answer]] = field(default_factory=list)
    login: Exception | None = None
    token: str = "token"

    def __post_init__(self) -> None:
        self.adapter = SimpleNamespace(base_url=f"{ROOT}/")
        self.credential = SimpleNamespace(renew=self._renew)

    @property
    def client(self) -> GraphClient:
        """Itself, as what it stands in for."""
        return cast("GraphClient", self)

    async def sign_in(self) -> str:
        """Return a token, or fail as the login does."""
        self.log.append(("sign in", ""))
        if self.login is not None:
            raise self.login
        return self.token

    async def _renew(self) -> None:
        self.log.append(("renew", ""))

    async def send(self, request: Request) -> Response:
        """Send one request."""
        (answer,) = await self._carry_out([request])
        self.heard.append((request, answer))
        if answer is None:
            raise ResponseLostError("The response was lost.")
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send_batch(
        self, requests: Sequence[Request], *, stopped: Callable[[], bool] = lambda: False
    ) -> list[Response | None]:
        """Send a batch."""
        answers = await self._carry_out(requests)
        if (error := self.outer(requests)) is not None:
            self.heard += [(request, error) for request in requests]
            raise error
        # An error of a single request has no place in a batch: its part is then missing.
        found = [answer if isinstance(answer, Response) else None for answer in answers]
        self.heard += zip(requests, found, strict=True)
        return found

    async def _carry_out(self, requests: Sequence[Request]) -> list[Answer]:
        sent = Sent(list(requests), time.monotonic())
        self.sent.append(sent)
        for request in requests:
            self.log.append(("POST" if isinstance(request, CancelRequest) else "GET", path_of(request)))
        trip = self.latency(requests) if callable(self.latency) else self.latency
        await asyncio.sleep(trip * -(-len(requests) // AT_ONCE))
        sent.until = time.monotonic()
        return [self.answer(request) for request in requests]

    def most_at_once(self, weigh: Callable[[Sent], int]) -> int:
        """Return the highest sum of weights of what was on its way at one moment."""
        return max(
            (sum(weigh(each) for each in self.sent if each.at <= sent.at < each.until) for sent in self.sent), default=0
        )


def lost(_: Sequence[Request]) -> GraphCancelError:
    """The response to a whole batch is lost."""
    return ResponseLostError("The response to the batch was lost.")
