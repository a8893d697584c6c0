"""Refusals: status, code, message and envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.contoso import ADA, BEN, TEAM

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office

PLAUSIBLE = "AAMkAGYwYzQ0ZTk0LTY3ZmItNDc1ZC1hYzY5LTQ2ZjA2NzY4ZTQ2ZgBGAAAAAAA="


def test_the_error_has_request_ids(graph: GraphClient, office: Office) -> None:
    """Errors repeat the caller's request id and the service's own, in the body and in the headers."""
    reply = graph.get(f"/users/{ADA}/events/{PLAUSIBLE}", client_request_id="11111111-2222-3333-4444-555555555555")
    inner = reply.body["error"]["innerError"]
    assert inner["client-request-id"] == reply.headers["client-request-id"] == "11111111-2222-3333-4444-555555555555"
    assert inner["request-id"] == reply.headers["request-id"] == graph.sandbox.requests()[-1]["request_id"]
    assert "date" in inner
    assert "Date" in reply.headers
    assert "x-ms-ags-diagnostic" in reply.headers


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/users/{ADA}/events/{PLAUSIBLE}/cancel", 404, "ErrorItemNotFound"),
        (f"/users/{ADA}/events/None/cancel", 400, "ErrorInvalidIdMalformed"),
        (f"/users/{ADA}/calendars/{PLAUSIBLE}/events/{PLAUSIBLE}/cancel", 404, "ErrorItemNotFound"),
        (f"/users/zed@contoso.example/events/{PLAUSIBLE}/cancel", 404, "ErrorInvalidUser"),
        (f"/users/{TEAM}/events/{PLAUSIBLE}/cancel", 404, "ErrorInvalidUser"),
        (f"/users/leaver@contoso.example/events/{PLAUSIBLE}/cancel", 404, "MailboxNotEnabledForRESTAPI"),
        (f"/me/events/{PLAUSIBLE}/cancel", 400, "BadRequest"),
        (f"/groups/{TEAM}/events/{PLAUSIBLE}/cancel", 403, "ErrorAccessDenied"),
        (f"/users//events/{PLAUSIBLE}/cancel", 400, "BadRequest"),
        (f"/users/{ADA}/event/{PLAUSIBLE}/cancel", 400, "BadRequest"),
        (f"/users/{ADA}/events/{PLAUSIBLE}/cancel/x", 400, "BadRequest"),
        (f"/users/{ADA}/cancel", 400, "BadRequest"),
        (f"/users/{ADA}/../{BEN}/events/{PLAUSIBLE}/cancel", 400, "BadRequest"),
        (f"/groups/{TEAM}/calendars/{PLAUSIBLE}/events/{PLAUSIBLE}/cancel", 400, "BadRequest"),
    ],
)
def test_a_cancel_with_a_wrong_address_is_refused(
    graph: GraphClient, office: Office, path: str, status: int, code: str
) -> None:
    """Unknown ids, users and paths get the errors that the service gives them."""
    graph.sandbox.add_mailbox("leaver@contoso.example", cloud=False)
    reply = graph.send("POST", path, {"comment": "x"})
    assert (reply.status, reply.code) == (status, code)


def test_an_unknown_path_names_the_segment(graph: GraphClient) -> None:
    """The error names the first unknown segment."""
    reply = graph.get("/users/x/mailbox")
    assert reply.body["error"]["message"] == "Resource not found for the segment 'mailbox'."


def test_an_id_of_another_mailbox_is_not_found(graph: GraphClient, office: Office) -> None:
    """Ids are bound to their mailbox, and case-sensitive."""
    meeting = office.meet()
    assert graph.cancel(ADA, meeting.copies[BEN]).code == "ErrorItemNotFound"
    assert graph.cancel(ADA, meeting.id[:20] + meeting.id[20:].swapcase()).code == "ErrorItemNotFound"
    assert graph.sandbox.messages() == []


@pytest.mark.parametrize(
    ("app", "status", "code"),
    [("sandbox-reader", 403, "ErrorAccessDenied"), ("sandbox-roleless", 401, "NoPermissionsInAccessToken")],
)
def test_permissions_are_required(graph: GraphClient, office: Office, app: str, status: int, code: str) -> None:
    """A permission to read does not allow a cancel, and a token without roles allows nothing."""
    meeting = office.meet()
    reply = graph.cancel(ADA, meeting.id, app=app)
    assert (reply.status, reply.code) == (status, code)
    assert graph.sandbox.messages() == []


def test_a_reader_may_read(graph: GraphClient, office: Office) -> None:
    """An application with Calendars.Read sees events, although it cannot cancel them."""
    assert graph.get(f"/users/{ADA}/events/{office.meet().id}", app="sandbox-reader").status == 200


def test_an_access_policy_blocks_single_mailboxes(graph: GraphClient, office: Office) -> None:
    """A mailbox out of scope is refused with the policy's message and without innerError; others are not."""
    graph.sandbox.settings(out_of_scope=[ADA])
    meeting = office.meet()
    blocked = graph.cancel(ADA, meeting.id, app="sandbox-scoped")
    assert (blocked.status, blocked.code) == (403, "ErrorAccessDenied")
    assert "[RAOP]" in blocked.body["error"]["message"]
    assert "innerError" not in blocked.body["error"]
    assert graph.get(f"/users/{BEN}/events", app="sandbox-scoped").status == 200
    assert graph.cancel(ADA, meeting.id).status == 202


def test_a_person_reaches_no_other_persons_mailbox(graph: GraphClient, office: Office) -> None:
    """A delegated token gives access to the person's mailbox, as /me and by name, and to their groups."""
    graph.sandbox.settings(signed_in_as="cleo@contoso.example")
    assert graph.get("/me", app="sandbox-person").body["mail"] == "cleo@contoso.example"
    assert graph.get("/users/cleo@contoso.example/events", app="sandbox-person").status == 200
    assert graph.get(f"/users/{ADA}/events", app="sandbox-person").code == "ErrorAccessDenied"
    assert graph.get(f"/groups/{TEAM}/events", app="sandbox-person").code == "ErrorAccessDenied"


def test_an_unsupported_method_is_refused(graph: GraphClient, office: Office) -> None:
    """GET on the action is not a cancel."""
    assert graph.get(f"/users/{ADA}/events/{office.meet().id}/cancel").status == 405
    assert graph.sandbox.messages() == []


def test_a_body_without_json_is_refused(graph: GraphClient, office: Office) -> None:
    """An invalid body is refused before anything happens."""
    meeting = office.meet()
    for body in ([1], {"comment": 7}):
        reply = graph.send("POST", f"/users/{ADA}/events/{meeting.id}/cancel", body)
        assert (reply.status, reply.code) == (400, "BadRequest")
    assert graph.sandbox.messages() == []


def test_the_ledger_has_refused_requests(graph: GraphClient, office: Office) -> None:
    """A refusal is logged with its application and its mailbox."""
    graph.cancel(ADA, PLAUSIBLE, app="sandbox-reader")
    (request,) = graph.sandbox.requests()
    assert (request["app"], request["mailbox"], request["status"]) == ("sandbox-reader", ADA, 403)
