"""Faults: each kind, before and after the effect, and the requests that they apply to."""

from __future__ import annotations

import errno
import socket
import ssl
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp
import pytest

from airflow_graph_cancel.sandbox.client import SandboxError
from airflow_graph_cancel.sandbox.traffic import faults
from tests.support.contoso import ADA, BEN

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office

ANSWERS = {
    "429": (429, "TooManyRequests"),
    "500": (500, "ErrorInternalServerError"),
    "503": (503, "UnknownError"),
    "504": (504, "UnknownError"),
    "401-expired": (401, "InvalidAuthenticationToken"),
}
BREAKS: dict[str, type[aiohttp.ClientError]] = {
    "reset": aiohttp.ClientOSError,
    "close": aiohttp.ServerDisconnectedError,
    "hang": aiohttp.ServerDisconnectedError,
    "truncated": aiohttp.ClientPayloadError,
}


def test_no_kind_is_untested() -> None:
    """Each kind that is offered has an expectation above, or a test of its own below."""
    assert {*ANSWERS, "502-html", "empty-500", "400-invalid-recipients"} == set(faults.RESPONSES)
    assert BREAKS.keys() == set(faults.BREAKS)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", [*ANSWERS, "502-html", "empty-500"])
def test_a_response_that_replaces_the_real_one(graph: GraphClient, office: Office, kind: str, after: bool) -> None:
    """The status comes once; a message was sent only if the fault came after the effect."""
    meeting = office.meet()
    graph.sandbox.add_fault(kind, after_effect=after, match={"path": "/cancel$"})
    reply = graph.cancel(ADA, meeting.id)
    assert len(graph.sandbox.messages(meeting.id)) == after
    if kind in ANSWERS:
        assert (reply.status, reply.code) == ANSWERS[kind]
    else:
        assert reply.status == int(kind.removeprefix("empty-")[:3])
        assert reply.body == b"" if kind == "empty-500" else b"<html>" in reply.body
    assert graph.cancel(ADA, meeting.id).status == (404 if after else 202)
    (struck, _) = graph.sandbox.requests(path="/cancel")
    assert (struck["fault"], struck["status"], struck["effect"]) == (kind, reply.status, after)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", BREAKS)
def test_a_connection_that_breaks(graph: GraphClient, office: Office, kind: str, after: bool) -> None:
    """The client gets no complete response; a message was sent only after the effect; the next request works."""
    meeting = office.meet()
    graph.sandbox.add_fault(kind, after_effect=after, delay=0.05)
    with pytest.raises(BREAKS[kind]):
        graph.cancel(ADA, meeting.id)
    assert len(graph.sandbox.messages(meeting.id)) == after
    assert graph.cancel(ADA, meeting.id).status == (404 if after else 202)


def test_a_reset_is_a_reset(graph: GraphClient, office: Office) -> None:
    """The kernel reports ECONNRESET, not merely the end of the stream."""
    graph.sandbox.add_fault("reset")
    with pytest.raises(aiohttp.ClientOSError) as caught:
        graph.cancel(ADA, office.meet().id)
    assert caught.value.errno == errno.ECONNRESET
    (request,) = graph.sandbox.requests()
    assert request["status"] is None


def test_a_close_is_an_orderly_end_without_a_byte(graph: GraphClient) -> None:
    """The connection ends with TLS's close_notify, without a byte before it."""
    address = urlsplit(graph.sandbox.url)
    graph.sandbox.add_fault("close", match={"path": "^/v1.0/$"})
    context = ssl.create_default_context(cafile=str(graph.sandbox.ca))
    with (
        socket.create_connection((address.hostname or "", address.port or 0)) as plain,
        context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as secure,
    ):
        secure.sendall(b"GET /v1.0/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert secure.recv(100) == b""


def test_a_truncated_response_to_a_read_is_half_of_the_real_one(graph: GraphClient, office: Office) -> None:
    """A truncated list begins like the real one, and has fewer bytes than its Content-Length."""
    office.meet()
    with pytest.raises(aiohttp.ClientPayloadError, match="Not enough data"):
        graph.get(f"/users/{ADA}/events", sandbox_fault="truncated")
    assert graph.sandbox.requests()[-1]["status"] == 200


def test_a_slow_response_is_the_real_one(graph: GraphClient, office: Office) -> None:
    """A slow request takes its delay and is carried out."""
    started = time.monotonic()
    assert graph.cancel(ADA, office.meet().id, sandbox_fault="slow;delay=0.2").status == 202
    assert 0.2 <= time.monotonic() - started < 1


def test_a_hanging_request_may_have_been_carried_out(graph: GraphClient, office: Office) -> None:
    """After the effect there is no response: the client times out, but the message was sent."""
    meeting = office.meet()
    started = time.monotonic()
    with pytest.raises(aiohttp.ServerDisconnectedError):
        graph.cancel(ADA, meeting.id, sandbox_fault="hang;after;delay=0.2")
    assert time.monotonic() - started >= 0.2
    assert len(graph.sandbox.messages(meeting.id)) == 1


def test_invalid_recipients_come_after_the_change(graph: GraphClient, office: Office) -> None:
    """The response is 400 although the meeting is cancelled."""
    meeting = office.meet()
    reply = graph.cancel(ADA, meeting.id, sandbox_fault="400-invalid-recipients")
    assert (reply.status, reply.code) == (400, "ErrorInvalidRecipients")
    assert len(graph.sandbox.messages(meeting.id)) == 1


@pytest.mark.parametrize("value", ["0.249", "Fri, 31 Dec 2100 23:59:59 GMT", "soon"])
def test_retry_after_is_literal(graph: GraphClient, value: str) -> None:
    """The header can have any literal value, valid or not."""
    graph.sandbox.add_fault("503", retry_after=value)
    assert graph.get("/").headers["Retry-After"] == value


@pytest.mark.parametrize(
    ("match", "struck"),
    [
        ({}, True),
        ({"method": "GET"}, True),
        ({"method": "POST"}, False),
        ({"mailbox": "ADA@contoso.example"}, True),
        ({"mailbox": BEN}, False),
        ({"path": "^/v1.0/users/[^/]+/events"}, True),
        ({"path": "/cancel$"}, False),
        ({"event_id": "AAMkAGSomethingElse="}, False),
    ],
)
def test_faults_apply_to_matching_requests_only(
    graph: GraphClient, office: Office, match: dict[str, str], struck: bool
) -> None:
    """Method, path, mailbox and event id all have to match."""
    meeting = office.meet()
    graph.sandbox.add_fault("500", match=match)
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").status == (500 if struck else 200)
    assert len(graph.sandbox.faults()) == (0 if struck else 1)


def test_a_mailbox_is_matched_by_its_id_too(graph: GraphClient, office: Office) -> None:
    """A fault for an address applies to requests that name the mailbox by GUID."""
    graph.sandbox.add_fault("500", match={"mailbox": ADA})
    assert graph.get(f"/users/{office.ada['id']}/events").status == 500


def test_times_and_always(graph: GraphClient) -> None:
    """A fault applies as often as it says; ``null`` means until it is cleared."""
    graph.sandbox.add_fault("503", times=2)
    assert [graph.get("/").status for _ in range(3)] == [503, 503, 200]
    graph.sandbox.add_fault("504", times=None)
    assert [graph.get("/").status for _ in range(4)] == [504] * 4
    graph.sandbox.clear_faults()
    assert graph.get("/").status == 200


def test_probability_uses_the_seed(graph: GraphClient) -> None:
    """With a probability, some requests fail and some do not, the same ones again after a reset."""

    def draw() -> list[int]:
        graph.sandbox.reset()
        graph.sandbox.add_fault("503", times=None, probability=0.5)
        return [graph.get("/").status for _ in range(30)]

    first = draw()
    assert 5 < first.count(503) < 25
    assert draw() == first


def test_a_fault_without_a_path_spares_the_token_endpoint(graph: GraphClient) -> None:
    """A fault without a path does not apply to sign-in; with one, sign-in fails with Entra's error or breaks."""
    graph.sandbox.add_fault("500")
    assert graph.ask_for_token().status == 200
    graph.sandbox.clear_faults()
    graph.sandbox.add_fault("503", match={"path": "/oauth2/"}, retry_after="3")
    reply = graph.ask_for_token()
    assert (reply.status, reply.body["error"], reply.headers["Retry-After"]) == (503, "temporarily_unavailable", "3")
    graph.sandbox.add_fault("reset", match={"path": "/oauth2/"})
    with pytest.raises(aiohttp.ClientOSError):
        graph.ask_for_token()
    assert graph.ask_for_token().status == 200


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "earthquake"},
        {"kind": "503", "times": 0},
        {"kind": "503", "retry_after": "\r\nx: y"},
        {"kind": "503", "match": {"path": "("}},
        {"kind": "503", "x": 1},
    ],
)
def test_an_invalid_fault_is_refused(graph: GraphClient, fault: dict[str, object]) -> None:
    """A typo in a fault is reported at once; otherwise the fault would never apply."""
    with pytest.raises(SandboxError, match='"error"'):
        graph.sandbox.add_fault(**fault)  # type: ignore[arg-type]
    assert graph.sandbox.faults() == []


def test_an_invalid_fault_in_the_header_is_reported(graph: GraphClient) -> None:
    """An unknown fault in the header gets a 400 with a list of the known ones."""
    reply = graph.get("/", sandbox_fault="earthquake")
    assert (reply.status, reply.code) == (400, "BadRequest")
    assert "502-html" in reply.body["error"]["message"]
    assert graph.ask_for_token(headers={"sandbox-fault": "earthquake"}).status == 400
