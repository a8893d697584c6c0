"""Read many resources side by side: batched, page by page, within what each mailbox allows. Sends nothing else."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_graph_cancel.graph.dispatch.dispatcher import Batch, Dispatcher, Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    ServiceUnavailableError,
    StoppedError,
    ThrottledError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.batch import Part
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.response import Meaning, Response

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.client import GraphClient

__all__ = ["Read", "Reply", "read_many"]

_LATER = {Meaning.THROTTLED: ThrottledError, Meaning.EFFECT_UNKNOWN: ServiceUnavailableError}


@dataclass(frozen=True, slots=True)
class Read:
    """A resource to be read.

    :param mailbox: whose limit it counts against.
    :param path: below the version, percent-encoded, with a leading slash.
    """

    mailbox: str
    path: str


@dataclass(slots=True)
class Reply:
    """What reading one resource came to.

    :param values: the rows of all its pages; a resource that is no collection is its own only row.
    :param refusal: Graph's last answer, if that is no.
    :param error: why it was given up, if Graph went on saying "later".
    :param request_id: of the last answer.
    """

    values: list[dict[str, object]] = field(default_factory=list)
    refusal: Response | None = None
    error: TryLaterError | None = None
    request_id: str | None = None


@dataclass(slots=True)
class _State:
    path: str
    since: float = 0.0
    tries: int = 0
    token_refused: bool = False
    pages: set[str] = field(default_factory=set)


async def read_many(client: GraphClient, reads: Sequence[Read], options: Options) -> list[Reply]:
    """Return the replies in the order of the reads.

    :param client: sends batches and single requests, only GETs here.
    :param reads: what to read; several of one mailbox wait for each other.
    :param options: how to go about it.
    :raises StoppedError: if told to stop.
    :raises RefusedError: if the login says no.
    """
    reading = _Reading(client, reads, options)
    if reads:
        await client.sign_in()
        await reading.run()
    return reading.replies


class _Reading:
    def __init__(self, client: GraphClient, reads: Sequence[Read], options: Options) -> None:
        self.replies = [Reply() for _ in reads]
        self._client = client
        self._reads = reads
        self._states = [_State(read.path, pages={read.path}) for read in reads]
        self._patience = options.backoff
        self._dispatcher = Dispatcher(self._fly, options)

    async def run(self) -> None:
        for number, read in enumerate(self._reads):
            self._dispatcher.wait_for_turn(read.mailbox, number)
        if not await self._dispatcher.run():
            raise StoppedError("The task was told to stop while it was reading.")

    async def _fly(self, batch: Batch) -> frozenset[str]:
        started = time.monotonic()
        answers = await self._ask([self._states[number].path for _, number in batch])
        slow = self._dispatcher.is_slow(time.monotonic() - started, len(batch))
        strained = {mailbox for mailbox, _ in batch} if slow else set()
        token_works = any(isinstance(answer, Response) and answer.meaning is Meaning.ACCEPTED for answer in answers)
        renew = False
        for (mailbox, number), answer in zip(batch, answers, strict=True):
            if isinstance(answer, Response) and answer.meaning is Meaning.THROTTLED:
                strained.add(mailbox)
            renew |= self._take(number, answer, token_works=token_works)
        if renew:
            await self._client.credential.renew()
        return frozenset(strained)

    async def _ask(self, paths: list[str]) -> Sequence[Response | TryLaterError]:
        try:
            if len(paths) == 1:
                return [await self._client.get(paths[0])]
            lost = ResponseLostError("Graph's answer to a batch lacked this part.")
            return [answer or lost for answer in await self._client.batch([Part("GET", path) for path in paths])]
        except TryLaterError as error:
            return [error] * len(paths)

    def _take(self, number: int, answer: Response | TryLaterError, *, token_works: bool) -> bool:
        """Take one answer; return whether a fresh token is needed.

        :param token_works: whether the token was taken for another resource of the same batch.
        """
        reply, state, mailbox = self.replies[number], self._states[number], self._reads[number].mailbox
        if not isinstance(answer, Response):
            self._later(number, answer)
        elif answer.meaning in _LATER or (answer.meaning is Meaning.TOKEN_REFUSED and token_works):
            kind = _LATER.get(answer.meaning, ServiceUnavailableError)
            self._later(
                number,
                kind(
                    f"Graph answered {answer.status_and_code} when {mailbox} was read.",
                    status=answer.status, code=answer.code, request_id=answer.request_id,
                    retry_after=answer.retry_after,
                ),
            )  # fmt: skip
        elif answer.meaning is Meaning.TOKEN_REFUSED and not state.token_refused:
            state.token_refused = True
            self._dispatcher.wait_for_turn(mailbox, number, first=True)
            return True
        elif answer.meaning is not Meaning.ACCEPTED:
            reply.refusal = answer
        elif not (page := answer.json):
            self._later(number, ResponseLostError(f"Graph's answer was no JSON when {mailbox} was read."))
        else:
            state.tries, state.token_refused = 0, False
            reply.request_id = answer.request_id
            rows = page.get("value") if "value" in page else [page]
            if not isinstance(rows, list) or "error" in page:
                self._later(number, ResponseLostError(f"Graph's answer was no page when {mailbox} was read."))
                return False
            reply.values += [row for row in rows if isinstance(row, dict)]
            if isinstance(link := page.get("@odata.nextLink"), str):
                if (path := self._below(link)) in state.pages:
                    raise ServiceUnavailableError(f"Graph's pages of {mailbox} lead back to one that was read.")
                state.pages.add(path)
                state.path = path
                self._dispatcher.wait_for_turn(mailbox, number, first=True)
        return False

    def _later(self, number: int, error: TryLaterError) -> None:
        state = self._states[number]
        state.tries += 1
        if state.tries == 1:
            state.since = time.monotonic()
        wait = self._patience.wait(error, state.tries)
        if self._patience.ends(wait, state.since):
            self.replies[number].error = error
        else:
            self._dispatcher.rest(wait, self._reads[number].mailbox, number)

    def _below(self, link: str) -> str:
        """Return a next page's path below the version; the rest of the link is Graph's and stays as it is."""
        root = str(self._client.adapter.base_url).rstrip("/")
        ours, theirs = urlsplit(root), urlsplit(link)
        if (theirs.scheme, theirs.netloc.lower()) != (ours.scheme, ours.netloc.lower()):
            raise AccessDeniedError(
                f"Graph's next page is said to be at {theirs.netloc}, which is not Graph's address; the token is not "
                "sent there. Check Base URL in the connection."
            )
        path = theirs.path.removeprefix(ours.path) if theirs.path.startswith(f"{ours.path}/") else theirs.path
        return f"{path}?{theirs.query}" if theirs.query else path
