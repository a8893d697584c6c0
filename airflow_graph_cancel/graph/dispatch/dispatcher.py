"""Run many requests within the limits of the service: the one engine for cancelling and for reading.

A :class:`Job` says which request it needs next and what a response means for it. The dispatcher decides when a request
goes out, alone or in a batch, and what to do when Graph says "later": back off, renew the token, or give up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

from airflow_graph_cancel.graph.dispatch.mailbox_queue import BATCH_LIMIT, CONCURRENT, Batch, MailboxQueue
from airflow_graph_cancel.graph.errors import ServiceUnavailableError, TryLaterError
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.response import Meaning, Response

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.requests import Request

_TICK = 0.25
_LAST_RESPONSES = 2.0
_SLOW, _SLOWER = 1.0, 4.0
"""A mailbox is overloaded if a round trip takes more than ``_SLOW`` seconds and ``_SLOWER`` times the fastest one."""


class Job(Protocol):
    """Something that sends one request after another until it is done."""

    @property
    def mailbox(self) -> str:
        """The mailbox whose limit the requests count against."""

    def next_request(self) -> Request:
        """Return the request that is needed next."""

    def received(self, response: Response) -> Self | None:
        """Take the response; return the job to continue with: this one, or another with a separate retry budget.

        :raises TryLaterError: if the request must be sent again later.
        """

    def lost(self) -> None:
        """Record that the request may have been carried out and no usable response came."""

    def gave_up(self, error: TryLaterError) -> None:
        """Record that the retry budget is spent."""


J = TypeVar("J", bound=Job)


@dataclass(slots=True)
class _Retry:
    """Since when and how often a job has been retried."""

    since: float
    tries: int = 0
    token_refused: bool = False


def _nothing(*_: object) -> None:
    """Do nothing."""


class Dispatcher(Generic[J]):
    """Send the jobs' requests until every job is done.

    :param client: sends single requests and batches.
    :param options: how many at a time, how long to retry, and who may stop it.
    :param before_send: called with the jobs of every request before it goes out; an error keeps it from being sent.
    :param tick: called several times a second, for progress.
    """

    def __init__(
        self,
        client: GraphClient,
        options: Options,
        *,
        before_send: Callable[[Sequence[J]], None] = _nothing,
        tick: Callable[[], None] = _nothing,
    ) -> None:
        self._client = client
        self._backoff = options.backoff
        self._stopped = options.stopped
        self._queue: MailboxQueue[J] = MailboxQueue(options.concurrency, BATCH_LIMIT if options.batch else 1)
        self._before_send = before_send
        self._tick = tick
        self._retries: dict[J, _Retry] = {}
        self._in_flight: set[asyncio.Task[None]] = set()
        self._backing_off = 0
        self._fastest = float("inf")
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()

    async def run(self, jobs: Iterable[J]) -> bool:
        """Return True when all jobs are done, False if told to stop; responses on their way are awaited briefly.

        :raises RefusedError: if the login refuses.
        :raises Exception: whatever a job or ``before_send`` raised; nothing more is sent.
        """
        for job in jobs:
            self._enqueue(job)
        if not len(self._queue):
            return True
        # One sign-in before many requests start at once.
        await self._client.sign_in()
        try:
            return await self._run()
        finally:
            for task in self._in_flight:
                task.cancel()

    async def _run(self) -> bool:
        ticked = time.monotonic()
        while self._failure is None and not self._stopped():
            while not self._stopped() and (batch := self._queue.take()):
                task = asyncio.create_task(self._send(batch))
                self._in_flight.add(task)
                task.add_done_callback(self._sent)
            if time.monotonic() - ticked > _TICK:
                ticked = time.monotonic()
                self._tick()
            if not (self._in_flight or self._backing_off or len(self._queue)):
                return True
            self._changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), _TICK)
        if self._failure is not None:
            raise self._failure
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=_LAST_RESPONSES)
        return False

    def _enqueue(self, job: J, *, first: bool = False) -> None:
        self._queue.put(job.mailbox.casefold(), job, first=first)
        self._changed.set()

    def _enqueue_later(self, seconds: float, job: J) -> None:
        self._backing_off += 1
        asyncio.get_running_loop().call_later(seconds, self._backed_off, job)

    def _backed_off(self, job: J) -> None:
        self._backing_off -= 1
        self._enqueue(job)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error
        self._changed.set()

    async def _send(self, batch: Batch[J]) -> None:
        jobs = [job for _, job in batch]
        requests = [job.next_request() for job in jobs]
        self._before_send(jobs)
        started = time.monotonic()
        responses = await self._exchange(requests)
        slow = self._is_slow(time.monotonic() - started, len(batch))
        strained = {mailbox for mailbox, _ in batch} if slow else set()
        token_works = any(isinstance(each, Response) and each.meaning is Meaning.ACCEPTED for each in responses)
        renew = False
        for (mailbox, job), response in zip(batch, responses, strict=True):
            if isinstance(response, Response) and response.meaning is Meaning.THROTTLED:
                strained.add(mailbox)
            renew |= self._take(job, response, token_works=token_works)
        if renew:
            await self._client.credential.renew()
        self._queue.done(batch, frozenset(strained))

    async def _exchange(self, requests: Sequence[Request]) -> Sequence[Response | TryLaterError]:
        try:
            if len(requests) == 1:
                return [await self._client.send(requests[0])]
            return [
                response or ResponseLostError("Graph's response to a batch lacks this part.")
                for response in await self._client.send_batch(requests, stopped=self._stopped)
            ]
        except TryLaterError as error:
            # A copy for each job, because its attempts and its doubt are written into the error.
            return [copy(error) for _ in requests]

    def _take(self, job: J, response: Response | TryLaterError, *, token_works: bool) -> bool:
        """Take the response of one job; return whether a fresh token is needed.

        :param token_works: whether Graph accepted the token for another job of the same batch.
        """
        try:
            if isinstance(response, TryLaterError):
                if isinstance(response, ResponseLostError):
                    job.lost()
                raise response
            if response.meaning is Meaning.TOKEN_REFUSED:
                if token_works:
                    raise ServiceUnavailableError("Graph refuses a token that it accepts for others.", status=401)
                if not (retry := self._retry(job)).token_refused:
                    retry.token_refused = True
                    self._enqueue(job, first=True)
                    return True
            elif (known := self._retries.get(job)) is not None:
                known.token_refused = False
            following = job.received(response)
        except TryLaterError as error:
            self._later(job, error)
            return False
        if following is not job:
            self._retries.pop(job, None)
        elif (known := self._retries.get(job)) is not None:
            # Graph answered properly: the next request starts with the shortest wait. The budget stays the job's.
            known.tries = 0
        if following is not None:
            self._enqueue(following, first=True)
        return False

    def _retry(self, job: J) -> _Retry:
        return self._retries.setdefault(job, _Retry(time.monotonic()))

    def _later(self, job: J, error: TryLaterError) -> None:
        retry = self._retry(job)
        retry.tries += 1
        wait = self._backoff.wait(error, retry.tries)
        if self._backoff.ends(wait, retry.since):
            del self._retries[job]
            job.gave_up(error)
        else:
            self._enqueue_later(wait, job)

    def _is_slow(self, seconds: float, count: int) -> bool:
        """Return whether a round trip took much longer than the service needs.

        :param seconds: duration of the batch.
        :param count: requests in it.
        """
        trip = seconds / -(-count // CONCURRENT)
        self._fastest = min(self._fastest, trip)
        return trip > max(_SLOW, _SLOWER * self._fastest)
