"""Reading many resources: page by page, within the limits, and no token for another host."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping

import pytest

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.bulk_read import Read, Reply, read_many
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    ServiceUnavailableError,
    StoppedError,
    ThrottledError,
)
from airflow_graph_cancel.graph.http.requests import GetRequest, Request
from airflow_graph_cancel.graph.http.response import Response
from tests.support.fake_graph import ROOT, Answer, FakeGraph
from tests.support.graph_responses import BROKEN, DENIED, GONE, REQUEST_ID, THROTTLED, TOKEN_REFUSED
from tests.support.virtual_clock import VirtualClock, virtual_clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """A virtual clock, and backoff without jitter."""
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    with virtual_clock() as clock:
        yield clock


def page(*rows: object, next_link: object = None, **more: object) -> Response:
    """A page of a collection."""
    body = {"value": list(rows), **more} | ({} if next_link is None else {"@odata.nextLink": next_link})
    return Response(200, {"request-id": REQUEST_ID}, json.dumps(body).encode())


def row(name: str) -> dict[str, str]:
    """A row."""
    return {"id": name}


def read(
    clock: VirtualClock, answers: Mapping[str, Answer | list[Answer]], *paths: str, **options: object
) -> tuple[list[Reply], FakeGraph]:
    """Read these paths, each answered by its script."""
    rests = {path: list(each) if isinstance(each, list) else [each] for path, each in answers.items()}

    def answer(request: Request) -> Answer:
        assert isinstance(request, GetRequest)
        rest = rests[request.path]
        return rest.pop(0) if len(rest) > 1 else rest[0]

    graph = FakeGraph(answer)
    reads = [Read(path.split("/")[2], path) for path in paths]
    return clock.run(read_many(graph.client, reads, Options(**options))), graph  # type: ignore[arg-type]


def asked(graph: FakeGraph) -> list[str]:
    """The paths that were asked for, with their queries."""
    return [request.path for sent in graph.sent for request in sent.requests if isinstance(request, GetRequest)]


def test_replies_come_in_the_order_of_the_reads(clock: VirtualClock) -> None:
    """Whatever order they were answered in."""
    paths = [f"/users/mailbox{number}/calendar" for number in range(30)]
    replies, _ = read(clock, {path: page(row(path)) for path in paths}, *paths)
    assert [reply.values for reply in replies] == [[row(path)] for path in paths]
    assert all(reply.request_id == REQUEST_ID and reply.refusal is None and reply.error is None for reply in replies)


def test_an_empty_list_sends_nothing(clock: VirtualClock) -> None:
    """An empty list does not even sign in."""
    replies, graph = read(clock, {})
    assert (replies, graph.log) == ([], [])


def test_a_resource_is_its_own_only_row(clock: VirtualClock) -> None:
    """An event, or a calendar; a property called ``value`` makes a collection."""
    single = Response(200, {"request-id": REQUEST_ID}, b'{"id": "AAMk", "subject": "x"}')
    (reply,), _ = read(clock, {"/users/ada/events/A": single}, "/users/ada/events/A")
    assert reply.values == [{"id": "AAMk", "subject": "x"}]


def test_pages_are_followed_to_the_end(clock: VirtualClock) -> None:
    """The links are Graph's own and are sent as they stand."""
    first, second, third = "/users/ada/events?$top=1", "/users/ada/events?$skiptoken=a%2Bb", "/users/ada/more"
    answers: dict[str, Answer | list[Answer]] = {
        first: page(row("1"), next_link=f"{ROOT}{second}"),
        second: page(row("2"), next_link=f"{ROOT.replace('https://graph', 'https://GRAPH')}{third}"),
        third: page(row("3")),
    }
    (reply,), graph = read(clock, answers, first)
    assert reply.values == [row("1"), row("2"), row("3")]
    assert asked(graph) == [first, second, third]


def test_a_link_of_another_version_is_followed_below_the_root(clock: VirtualClock) -> None:
    """What does not begin with our version is taken as a path."""
    answers: dict[str, Answer | list[Answer]] = {
        "/users/ada/events": page(next_link="https://graph.example/v1.0beta/users/ada/x"),
        "/v1.0beta/users/ada/x": page(row("1")),
    }
    (reply,), _ = read(clock, answers, "/users/ada/events")
    assert reply.values == [row("1")]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/users/ada/events?$skip=1",
        "http://graph.example/v1.0/users/ada/events?$skip=1",
        "https://graph.example:8443/v1.0/users/ada/events?$skip=1",
        "https://graph.example@evil.example/v1.0/users/ada/events?$skip=1",
        "//evil.example/v1.0/x",
        "",
    ],
)
def test_a_link_to_another_host_is_not_followed(clock: VirtualClock, link: str) -> None:
    """The token would go with it."""
    with pytest.raises(AccessDeniedError, match="Base URL"):
        read(clock, {"/users/ada/events": page(row("1"), next_link=link)}, "/users/ada/events")


@pytest.mark.parametrize("link", [None, 7, ["x"], {}])
def test_a_link_that_is_not_text_is_ignored(clock: VirtualClock, link: object) -> None:
    """A next link that is not text ends the paging."""
    (reply,), graph = read(clock, {"/users/ada/events": page(row("1"), next_link=link)}, "/users/ada/events")
    assert reply.values == [row("1")]
    assert len(graph.sent) == 1


def test_pages_that_lead_back_come_to_an_end(clock: VirtualClock) -> None:
    """A circle is an error, not an endless loop, and half a list must not pass for a whole one."""
    answers: dict[str, Answer | list[Answer]] = {
        "/users/ada/events": page(row("1"), next_link=f"{ROOT}/users/ada/second"),
        "/users/ada/second": page(row("2"), next_link=f"{ROOT}/users/ada/events"),
        "/users/ben/events": page(row("3")),
    }
    try:
        replies, _ = read(clock, answers, "/users/ada/events", "/users/ben/events")
    except ServiceUnavailableError as error:
        found: Exception | None = error
    else:
        found = replies[0].error
    assert isinstance(found, ServiceUnavailableError)
    assert "ada" in str(found)


def test_rows_that_are_not_objects_are_left_out(clock: VirtualClock) -> None:
    """Callers may rely on objects."""
    (reply,), _ = read(clock, {"/users/ada/events": page(row("1"), None, "x", 7, [])}, "/users/ada/events")
    assert reply.values == [row("1")]


def json_of(body: object) -> Response:
    """A 200 of Graph's own with this body."""
    return Response(200, {"request-id": REQUEST_ID}, json.dumps(body).encode())


@pytest.mark.parametrize(
    "odd",
    [
        Response(200, {"request-id": REQUEST_ID}, b'{"value": ['),
        Response(200, {"request-id": REQUEST_ID}),
        json_of([]),
        json_of({}),
        json_of({"value": {}}),
        json_of({"value": None}),
        json_of({"value": [], "error": {"code": "x"}}),
        Response(200, {}, b"<html>Please log in</html>"),
        None,
        BROKEN,
    ],
)
def test_an_unusable_page_is_read_again(clock: VirtualClock, odd: Answer) -> None:
    """Half a body is not an empty list: a plan would miss what it does not show."""
    (reply,), graph = read(clock, {"/users/ada/events": [odd, page(row("1"))]}, "/users/ada/events")
    assert reply.values == [row("1")]
    assert len(graph.sent) == 2
    (reply,), _ = read(clock, {"/users/ada/events": odd}, "/users/ada/events", backoff=Backoff(retry_for=0))
    assert isinstance(reply.error, ServiceUnavailableError)
    assert reply.values == []


def test_a_page_that_is_read_again_is_not_read_twice(clock: VirtualClock) -> None:
    """Its rows count once, and the pages before it stay."""
    answers: dict[str, Answer | list[Answer]] = {
        "/users/ada/events": page(row("1"), next_link=f"{ROOT}/users/ada/second"),
        "/users/ada/second": [THROTTLED, None, page(row("2"))],
    }
    (reply,), graph = read(clock, answers, "/users/ada/events")
    assert reply.values == [row("1"), row("2")]
    assert asked(graph).count("/users/ada/events") == 1


def test_a_spent_budget_is_an_error(clock: VirtualClock) -> None:
    """With what support and a retry need; the others are read all the same."""
    answers: dict[str, Answer | list[Answer]] = {"/users/ada/events": THROTTLED, "/users/ben/events": page(row("1"))}
    (ada, ben), _ = read(clock, answers, "/users/ada/events", "/users/ben/events", backoff=Backoff(retry_for=20))
    assert isinstance(ada.error, ThrottledError)
    assert (ada.error.status, ada.error.code, ada.error.retry_after) == (429, "ApplicationThrottled", 7)
    assert ada.error.request_id == REQUEST_ID
    assert "ada" in str(ada.error)
    assert ben.values == [row("1")]


@pytest.mark.parametrize("refusal", [DENIED, GONE])
def test_a_refusal_is_the_reply(clock: VirtualClock, refusal: Response) -> None:
    """What it means depends on what was asked for; it is not asked for again."""
    (reply,), graph = read(clock, {"/users/ada/events": refusal}, "/users/ada/events")
    assert (reply.refusal, reply.values, reply.error) == (refusal, [], None)
    assert len(graph.sent) == 1


def test_a_refused_token_is_renewed_once(clock: VirtualClock) -> None:
    """After that it is a refusal like others; a page that was read makes it good again."""
    (reply,), graph = read(clock, {"/users/ada/events": [TOKEN_REFUSED, page(row("1"))]}, "/users/ada/events")
    assert reply.values == [row("1")]
    assert [what for what, _ in graph.log] == ["sign in", "GET", "renew", "GET"]
    (reply,), _ = read(clock, {"/users/ada/events": TOKEN_REFUSED}, "/users/ada/events")
    assert reply.refusal == TOKEN_REFUSED


def test_a_stop_ends_reading(clock: VirtualClock) -> None:
    """With an error: half of what was asked for must not look like all of it."""
    with pytest.raises(StoppedError):
        read(clock, {"/users/ada/events": page()}, "/users/ada/events", stopped=lambda: True)
