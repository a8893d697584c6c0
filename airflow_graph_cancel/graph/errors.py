"""The error tree.

::

    GraphCancelError
    ├── InvalidInputError            refused here, before any request
    │   └── ConnectionSettingsError  the connection, not the task, is wrong
    ├── StoppedError                 the task was told to stop before the next request
    ├── RefusedError                 Graph or the login refused; a retry changes nothing
    │   ├── EventMissingError
    │   ├── NotOrganizerError
    │   ├── AccessDeniedError
    │   ├── MailboxUnavailableError
    │   └── InvalidRequestError
    └── TryLaterError                the request is valid and may succeed later
        ├── ThrottledError
        └── ServiceUnavailableError

Each class names its outcome, so that nothing else has to look at status codes.
"""

from __future__ import annotations

from typing import ClassVar

from airflow_graph_cancel.graph.outcome import Outcome

__all__ = [
    "AccessDeniedError",
    "ConnectionSettingsError",
    "EventMissingError",
    "GraphCancelError",
    "InvalidInputError",
    "InvalidRequestError",
    "MailboxUnavailableError",
    "NotOrganizerError",
    "RefusedError",
    "ServiceUnavailableError",
    "StoppedError",
    "ThrottledError",
    "TryLaterError",
]


class GraphCancelError(Exception):
    """Base of all errors of this package; the message says what is wrong, what to do, and with which event.

    :param message: one or two sentences for a person; holds no secret, comment, subject or attendee.
    :param status: HTTP status of Graph's response, None if there was none.
    :param code: Graph's ``error.code``.
    :param request_id: Graph's ``request-id``, which Microsoft's support asks for.
    :param retry_after: seconds that the service asked to wait.
    :param attempts: cancel requests sent for this event so far.
    :param in_doubt: whether a cancel request was sent whose effect is not known.
    :param nothing_sent: whether it is certain that this call sent no cancel request; the text then says so.
    :ivar mailbox: owner of the event, if it is about one.
    """

    outcome: ClassVar[Outcome]
    nothing_sent: bool = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        attempts: int = 0,
        in_doubt: bool = False,
        nothing_sent: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.attempts = attempts
        self.in_doubt = in_doubt
        self.mailbox: str | None = None
        if nothing_sent is not None:
            self.nothing_sent = nothing_sent

    def __str__(self) -> str:
        return f"{self.message} Nothing was sent." if self.nothing_sent else self.message


class InvalidInputError(GraphCancelError, ValueError):
    """An argument is missing, malformed or contradicts another."""

    outcome = Outcome.INVALID
    nothing_sent = True


class ConnectionSettingsError(InvalidInputError):
    """A field of the connection is missing or malformed; named by its label in the form."""


class StoppedError(GraphCancelError):
    """The task was told to stop before it sent the next request."""

    outcome = Outcome.UNAVAILABLE


class RefusedError(GraphCancelError):
    """Graph or the login refused, and a retry would not change that.

    While an earlier request is ``in_doubt``, the text says that it may have taken effect.
    """

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} An earlier request may have taken effect; people may have been told." if self.in_doubt else text


class EventMissingError(RefusedError):
    """404 ``ErrorItemNotFound``, and nothing shows that the event ever existed."""

    outcome = Outcome.MISSING


class NotOrganizerError(RefusedError):
    """The mailbox has an attendee's or a room's copy; only the organizer's copy can be cancelled."""

    outcome = Outcome.NOT_ORGANIZER


class AccessDeniedError(RefusedError):
    """The app may not do this: wrong secret, missing consent, or a mailbox out of its scope."""

    outcome = Outcome.DENIED


class MailboxUnavailableError(RefusedError):
    """The mailbox is unknown, unlicensed, soft-deleted or not in Exchange Online."""

    outcome = Outcome.MAILBOX_UNAVAILABLE


class InvalidRequestError(RefusedError):
    """Graph refuses the request as malformed."""

    outcome = Outcome.INVALID


class TryLaterError(GraphCancelError):
    """The request was valid and may succeed later; ``retry_after`` says when, if the service did."""


class ThrottledError(TryLaterError):
    """429: the app sends more requests than the mailbox or the service allows."""

    outcome = Outcome.THROTTLED


class ServiceUnavailableError(TryLaterError):
    """5xx, a timeout or a broken connection: Graph, the login or the network is down."""

    outcome = Outcome.UNAVAILABLE
