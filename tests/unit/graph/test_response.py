"""What an answer of Graph means, row by row."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.retry_after import parse_retry_after

ADDRESS = EventAddress("AAMkAGI=", "ada@contoso.example")


def answer(status: int, code: str | None = None, message: str = "", **headers: str) -> Response:
    """An answer with Graph's envelope, or without a body."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode() if code else b""
    return Response(status, headers, body)


@pytest.mark.parametrize(
    ("given", "meaning"),
    [
        (answer(202), Meaning.ACCEPTED),
        (Response(202, {"content-type": "text/html"}, b"<html>Checking your browser</html>"), Meaning.EFFECT_UNKNOWN),
        (Response(200, {"request-id": "r"}, b"<html>Please log in</html>"), Meaning.EFFECT_UNKNOWN),
        (answer(204, **{"request-id": "r"}), Meaning.ACCEPTED),
        (Response(200, {}, b"<html>Please log in</html>"), Meaning.EFFECT_UNKNOWN),
        (answer(404, "ErrorItemNotFound"), Meaning.EVENT_GONE),
        (answer(404, "ErrorInvalidUser"), Meaning.MAILBOX_UNAVAILABLE),
        (answer(404, "MailboxNotEnabledForRESTAPI"), Meaning.MAILBOX_UNAVAILABLE),
        (answer(404, "ResourceNotFound"), Meaning.MAILBOX_UNAVAILABLE),
        (answer(404), Meaning.MALFORMED),
        (answer(400, "ErrorCalendarOccurrenceIsDeletedFromRecurrence"), Meaning.OCCURRENCE_GONE),
        (answer(400, "ErrorInvalidRequest", "You need to be an organizer to cancel a meeting."), Meaning.NOT_ORGANIZER),
        (answer(400, "ErrorCalendarIsNotOrganizer"), Meaning.NOT_ORGANIZER),
        (answer(400, "ErrorInvalidIdMalformed"), Meaning.MALFORMED),
        (answer(400, "ErrorInvalidRecipients"), Meaning.RECIPIENT_INVALID),
        (answer(401, "InvalidAuthenticationToken"), Meaning.TOKEN_REFUSED),
        (answer(401, "NoPermissionsInAccessToken"), Meaning.TOKEN_REFUSED),
        (answer(403, "ErrorAccessDenied"), Meaning.DENIED),
        (answer(429, "ApplicationThrottled"), Meaning.THROTTLED),
        (answer(429), Meaning.THROTTLED),
        (answer(500, "ErrorInternalServerError"), Meaning.EFFECT_UNKNOWN),
        (answer(503, "UnknownError"), Meaning.EFFECT_UNKNOWN),
        (Response(502, {}, b"<html>Bad gateway</html>"), Meaning.EFFECT_UNKNOWN),
        (answer(504), Meaning.EFFECT_UNKNOWN),
        (answer(302), Meaning.MALFORMED),
    ],
)
def test_each_answer_has_one_meaning(given: Response, meaning: Meaning) -> None:
    """A 404 is read by its code, a 2xx of a stranger is not trusted, a 5xx leaves the effect open."""
    assert given.meaning is meaning


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (answer(404, "ErrorItemNotFound"), "every attendee's copy has its own id"),
        (answer(403, "ErrorAccessDenied"), "Calendars.ReadWrite"),
        (answer(404, "ErrorInvalidUser"), "Mailbox ada@contoso.example is not available"),
        (answer(400, "ErrorInvalidIdMalformed"), "case-sensitive"),
        (answer(401, "InvalidAuthenticationToken"), "fresh one"),
        (answer(400, "ErrorSomethingNew", "No such thing."), "No such thing."),
        (answer(302), "redirects"),
    ],
)
def test_a_refusal_says_what_to_do(given: Response, says: str) -> None:
    """A person who reads the failed task knows which event it was, in which mailbox, and what to change."""
    said = str(refusal(ADDRESS, given))
    assert says in said
    assert "ada@contoso.example" in said
    assert str(given.status) in said


def test_a_refusal_carries_what_support_asks_for() -> None:
    """Status, code, request id and delay are there for code, not only in the text."""
    given = answer(429, "ApplicationThrottled", **{"request-id": "r-1", "retry-after": "2.128"})
    error = refusal(ADDRESS, given)
    assert (error.status, error.code, error.request_id, error.retry_after) == (
        429,
        "ApplicationThrottled",
        "r-1",
        2.128,
    )


def test_the_organizer_is_named_when_the_copy_names_one() -> None:
    """Whose copy is needed is the one thing a user cannot guess."""
    copy = {"isOrganizer": False, "organizer": {"emailAddress": {"address": "ben@contoso.example"}}}
    given = answer(400, "ErrorInvalidRequest", "You need to be an organizer to cancel a meeting.")
    assert "mailbox of ben@contoso.example" in str(refusal(ADDRESS, given, copy))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"x"', b"<html>", b'{"error": "text"}', b'{"error": {"code": 7}}', b"[" * 100_000]
)
def test_odd_bodies_are_read_without_an_error(body: bytes) -> None:
    """Gateways answer with anything; that must not hide the status."""
    odd = Response(503, {}, body)
    assert (odd.code, odd.message, odd.request_id) == (None, "", None)
    assert odd.meaning is Meaning.EFFECT_UNKNOWN


def test_the_request_id_may_stand_in_the_body_only() -> None:
    """Support needs it wherever the service put it."""
    body = b'{"error": {"code": "x", "innerError": {"request-id": "inner"}}}'
    assert Response(500, {}, body).request_id == "inner"
    assert Response(500, {"request-id": "outer"}, body).request_id == "outer"


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        ("180", 180),
        ("2.128", 2.128),
        ("-5", 0),
        ("1e308", 86400),
        ("1e10", 86400),
        (None, None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_in_seconds(header: str | None, seconds: float | None) -> None:
    """Integers, decimals and nonsense: Graph sends the first two, kiota dies of the third."""
    assert parse_retry_after(header) == seconds


def test_retry_after_as_a_date_goes_by_the_servers_clock() -> None:
    """A worker whose clock is an hour wrong must not wait an hour."""
    server = datetime(2030, 1, 1, tzinfo=UTC)
    until = format_datetime(server + timedelta(seconds=90), usegmt=True)
    assert parse_retry_after(until, format_datetime(server, usegmt=True)) == 90
    assert parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT") == 86400
    assert parse_retry_after(format_datetime(server - timedelta(days=1), usegmt=True), format_datetime(server)) == 0
