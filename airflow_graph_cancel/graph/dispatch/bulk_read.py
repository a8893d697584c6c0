"""Read many resources, batched and page by page, within what each mailbox allows. Only GET requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_graph_cancel.graph.dispatch.dispatcher import Dispatcher
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    ServiceUnavailableError,
    StoppedError,
    ThrottledError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.requests import GetRequest
from airflow_graph_cancel.graph.http.response import Meaning, Response

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient


@dataclass(frozen=True, slots=True)
class Read:
    """A resource to read.

    :param mailbox: the mailbox whose limit the read counts against.
    :param path: below the version, percent-encoded, with a leading slash.
    """

    mailbox: str
    path: str


@dataclass(slots=True)
class Reply:
    """The outcome of reading one resource.

    :param values: the rows of all its pages; a resource that is not a collection is its own only row.
    :param refusal: Graph's last response, if it refused.
    :param error: the last error, if the retry budget was spent.
    :param request_id: ``request-id`` of the last response.
    """

    values: list[dict[str, object]] = field(default_factory=list)
    refusal: Response | None = None
    error: TryLaterError | None = None
    request_id: str | None = None


async def read_many(client: GraphClient, reads: Sequence[Read], options: Options) -> list[Reply]:
    """Return the replies in the order of the reads.

    :param client: sends batches and single requests.
    :param reads: what to read; reads of one mailbox wait for each other.
    :param options: how many at a time, how long to retry, and who may stop it.
    :raises StoppedError: if told to stop.
    :raises RefusedError: if the login refuses.
    """
    replies = [Reply() for _ in reads]
    root = str(client.adapter.base_url).rstrip("/")
    pages = (
        _Page(read.mailbox, read.path, reply, root, {read.path}) for read, reply in zip(reads, replies, strict=True)
    )
    if not await Dispatcher[_Page](client, options).run(pages):
        raise StoppedError("The task was told to stop while reading.")
    return replies


@dataclass(slots=True, eq=False)
class _Page:
    """One page of a resource. Each page has a retry budget of its own."""

    mailbox: str
    path: str
    reply: Reply
    root: str
    seen: set[str]

    def next_request(self) -> GetRequest:
        return GetRequest(self.path)

    def received(self, response: Response) -> _Page | None:
        match response.meaning:
            case Meaning.THROTTLED | Meaning.EFFECT_UNKNOWN:
                kind = ThrottledError if response.meaning is Meaning.THROTTLED else ServiceUnavailableError
                raise kind(
                    f"Graph answered {response.status_and_code} to reading mailbox {self.mailbox}.",
                    status=response.status,
                    code=response.code,
                    request_id=response.request_id,
                    retry_after=response.retry_after,
                )
            case Meaning.ACCEPTED:
                return self._following(response)
            case _:
                self.reply.refusal = response
                return None

    def lost(self) -> None:
        """Do nothing: a read has no effect that could be in doubt."""

    def gave_up(self, error: TryLaterError) -> None:
        self.reply.error = error

    def _following(self, response: Response) -> _Page | None:
        page = response.json
        rows = page.get("value") if "value" in page else [page]
        if not page or not isinstance(rows, list) or "error" in page:
            raise ServiceUnavailableError(f"Graph's response to reading mailbox {self.mailbox} is not a JSON page.")
        self.reply.request_id = response.request_id
        link = page.get("@odata.nextLink")
        path = _below(self.root, link) if isinstance(link, str) else None
        if path in self.seen:
            self.reply.error = ServiceUnavailableError(
                f"Graph's pages of mailbox {self.mailbox} lead back to an earlier page.", request_id=response.request_id
            )
            return None
        self.reply.values += [row for row in rows if isinstance(row, dict)]
        if path is None:
            return None
        self.seen.add(path)
        return _Page(self.mailbox, path, self.reply, self.root, self.seen)


def _below(root: str, link: str) -> str:
    """Return the path of the next page below the version; the rest of the link is Graph's and stays as it is."""
    ours, theirs = urlsplit(root), urlsplit(link)
    if (theirs.scheme, theirs.netloc.lower()) != (ours.scheme, ours.netloc.lower()):
        raise AccessDeniedError(
            f"Graph's next page is at {theirs.netloc}, which is not Graph's address; the token is not sent there. "
            "Check Base URL in the connection."
        )
    path = theirs.path.removeprefix(ours.path) if theirs.path.startswith(f"{ours.path}/") else theirs.path
    return f"{path}?{theirs.query}" if theirs.query else path
