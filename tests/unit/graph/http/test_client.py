"""One request and one answer: what the client makes of a broken wire, a refused token and a login that fails.

A real kiota adapter on a transport that answers in this process; no socket is opened.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import traceback
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import httpx
import pytest
from aiohttp.client_reqrep import ConnectionKey
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider
from kiota_http.httpx_request_adapter import HttpxRequestAdapter
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from airflow_graph_cancel.graph.auth.credential import RenewableCredential
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    GraphCancelError,
    InvalidInputError,
    ServiceUnavailableError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.client import GraphClient, ResponseLostError
from airflow_graph_cancel.graph.http.requests import CancelRequest, GetRequest, Request, event_path
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.model.address import EventAddress
from tests.support.graph_responses import ADA, EVENT_ID, REQUEST_ID
from tests.support.virtual_clock import virtual_clock

ROOT = "https://graph.example/v1.0/"
EVENT = f"{ROOT}users/ada%40contoso.example/events/AAMkAGI%3D"
SCOPES = ("https://graph.example/.default",)
SECRET = "s3cr3t%2Bvalue"
COMMENT = "The building is closed."
ADDRESS = EventAddress(EVENT_ID, ADA)


class Login:
    """A credential without a login: each one made is the next token."""

    def __init__(self) -> None:
        self.made = 0
        self.asked: list[tuple[tuple[str, ...], str | None]] = []
        self.error: Exception | None = None

    def make(self) -> Any:
        """Return a credential whose cache always holds one token, as azure-identity's would."""
        self.made += 1
        number = self.made

        async def get_token(*scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
            self.asked.append((scopes, claims))
            if self.error is not None:
                raise self.error
            return AccessToken(f"token-{number}" + ("-with-claims" if claims else ""), 4_000_000_000)

        async def close() -> None:
            pass

        return SimpleNamespace(get_token=get_token, close=close)


Handler = Callable[[httpx.Request], httpx.Response | Awaitable[httpx.Response]]


class Wire:
    """A client, and what it put on the wire.

    :param answers: in their order; the last one again and again. An exception is raised instead.
    """

    def __init__(self, *answers: httpx.Response | Exception, seconds: float = 0.0) -> None:
        self.requests: list[httpx.Request] = []
        self.login = Login()
        self._answers = answers
        self._seconds = seconds
        credential = RenewableCredential(self.login.make)
        provider = AzureIdentityAccessTokenProvider(
            cast("Any", credential), None, list(SCOPES), allowed_hosts=["graph.example"]
        )
        adapter = HttpxRequestAdapter(
            BaseBearerTokenAuthenticationProvider(provider),
            parse_node_factory=JsonParseNodeFactory(),
            serialization_writer_factory=JsonSerializationWriterFactory(),
            http_client=httpx.AsyncClient(transport=httpx.MockTransport(self._answer)),
        )
        adapter.base_url = ROOT
        self.client = GraphClient(adapter, credential, SCOPES)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self._seconds)
        answer = self._answers[min(len(self.requests), len(self._answers) - 1)]
        self.requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        # As it is: kiota and httpx mark a response as read.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def tokens(self) -> list[str]:
        """The token of each request."""
        return [request.headers["Authorization"].removeprefix("Bearer ") for request in self.requests]


def graph(status: int, body: object = None, **headers: str) -> httpx.Response:
    """An answer of Graph."""
    content = b"" if body is None else json.dumps(body).encode()
    return httpx.Response(status, headers={"request-id": REQUEST_ID, **headers}, content=content)


def connection_key() -> ConnectionKey:
    """What aiohttp names a connection by."""
    return ConnectionKey("graph.example", 443, True, True, None, None, None)


def caused(error: Exception, cause: BaseException) -> Exception:
    """An error as httpx-aiohttp raises it: its own, from aiohttp's."""
    error.__cause__ = cause
    return error


REQUEST_INFO = aiohttp.RequestInfo(
    URL("http://proxy.example:3128"), "CONNECT", CIMultiDictProxy(CIMultiDict()), URL("http://proxy.example:3128")
)
NO_ROUTE = OSError(113, "No route to host")
UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed: self-signed certificate")

NEVER_CONNECTED = {
    "no route": caused(httpx.ConnectError("x"), aiohttp.ClientConnectorError(connection_key(), NO_ROUTE)),
    "no such host": caused(httpx.ConnectError("x"), aiohttp.ClientConnectorDNSError(connection_key(), NO_ROUTE)),
    "no handshake": caused(
        httpx.ConnectError("x"), aiohttp.ClientConnectorSSLError(connection_key(), ssl.SSLError(1, "handshake"))
    ),
    "no connection in time": caused(httpx.ConnectTimeout("x"), aiohttp.ConnectionTimeoutError()),
    "no proxy": caused(httpx.ProxyError("x"), aiohttp.ClientProxyConnectionError(connection_key(), NO_ROUTE)),
    "no tunnel": caused(httpx.ProxyError("x"), aiohttp.ClientHttpProxyError(REQUEST_INFO, (), status=407)),
    "aiohttp's own": aiohttp.ClientConnectorError(connection_key(), NO_ROUTE),
}
LOST = {
    "reset while reading": httpx.ReadError(""),
    "no answer in time": caused(httpx.ReadTimeout("x"), aiohttp.SocketTimeoutError()),
    "hung up": caused(httpx.ConnectTimeout("x"), aiohttp.ServerDisconnectedError()),
    "reset while writing": caused(httpx.ConnectTimeout("x"), aiohttp.ClientOSError(104, "Connection reset by peer")),
    "half an answer": caused(httpx.ReadError("x"), aiohttp.ClientPayloadError("not all bytes")),
    "connect timeout of another transport": httpx.ConnectTimeout("x"),
    "no HTTP": httpx.RemoteProtocolError("x"),
    "aiohttp's own, hung up": aiohttp.ServerDisconnectedError(),
    "a timeout": TimeoutError(),
    "a socket's error": BrokenPipeError(32, "Broken pipe"),
}


def raised(wire: Wire, call: Callable[[GraphClient], Awaitable[object]]) -> BaseException:
    """What a call raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        asyncio.run(cast("Any", call(wire.client)))
    return caught.value


def cancel(client: GraphClient) -> Awaitable[object]:
    """A cancellation with a comment."""
    return client.send(CancelRequest(ADDRESS, COMMENT))


def look(client: GraphClient) -> Awaitable[object]:
    """A look at the same event."""
    return client.send(GetRequest(event_path(ADDRESS, ("id", "isCancelled"))))


def get(client: GraphClient) -> Awaitable[object]:
    """Some other resource."""
    return client.send(GetRequest("/places/microsoft.graph.room?$top=5"))


def batch(client: GraphClient) -> Awaitable[object]:
    """A batch of one cancellation and one look."""
    return client.send_batch([CancelRequest(EventAddress("A"), COMMENT), GetRequest("/me/events/B")])


CALLS = [cancel, look, get, batch]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", LOST.values(), ids=LOST)
def test_an_answer_that_may_have_been_on_its_way_is_lost(
    call: Callable[[GraphClient], Awaitable[object]], error: Exception
) -> None:
    """The request may have been carried out: it is sent once, and only reading the event can tell."""
    wire = Wire(error)
    found = raised(wire, call)
    assert type(found) is ResponseLostError
    assert isinstance(found, TryLaterError)
    assert len(wire.requests) == 1
    assert (str(error) or type(error).__name__) in str(found)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("error", NEVER_CONNECTED.values(), ids=NEVER_CONNECTED)
def test_a_request_without_a_connection_was_certainly_not_sent(
    call: Callable[[GraphClient], Awaitable[object]], error: Exception
) -> None:
    """aiohttp's own error decides that nothing was sent, whatever httpx-aiohttp calls it."""
    found = raised(Wire(error), call)
    assert type(found) is ServiceUnavailableError
    assert "could not be reached" in str(found)


@pytest.mark.parametrize("call", CALLS)
def test_a_certificate_that_is_not_trusted_is_not_retried(
    call: Callable[[GraphClient], Awaitable[object]],
) -> None:
    """Retrying would not help; the message names the connection's field to set."""
    untrusted = aiohttp.ClientConnectorCertificateError(connection_key(), UNTRUSTED)
    found = raised(Wire(caused(httpx.ConnectError("x"), untrusted)), call)
    assert type(found) is AccessDeniedError
    assert "Verify" in str(found)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("seconds", "lost"),
    [(89.0, False), (91.0, True)],
)
def test_an_answer_has_ninety_seconds(
    call: Callable[[GraphClient], Awaitable[object]], seconds: float, lost: bool
) -> None:
    """A server that sends a byte now and then would hold the connection: timeouts start again with each byte."""
    with virtual_clock() as clock:
        wire = Wire(graph(200), seconds=seconds)
        try:
            clock.run(cast("Any", call(wire.client)))
        except ResponseLostError:
            assert lost
        else:
            assert not lost
        assert clock.now == 1000 + min(seconds, 90)


@pytest.mark.parametrize("error", [InvalidInputError("preview_only"), ZeroDivisionError("a bug")])
def test_other_errors_pass_through(error: Exception) -> None:
    """A hook that keeps a request back has its own error, and a bug is a bug."""
    assert raised(Wire(error), cancel) is error


def test_a_stopped_task_is_not_taken_for_a_lost_answer() -> None:
    """Cancelling the coroutine ends it at once."""
    wire = Wire(graph(202), seconds=30)

    async def stopped_after_a_second() -> None:
        async with asyncio.timeout(1):
            await wire.client.send(CancelRequest(ADDRESS))

    with virtual_clock() as clock:
        with pytest.raises(TimeoutError):
            clock.run(stopped_after_a_second())
        assert clock.now == 1001


@pytest.mark.parametrize("status", [202, 302, 400, 401, 403, 404, 408, 409, 423, 429, 500, 502, 503, 504])
def test_a_cancel_is_sent_once_whatever_is_answered(status: int) -> None:
    """The client returns the raw response; its caller reads the event before it repeats a request."""
    wire = Wire(graph(status, {"error": {"code": "x"}}, **{"Retry-After": "1", "Location": ROOT}))
    answer = asyncio.run(wire.client.send(CancelRequest(ADDRESS, COMMENT)))
    assert [request.method for request in wire.requests] == ["POST"]
    assert (answer.status, answer.code, answer.retry_after, answer.request_id) == (status, "x", 1, REQUEST_ID)
    assert wire.login.made == 1


def test_what_a_cancel_looks_like() -> None:
    """The SDK's request: the comment in the body, nothing to be compressed, an id of ours to quote."""
    wire = Wire(graph(202))
    asyncio.run(wire.client.send(CancelRequest(ADDRESS, COMMENT)))
    asyncio.run(wire.client.send(CancelRequest(ADDRESS)))
    with_comment, without = wire.requests
    assert (with_comment.method, str(with_comment.url)) == ("POST", f"{EVENT}/cancel")
    assert json.loads(with_comment.content) == {"Comment": COMMENT}
    assert json.loads(without.content) == {}
    assert with_comment.headers["Accept-Encoding"] == "identity"
    assert with_comment.headers["Content-Type"] == "application/json"
    assert with_comment.headers["client-request-id"] != without.headers["client-request-id"]
    assert wire.login.asked == [(SCOPES, None)] * 2


@pytest.mark.parametrize(
    ("select", "query"), [((), ""), (("id",), "?$select=id"), (("id", "isCancelled"), "?$select=id,isCancelled")]
)
def test_a_look_reads_the_very_resource_that_would_be_cancelled(select: tuple[str, ...], query: str) -> None:
    """The same path, and only what is needed."""
    wire = Wire(graph(200, {"id": EVENT_ID}))
    answer = asyncio.run(wire.client.send(GetRequest(event_path(ADDRESS, select))))
    assert [(request.method, str(request.url)) for request in wire.requests] == [("GET", EVENT + query)]
    assert wire.requests[0].headers["Accept"] == "application/json"
    assert answer.json == {"id": EVENT_ID}


def test_a_path_is_sent_as_it_stands() -> None:
    """A path is already percent-encoded and must not be encoded twice."""
    wire = Wire(graph(200, {"value": []}))
    asyncio.run(
        wire.client.send(
            GetRequest("/users/ada%40contoso.example/calendarView?$top=5&startDateTime=2030-01-01T00%3A00Z")
        )
    )
    assert str(wire.requests[0].url).endswith(
        "/v1.0/users/ada%40contoso.example/calendarView?$top=5&startDateTime=2030-01-01T00%3A00Z"
    )


def test_a_batch_is_one_request() -> None:
    """The responses come in the order of the requests; a missing one is None."""
    wire = Wire(graph(200, {"responses": [{"id": "1", "status": 200, "body": {"id": "B"}}]}))
    answers = cast("list[Response | None]", asyncio.run(cast("Any", batch(wire.client))))
    assert [(request.method, str(request.url)) for request in wire.requests] == [("POST", f"{ROOT}$batch")]
    assert json.loads(wire.requests[0].content)["requests"] == [
        {
            "id": "0",
            "method": "POST",
            "url": "/me/events/A/cancel",
            "headers": {"Content-Type": "application/json"},
            "body": {"Comment": COMMENT},
        },
        {"id": "1", "method": "GET", "url": "/me/events/B"},
    ]
    assert wire.requests[0].headers["Content-Type"] == "application/json"
    assert answers[0] is None
    assert answers[1] is not None
    assert answers[1].json == {"id": "B"}


@pytest.mark.parametrize("call", [look, get, batch])
def test_a_refused_token_is_renewed_once(call: Callable[[GraphClient], Awaitable[object]]) -> None:
    """azure-identity would serve the cached one again; a 401 is certain to have had no effect."""
    wire = Wire(graph(401, {"error": {"code": "InvalidAuthenticationToken"}}), graph(200, {"responses": []}))
    asyncio.run(cast("Any", call(wire.client)))
    assert wire.tokens == ["token-1", "token-2"]
    assert wire.requests[0].url == wire.requests[1].url
    assert wire.requests[0].content == wire.requests[1].content


@pytest.mark.parametrize("call", [look, get, batch])
def test_a_fresh_token_that_is_refused_is_not_renewed_again(call: Callable[[GraphClient], Awaitable[object]]) -> None:
    """The app lacks the permission; another token would not change that."""
    wire = Wire(graph(401, {"error": {"code": "InvalidAuthenticationToken"}}))
    found = asyncio.run(cast("Any", call(wire.client)))
    first = found[0] if isinstance(found, list) else found
    assert first.meaning is Meaning.TOKEN_REFUSED
    assert wire.tokens == ["token-1", "token-2"]


def test_a_refused_cancellation_is_not_sent_again_by_the_client() -> None:
    """The task may have been told to stop meanwhile, which the client does not know."""
    wire = Wire(graph(401, {"error": {"code": "InvalidAuthenticationToken"}}), graph(202))
    answer = asyncio.run(wire.client.send(CancelRequest(ADDRESS, COMMENT)))
    assert answer.meaning is Meaning.TOKEN_REFUSED
    assert len(wire.requests) == 1


def test_after_a_stop_a_refused_batch_is_not_sent_again() -> None:
    """A stop that comes while the fresh token is fetched counts as well."""
    wire = Wire(graph(401, {"error": {"code": "InvalidAuthenticationToken"}}), graph(200, {"responses": []}))
    batch: list[Request] = [CancelRequest(ADDRESS, COMMENT), GetRequest("/me/events/B")]
    answers = asyncio.run(wire.client.send_batch(batch, stopped=lambda: len(wire.login.asked) > 1))
    assert [answer and answer.meaning for answer in answers] == [Meaning.TOKEN_REFUSED] * 2
    assert len(wire.requests) == 1


def test_a_claims_challenge_is_answered_with_claims() -> None:
    """Continuous access evaluation: Graph names what the next token must carry, and kiota asks for it."""
    claims = base64.b64encode(b'{"access_token":{"nbf":{"essential":true}}}').decode()
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    wire = Wire(graph(401, **{"WWW-Authenticate": challenge}), graph(202))
    answer = asyncio.run(wire.client.send(CancelRequest(ADDRESS, COMMENT)))
    assert answer.meaning is Meaning.ACCEPTED
    assert wire.tokens == ["token-1", "token-1-with-claims"]
    assert [json.loads(request.content) for request in wire.requests] == [{"Comment": COMMENT}] * 2


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (ClientAuthenticationError(f"AADSTS7000215: {SECRET}"), AccessDeniedError, "secret is wrong"),
        (
            ServiceRequestError(f"Cannot connect: {SECRET}"),
            ServiceUnavailableError,
            "login server could not be reached",
        ),
        (TypeError(SECRET), AccessDeniedError, "holds no token"),
    ],
)
def test_a_login_that_fails_is_explained_and_nothing_is_sent(
    call: Callable[[GraphClient], Awaitable[object]], error: Exception, kind: type[GraphCancelError], says: str
) -> None:
    """This is never a lost response: Graph was not asked."""
    wire = Wire(graph(202))
    wire.login.error = error
    found = raised(wire, call)
    assert type(found) is kind
    assert says in str(found)
    assert wire.requests == []
    assert SECRET not in "".join(traceback.format_exception(found))


def test_signing_in_fetches_the_token_that_requests_use() -> None:
    """One before many requests begin at once."""
    wire = Wire(graph(202))
    assert asyncio.run(wire.client.sign_in()) == "token-1"
    assert wire.login.asked == [(SCOPES, None)]
    assert wire.requests == []


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (ClientAuthenticationError(f"AADSTS7000222: {SECRET}"), AccessDeniedError, "expired"),
        (ServiceRequestError(SECRET), ServiceUnavailableError, "could not be reached"),
        (TypeError(SECRET), AccessDeniedError, "holds no token"),
        (KeyError(SECRET), AccessDeniedError, "holds no token"),
        (ValueError(SECRET), AccessDeniedError, "holds no token"),
    ],
)
def test_a_sign_in_that_fails_is_explained_without_the_secret(
    error: Exception, kind: type[GraphCancelError], says: str
) -> None:
    """Neither in the message nor in the traceback that Airflow prints; what the login answers may be anything."""
    wire = Wire(graph(202))
    wire.login.error = error
    found = raised(wire, lambda client: client.sign_in())
    assert type(found) is kind
    assert says in str(found)
    assert found.__cause__ is None
    assert SECRET not in "".join(traceback.format_exception(found))


@pytest.mark.parametrize("error", [*LOST.values(), *NEVER_CONNECTED.values()], ids=[*LOST, *NEVER_CONNECTED])
def test_no_token_stands_in_what_airflow_prints(error: Exception) -> None:
    """The cause of a lost answer is chained, for it helps; the request's headers are not in it."""
    printed = "".join(traceback.format_exception(raised(Wire(error), cancel)))
    assert "token-1" not in printed
    assert COMMENT not in printed
