"""From a response to an error that says what happened and what to do, without any secret."""

from __future__ import annotations

import json

import pytest

from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    EventMissingError,
    GraphCancelError,
    InvalidRequestError,
    MailboxUnavailableError,
    NotOrganizerError,
    RefusedError,
    ServiceUnavailableError,
    ThrottledError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.error_mapping import mailbox_refusal, refusal
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import Outcome
from tests.support.graph_responses import (
    ADA,
    BEN,
    EVENT_ID,
    MALFORMED,
    NOT_ORGANIZER,
    OF_EACH_MEANING,
    REQUEST_ID,
    response,
)

ADDRESS = EventAddress(EVENT_ID, ADA)
EVE = "eve@contoso.example"
SECRET = "s3cr3t%2Bvalue"

TABLE: dict[Meaning, tuple[type[GraphCancelError], Outcome, str]] = {
    Meaning.ACCEPTED: (ServiceUnavailableError, Outcome.UNAVAILABLE, "checked before the cancellation is sent"),
    Meaning.EVENT_GONE: (EventMissingError, Outcome.MISSING, "every attendee's copy has its own id"),
    Meaning.OCCURRENCE_GONE: (EventMissingError, Outcome.MISSING, "every attendee's copy has its own id"),
    Meaning.NOT_ORGANIZER: (NotOrganizerError, Outcome.NOT_ORGANIZER, "Cancel the copy in the mailbox of"),
    Meaning.TOKEN_REFUSED: (AccessDeniedError, Outcome.DENIED, "grant the app Calendars.ReadWrite"),
    Meaning.DENIED: (AccessDeniedError, Outcome.DENIED, "Calendars.ReadWrite with admin consent"),
    Meaning.MAILBOX_UNAVAILABLE: (MailboxUnavailableError, Outcome.MAILBOX_UNAVAILABLE, "Check the address"),
    Meaning.RECIPIENT_INVALID: (InvalidRequestError, Outcome.INVALID, "Remove that attendee"),
    Meaning.MALFORMED: (InvalidRequestError, Outcome.INVALID, "copied whole and unchanged"),
    Meaning.THROTTLED: (ThrottledError, Outcome.THROTTLED, "throttles"),
    Meaning.EFFECT_UNKNOWN: (ServiceUnavailableError, Outcome.UNAVAILABLE, "checked before the cancellation is sent"),
}


@pytest.mark.parametrize("meaning", Meaning)
def test_each_meaning_has_its_error_and_says_what_to_do(meaning: Meaning) -> None:
    """The reader of a failed task learns what happened, in which mailbox, what to change, and what to quote."""
    kind, outcome, advice = TABLE[meaning]
    given = OF_EACH_MEANING[meaning]
    error = refusal(ADDRESS, given)
    assert (type(error), error.outcome) == (kind, outcome)
    assert isinstance(error, TryLaterError if given.meaning in LATER else RefusedError)
    for part in (advice, ADA, given.status_and_code, REQUEST_ID):
        assert part in str(error)
    assert (error.status, error.code, error.request_id) == (given.status, given.code, REQUEST_ID)
    assert error.retry_after == given.retry_after


LATER = {Meaning.ACCEPTED, Meaning.THROTTLED, Meaning.EFFECT_UNKNOWN}


def test_the_delay_and_the_status_are_there_for_code() -> None:
    """A retry policy does not read texts."""
    error = refusal(ADDRESS, response(429, "ApplicationThrottled", retry_after="2.128"))
    assert (error.status, error.code, error.request_id, error.retry_after) == (
        429,
        "ApplicationThrottled",
        REQUEST_ID,
        2.128,
    )


def test_an_answer_without_ids_is_quoted_without_them() -> None:
    """A gateway has neither code nor request id; the sentence ends well all the same."""
    said = str(refusal(ADDRESS, Response(502, {}, b"<html>Bad gateway</html>")))
    assert said.endswith("Graph answered 502.)")


@pytest.mark.parametrize("meaning", [meaning for meaning in Meaning if meaning is not Meaning.MALFORMED])
def test_what_graph_says_is_not_repeated(meaning: Meaning) -> None:
    """Its text may quote an attendee, or what was sent."""
    given = OF_EACH_MEANING[meaning]
    message = f"{'You need to be an organizer' if meaning is Meaning.NOT_ORGANIZER else 'No'}: {EVE} {SECRET}"
    told = Response(
        given.status, given.headers, json.dumps({"error": {"code": given.code, "message": message}}).encode()
    )
    assert told.meaning is meaning
    said = str(refusal(ADDRESS, told, {"attendees": [{"emailAddress": {"address": EVE}}], "subject": SECRET}))
    assert EVE not in said
    assert SECRET not in said


def test_an_unknown_refusal_quotes_graph_for_it_is_the_only_clue() -> None:
    """In one line, cut where it would fill the log."""
    said = str(refusal(ADDRESS, response(400, "ErrorSomethingNew", "No\r\n such\tthing. " + "x" * 1000)))
    assert "No such thing. xxx" in said
    assert "\n" not in said
    assert len(said) < 500
    assert "no reason given" in str(refusal(ADDRESS, response(400, "ErrorSomethingNew")))


@pytest.mark.parametrize("status", [300, 302, 308, 399])
def test_a_redirect_points_to_the_connection(status: int) -> None:
    """A redirect is not followed with a token; a wrong base URL causes it."""
    assert "Base URL" in str(refusal(ADDRESS, response(status)))


def test_other_refusals_do_not_point_to_the_connection() -> None:
    """Only statuses of 300 to 399 are redirects."""
    assert "Base URL" not in str(refusal(ADDRESS, response(400)))
    assert "Base URL" not in str(refusal(ADDRESS, response(299, "x")))


DELEGATED = response(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def test_me_of_an_app_is_explained() -> None:
    """The likeliest first mistake: no mailbox anywhere, and an app that has none."""
    said = str(refusal(EventAddress(EVENT_ID), DELEGATED))
    assert "set user_id" in said
    assert "set user_id" not in str(refusal(ADDRESS, DELEGATED))
    assert "set user_id" not in str(refusal(EventAddress(EVENT_ID), MALFORMED))


def test_a_group_calendar_needs_a_person() -> None:
    """No permission of an app would help, so none is asked for."""
    said = str(refusal(EventAddress(EVENT_ID, group_id="team"), response(403, "ErrorAccessDenied")))
    assert "delegated" in said
    assert "Calendars.ReadWrite" not in said


GUEST: dict[str, object] = {"isOrganizer": False, "organizer": {"emailAddress": {"address": BEN}}}


@pytest.mark.parametrize("meaning", Meaning)
def test_an_attendees_copy_is_named_as_such_whatever_the_refusal_was(meaning: Meaning) -> None:
    """Whose copy would be the right one is the one thing that a user cannot guess."""
    error = refusal(ADDRESS, OF_EACH_MEANING[meaning], GUEST)
    assert isinstance(error, NotOrganizerError)
    assert f"mailbox of {BEN}" in str(error)


@pytest.mark.parametrize(
    "copy",
    [
        None,
        {},
        {"organizer": None},
        {"organizer": "ben"},
        {"organizer": {}},
        {"organizer": {"emailAddress": None}},
        {"organizer": {"emailAddress": {"name": "Ben"}}},
        {"organizer": {"emailAddress": {"address": ""}}},
        {"organizer": {"emailAddress": {"address": ["ben"]}}},
        {"isOrganizer": False},
    ],
    ids=str,
)
def test_a_copy_may_lack_its_organizer(copy: dict[str, object] | None) -> None:
    """What a mailbox shows is Exchange's, and may lack anything."""
    assert "mailbox of the organizer" in str(refusal(ADDRESS, NOT_ORGANIZER, copy))


@pytest.mark.parametrize("own", [True, None, "false", 0])
def test_only_a_plain_false_makes_a_copy_a_guests(own: object) -> None:
    """A property that is missing or odd changes no refusal."""
    assert isinstance(refusal(ADDRESS, response(404, "ErrorItemNotFound"), {"isOrganizer": own}), EventMissingError)


@pytest.mark.parametrize(
    ("meaning", "kind", "advice"),
    [
        (Meaning.MAILBOX_UNAVAILABLE, MailboxUnavailableError, "unknown in this tenant"),
        (Meaning.DENIED, AccessDeniedError, "Calendars.ReadWrite"),
        (Meaning.TOKEN_REFUSED, AccessDeniedError, "Calendars.ReadWrite"),
        (Meaning.MALFORMED, InvalidRequestError, "could not be read"),
        (Meaning.EVENT_GONE, InvalidRequestError, "could not be read"),
    ],
)
def test_a_calendar_that_cannot_be_read(meaning: Meaning, kind: type[GraphCancelError], advice: str) -> None:
    """The same for the calendars that are searched for a plan."""
    error = mailbox_refusal(ADA, OF_EACH_MEANING[meaning])
    assert type(error) is kind
    for part in (advice, ADA, REQUEST_ID, OF_EACH_MEANING[meaning].status_and_code):
        assert part in str(error)
    assert (error.status, error.request_id) == (OF_EACH_MEANING[meaning].status, REQUEST_ID)
    assert error.code == OF_EACH_MEANING[meaning].code


def test_a_calendar_refused_by_a_gateway_is_quoted_without_an_id() -> None:
    """A gateway adds no request id."""
    assert str(mailbox_refusal(ADA, Response(405, {}))).endswith("(Graph answered 405.)")
