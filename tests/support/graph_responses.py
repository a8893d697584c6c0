"""Responses as Graph writes them, for tests without a network."""

from __future__ import annotations

import json

from airflow_graph_cancel.graph.http.response import Meaning, Response

REQUEST_ID = "5bd2a3f0-0000-4000-8000-000000000001"
EVENT_ID = "AAMkAGI="
ADA = "ada@contoso.example"
BEN = "ben@contoso.example"


def response(status: int, code: str | None = None, message: str = "", **headers: str) -> Response:
    """Graph's error envelope, or an empty body; ``retry_after`` becomes the header ``retry-after``."""
    body = json.dumps({"error": {"code": code, "message": message}}).encode() if code else b""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, {"request-id": REQUEST_ID, **names}, body)


def event(**properties: object) -> Response:
    """An event as Graph returns it; organized by the mailbox that was asked, unless said otherwise."""
    shown = {"id": EVENT_ID, "isCancelled": False, "isOrganizer": True, **properties}
    return Response(200, {"request-id": REQUEST_ID}, json.dumps(shown).encode())


ACCEPTED = response(202)
GONE = response(404, "ErrorItemNotFound")
DATE_GONE = response(400, "ErrorCalendarOccurrenceIsDeletedFromRecurrence")
NOT_ORGANIZER = response(400, "ErrorInvalidRequest", "You need to be an organizer to cancel a meeting.")
TOKEN_REFUSED = response(401, "InvalidAuthenticationToken")
DENIED = response(403, "ErrorAccessDenied")
NO_MAILBOX = response(404, "ErrorInvalidUser")
RECIPIENT_INVALID = response(400, "ErrorInvalidRecipients")
MALFORMED = response(400, "ErrorInvalidIdMalformed")
THROTTLED = response(429, "ApplicationThrottled", retry_after="7")
BROKEN = response(503, "UnknownError")
ALIVE = event()
CANCELLED_COPY = event(isCancelled=True, isOrganizer=False)
GUEST_COPY = event(isOrganizer=False, organizer={"emailAddress": {"address": BEN}})

OF_EACH_MEANING = {
    Meaning.ACCEPTED: ACCEPTED,
    Meaning.EVENT_GONE: GONE,
    Meaning.OCCURRENCE_GONE: DATE_GONE,
    Meaning.NOT_ORGANIZER: NOT_ORGANIZER,
    Meaning.TOKEN_REFUSED: TOKEN_REFUSED,
    Meaning.DENIED: DENIED,
    Meaning.MAILBOX_UNAVAILABLE: NO_MAILBOX,
    Meaning.RECIPIENT_INVALID: RECIPIENT_INVALID,
    Meaning.MALFORMED: MALFORMED,
    Meaning.THROTTLED: THROTTLED,
    Meaning.EFFECT_UNKNOWN: BROKEN,
}
