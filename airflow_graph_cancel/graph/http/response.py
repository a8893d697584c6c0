"""What a response of Graph means: the only place that reads status codes and error codes.

Microsoft tells clients to branch on ``error.code`` and never on the text (Graph page "Error responses"). The one
exception is the organizer-only refusal: its text is documented and its code is not (page "event: cancel").

A 404 has three meanings, and the code tells which: the event is gone, this date of a series is gone, or the mailbox is
unknown. Whether this task cancelled the event is decided by the state machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from airflow_graph_cancel.graph.retry_after import parse_retry_after

_GONE = {"ErrorItemNotFound"}
_OCCURRENCE_GONE = {"ErrorCalendarOccurrenceIsDeletedFromRecurrence"}
_MAILBOX = {
    "ErrorInvalidUser",
    "MailboxNotEnabledForRESTAPI",
    "ResourceNotFound",
    "Request_ResourceNotFound",
    "ErrorNonExistentMailbox",
}
_NOT_ORGANIZER = {"ErrorCalendarIsNotOrganizer"}
_NOT_ORGANIZER_TEXT = "need to be an organizer"
_RECIPIENT = {"ErrorInvalidRecipients"}
_TRANSIENT_STATUS = {408, 409, 423, 425}


class Meaning(Enum):
    """What a response says about its request."""

    ACCEPTED = auto()
    EVENT_GONE = auto()
    OCCURRENCE_GONE = auto()
    NOT_ORGANIZER = auto()
    TOKEN_REFUSED = auto()
    DENIED = auto()
    MAILBOX_UNAVAILABLE = auto()
    RECIPIENT_INVALID = auto()
    """Seen both when nothing was done and when the event was cancelled."""
    MALFORMED = auto()
    THROTTLED = auto()
    """Certainly not carried out."""
    EFFECT_UNKNOWN = auto()
    """May or may not have been carried out; only a read of the event can tell."""

    @property
    def is_gone(self) -> bool:
        """Whether the event or this date of a series does not exist."""
        return self in {Meaning.EVENT_GONE, Meaning.OCCURRENCE_GONE}


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, read leniently: bodies may be empty, HTML, or lack ``innerError``.

    :param status: HTTP status.
    :param headers: response headers with lower-case names.
    :param content: body as received.
    :param body: the body of a part of a batch, which came parsed.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes = b""
    body: dict[str, object] | None = None

    @property
    def json(self) -> dict[str, object]:
        """The body's JSON object; empty if it is anything else."""
        if self.body is not None or not self.content:
            return self.body or {}
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def _error(self) -> dict[str, object]:
        error = self.json.get("error")
        return error if isinstance(error, dict) else {}

    @property
    def code(self) -> str | None:
        """Graph's ``error.code``."""
        code = self._error.get("code")
        return code if isinstance(code, str) and code else None

    @property
    def status_and_code(self) -> str:
        """Status and ``error.code`` for a message, such as ``404 ErrorItemNotFound``."""
        return f"{self.status} {self.code}" if self.code else str(self.status)

    @property
    def message(self) -> str:
        """Graph's ``error.message``; empty if there is none."""
        message = self._error.get("message")
        return message if isinstance(message, str) else ""

    @property
    def request_id(self) -> str | None:
        """Graph's own id of the request, from the header or else the body."""
        if header := self.headers.get("request-id"):
            return header
        inner = self._error.get("innerError") or self._error.get("innererror")
        request_id = inner.get("request-id") if isinstance(inner, dict) else None
        return request_id if isinstance(request_id, str) else None

    @property
    def retry_after(self) -> float | None:
        """Seconds that the service asks to wait, None if it does not say."""
        return parse_retry_after(self.headers.get("retry-after"), self.headers.get("date"))

    @property
    def _is_html(self) -> bool:
        return "html" in self.headers.get("content-type", "") or self.content.lstrip()[:1] == b"<"

    @property
    def meaning(self) -> Meaning:
        """What this response says about a cancel request."""
        status = self.status
        if 200 <= status < 300:
            # A 2xx that is not Graph's own may be a proxy's login page, which cancels nothing.
            graphs_own = bool(self.request_id) or (status == 202 and not self.content and not self.body)
            return Meaning.ACCEPTED if graphs_own and not self._is_html else Meaning.EFFECT_UNKNOWN
        code = self.code
        if status >= 500 or status in _TRANSIENT_STATUS:
            return Meaning.EFFECT_UNKNOWN
        if code in _RECIPIENT:
            return Meaning.RECIPIENT_INVALID
        if status == 429:
            return Meaning.THROTTLED
        if code in _OCCURRENCE_GONE:
            return Meaning.OCCURRENCE_GONE
        if status == 401:
            return Meaning.TOKEN_REFUSED
        if code in _MAILBOX:
            return Meaning.MAILBOX_UNAVAILABLE
        if code in _NOT_ORGANIZER or (status == 400 and _NOT_ORGANIZER_TEXT in self.message):
            return Meaning.NOT_ORGANIZER
        if status == 403:
            return Meaning.DENIED
        if status == 404 and code in _GONE:
            return Meaning.EVENT_GONE
        return Meaning.MALFORMED
