"""What an answer of Graph means: status, code, body and headers, as tables."""

from __future__ import annotations

import json

import pytest

from airflow_graph_cancel.graph.http.response import Meaning, Response
from tests.support.graph_responses import REQUEST_ID, response

COLUMNS = {
    "": (None,),
    "Gone": ("ErrorItemNotFound",),
    "Date": ("ErrorCalendarOccurrenceIsDeletedFromRecurrence",),
    "Mailbox": (
        "ErrorInvalidUser",
        "MailboxNotEnabledForRESTAPI",
        "ResourceNotFound",
        "Request_ResourceNotFound",
        "ErrorNonExistentMailbox",
    ),
    "Guest": ("ErrorCalendarIsNotOrganizer",),
    "Recipient": ("ErrorInvalidRecipients",),
    "Other": ("ErrorSomethingNew", "itemNotFound", "erroritemnotfound", "ErrorItemNotFound "),
}
"""Codes of ``error.code`` by what they are about."""

TABLE = """
status  | (none)         | Gone           | Date            | Mailbox             | Guest          | Recipient         | Other
100     | MALFORMED      | MALFORMED      | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | MALFORMED
301 302 | MALFORMED      | MALFORMED      | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | MALFORMED
307 308 | MALFORMED      | MALFORMED      | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | MALFORMED
400     | MALFORMED      | MALFORMED      | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | MALFORMED
401     | TOKEN_REFUSED  | TOKEN_REFUSED  | OCCURRENCE_GONE | TOKEN_REFUSED       | TOKEN_REFUSED  | RECIPIENT_INVALID | TOKEN_REFUSED
403     | DENIED         | DENIED         | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | DENIED
404     | MALFORMED      | EVENT_GONE     | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | MALFORMED
405 410 | MALFORMED      | MALFORMED      | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | MALFORMED
412 413 | MALFORMED      | MALFORMED      | OCCURRENCE_GONE | MAILBOX_UNAVAILABLE | NOT_ORGANIZER  | RECIPIENT_INVALID | MALFORMED
429     | THROTTLED      | THROTTLED      | THROTTLED       | THROTTLED           | THROTTLED      | RECIPIENT_INVALID | THROTTLED
408 409 | EFFECT_UNKNOWN | EFFECT_UNKNOWN | EFFECT_UNKNOWN  | EFFECT_UNKNOWN      | EFFECT_UNKNOWN | EFFECT_UNKNOWN    | EFFECT_UNKNOWN
423 425 | EFFECT_UNKNOWN | EFFECT_UNKNOWN | EFFECT_UNKNOWN  | EFFECT_UNKNOWN      | EFFECT_UNKNOWN | EFFECT_UNKNOWN    | EFFECT_UNKNOWN
500 501 | EFFECT_UNKNOWN | EFFECT_UNKNOWN | EFFECT_UNKNOWN  | EFFECT_UNKNOWN      | EFFECT_UNKNOWN | EFFECT_UNKNOWN    | EFFECT_UNKNOWN
502 503 | EFFECT_UNKNOWN | EFFECT_UNKNOWN | EFFECT_UNKNOWN  | EFFECT_UNKNOWN      | EFFECT_UNKNOWN | EFFECT_UNKNOWN    | EFFECT_UNKNOWN
504 509 | EFFECT_UNKNOWN | EFFECT_UNKNOWN | EFFECT_UNKNOWN  | EFFECT_UNKNOWN      | EFFECT_UNKNOWN | EFFECT_UNKNOWN    | EFFECT_UNKNOWN
599 600 | EFFECT_UNKNOWN | EFFECT_UNKNOWN | EFFECT_UNKNOWN  | EFFECT_UNKNOWN      | EFFECT_UNKNOWN | EFFECT_UNKNOWN    | EFFECT_UNKNOWN
"""  # noqa: E501


def rows() -> list[tuple[int, str | None, Meaning]]:
    """The table's cells: status, code, meaning."""
    lines = [[cell.strip() for cell in line.split("|")] for line in TABLE.strip().splitlines()[1:]]
    return [
        (int(status), code, Meaning[meaning])
        for statuses, *meanings in lines
        for status in statuses.split()
        for codes, meaning in zip(COLUMNS.values(), meanings, strict=True)
        for code in codes
    ]


def test_status_and_code_have_one_meaning() -> None:
    """A 404 is read by its code, a date is gone whatever the status, 5xx leaves the effect open whatever the code."""
    wrong = [
        (status, code, found.name)
        for status, code, meaning in rows()
        if (found := response(status, code).meaning) is not meaning
    ]
    assert wrong == []
    assert {meaning for _, _, meaning in rows()} == set(Meaning) - {Meaning.ACCEPTED}


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning"),
    [
        (400, "ErrorInvalidRequest", "You need to be an organizer to cancel a meeting.", Meaning.NOT_ORGANIZER),
        (400, "ErrorInvalidRequest", "Your request is not valid.", Meaning.MALFORMED),
        (403, "ErrorAccessDenied", "You need to be an organizer to cancel a meeting.", Meaning.DENIED),
        (404, "ErrorItemNotFound", "You need to be an organizer to cancel a meeting.", Meaning.EVENT_GONE),
        (500, "ErrorInternalServerError", "You need to be an organizer to cancel a meeting.", Meaning.EFFECT_UNKNOWN),
    ],
)
def test_the_text_decides_only_about_the_organizer_and_only_in_a_400(
    status: int, code: str, message: str, meaning: Meaning
) -> None:
    """That refusal has no documented code; everything else goes by the code."""
    assert response(status, code, message).meaning is meaning


HTML = b"<!DOCTYPE html><title>Please log in</title>"
GRAPHS = {"request-id": REQUEST_ID}


@pytest.mark.parametrize(
    ("what", "given", "accepted"),
    [
        ("202 without a body", Response(202, {}), True),
        ("202 without a body, with an id", Response(202, GRAPHS), True),
        ("202 as a part of a batch", Response(202, {"request-id": ""}, body={}), True),
        ("204 with an id", Response(204, GRAPHS), True),
        ("204 without an id", Response(204, {}), False),
        ("200 with an id and JSON", Response(200, GRAPHS, b'{"id": "AAMk"}'), True),
        ("200 with an id and no body", Response(200, GRAPHS), True),
        ("200 with an id and broken JSON", Response(200, GRAPHS, b'{"id": "AA'), True),
        ("200 without an id", Response(200, {}, b'{"id": "AAMk"}'), False),
        ("200 with an empty id", Response(200, {"request-id": ""}, b'{"id": "AAMk"}'), False),
        ("202 with a stranger's body", Response(202, {}, b'{"ok": true}'), False),
        ("202 with a stranger's body in a batch", Response(202, {}, body={"ok": True}), False),
        ("HTML by its type", Response(202, {"content-type": "text/html; charset=utf-8"}), False),
        ("HTML by its look", Response(200, GRAPHS, HTML), False),
        ("HTML after blanks", Response(200, GRAPHS, b"\r\n\t " + HTML), False),
        ("XHTML", Response(200, {**GRAPHS, "content-type": "application/xhtml+xml"}, b"<?xml"), False),
        ("299", Response(299, GRAPHS), True),
    ],
)
def test_a_success_is_believed_only_if_it_is_graphs_own(what: str, given: Response, accepted: bool) -> None:
    """A proxy's login page comes with a 200, too, and cancels nothing: whether anything happened is then not known."""
    assert given.meaning is (Meaning.ACCEPTED if accepted else Meaning.EFFECT_UNKNOWN), what


@pytest.mark.parametrize("meaning", Meaning)
def test_gone_are_the_event_and_the_date(meaning: Meaning) -> None:
    """A mailbox that is not there, or that may not be seen, says nothing about its events."""
    assert meaning.is_gone == (meaning in {Meaning.EVENT_GONE, Meaning.OCCURRENCE_GONE})


ODD_BODIES = [
    b"",
    b" ",
    b"null",
    b"true",
    b"7",
    b"[]",
    b'"x"',
    b"{",
    b"{}",
    b"\xff\xfe",
    b"\x1f\x8b\x08\x00",
    HTML,
    b'{"error": "text"}',
    b'{"error": []}',
    b'{"error": null}',
    b'{"error": {"code": 7, "message": {}}}',
    b'{"error": {"code": "", "message": null, "innerError": "text"}}',
    b'{"error": {"innerError": {"request-id": 7}}}',
    b"[" * 100_000,
    b'{"error":' * 50_000,
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=lambda body: repr(body[:30]))
@pytest.mark.parametrize(
    ("status", "meaning"),
    [(503, Meaning.EFFECT_UNKNOWN), (404, Meaning.MALFORMED), (403, Meaning.DENIED), (429, Meaning.THROTTLED)],
)
def test_an_odd_body_does_not_hide_the_status(body: bytes, status: int, meaning: Meaning) -> None:
    """Gateways answer with anything: HTML, half of a JSON, a text where an object should be, a hostile nesting."""
    odd = Response(status, {}, body)
    assert (odd.code, odd.message, odd.request_id) == (None, "", None)
    assert odd.meaning is meaning


@pytest.mark.parametrize("body", [b"null", b"[1]", b'"x"', b"7", b"{", b"[" * 100_000, HTML, b""])
def test_a_body_that_is_not_an_object_counts_as_empty(body: bytes) -> None:
    """Callers ask it for properties without looking first."""
    assert Response(200, GRAPHS, body).json == {}


def test_a_part_of_a_batch_came_parsed() -> None:
    """Its body is taken as it is, and read like any other."""
    body: dict[str, object] = {"error": {"code": "ErrorItemNotFound", "message": "Not found."}}
    part = Response(404, {}, body=body)
    assert part.json is body
    assert (part.code, part.message, part.meaning) == ("ErrorItemNotFound", "Not found.", Meaning.EVENT_GONE)
    assert Response(200, GRAPHS, b'{"id": "content"}', {"id": "body"}).json == {"id": "body"}
    assert Response(200, GRAPHS, b'{"id": "content"}', {}).json == {}


def of_error(**error: object) -> bytes:
    """A body with this error."""
    return json.dumps({"error": error}).encode()


@pytest.mark.parametrize(
    ("headers", "body", "request_id"),
    [
        ({"request-id": "header"}, b"", "header"),
        ({"request-id": "header"}, of_error(innerError={"request-id": "inner"}), "header"),
        ({}, of_error(innerError={"request-id": "inner"}), "inner"),
        ({}, of_error(innererror={"request-id": "inner"}), "inner"),
        ({"request-id": ""}, of_error(innerError={"request-id": "inner"}), "inner"),
        ({}, of_error(innerError={"client-request-id": "ours"}), None),
        ({"client-request-id": "ours"}, b"", None),
        ({}, of_error(innerError={"request-id": ["x"]}), None),
        ({}, b"", None),
    ],
)
def test_the_request_id_is_found_wherever_graph_put_it(
    headers: dict[str, str], body: bytes, request_id: str | None
) -> None:
    """Microsoft's support asks for the service's own id, and cannot use ours."""
    assert Response(500, headers, body).request_id == request_id


def test_status_and_code_as_a_message_has_them() -> None:
    """Status and code are shown together if the response has both."""
    assert response(404, "ErrorItemNotFound").status_and_code == "404 ErrorItemNotFound"
    assert response(502).status_and_code == "502"


def test_an_answer_knows_when_to_ask_again() -> None:
    """The delay is read against the server's own clock."""
    until, now = "Tue, 01 Jan 2030 00:01:30 GMT", "Tue, 01 Jan 2030 00:00:00 GMT"
    assert response(429, retry_after="2.128").retry_after == 2.128
    assert response(429, retry_after=until, date=now).retry_after == 90
    assert response(429).retry_after is None
