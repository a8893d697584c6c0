"""Map a response that is not an acceptance to the error that says what is wrong and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    EventMissingError,
    GraphCancelError,
    InvalidRequestError,
    MailboxUnavailableError,
    NotOrganizerError,
    ServiceUnavailableError,
    ThrottledError,
)
from airflow_graph_cancel.graph.http.response import Meaning, Response

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.address import EventAddress


def refusal(address: EventAddress, response: Response, event: dict[str, object] | None = None) -> GraphCancelError:
    """Return the error for a response about one event.

    :param address: the event that the request was for.
    :param response: Graph's response to a cancellation or to a read of the event.
    :param event: the event as this mailbox has it, if it was read.
    """
    kind, sentence = _explain(address, response, event)
    return _error(kind, sentence, f"{address}; ", response)


def mailbox_refusal(mailbox: str, response: Response) -> GraphCancelError:
    """Return the error for a response to reading the calendar of a mailbox.

    :param mailbox: user principal name or object id.
    :param response: Graph's response.
    """
    match response.meaning:
        case Meaning.MAILBOX_UNAVAILABLE:
            kind: type[GraphCancelError] = MailboxUnavailableError
            problem = "is unknown in this tenant, has no license, was deleted, or is not in Exchange Online"
        case Meaning.DENIED | Meaning.TOKEN_REFUSED:
            kind = AccessDeniedError
            problem = (
                "may not be read: the app needs Calendars.ReadWrite (or Calendars.Read) with admin consent, and the "
                "mailbox must be within its scope"
            )
        case _:
            kind, problem = InvalidRequestError, "could not be read"
    return _error(kind, f"The calendar of {mailbox} {problem}.", "", response)


def _error(kind: type[GraphCancelError], sentence: str, subject: str, response: Response) -> GraphCancelError:
    # Ids come last: Airflow does not wrap log lines, and the first words are all that many people see.
    request = f", request-id {response.request_id}" if response.request_id else ""
    return kind(
        f"{sentence} ({subject}Graph answered {response.status_and_code}{request}.)",
        status=response.status,
        code=response.code,
        request_id=response.request_id,
        retry_after=response.retry_after,
    )


def _explain(
    address: EventAddress, response: Response, event: dict[str, object] | None
) -> tuple[type[GraphCancelError], str]:
    if event is not None and event.get("isOrganizer") is False:
        return NotOrganizerError, _not_organizer(event)
    match response.meaning:
        case Meaning.NOT_ORGANIZER:
            return NotOrganizerError, _not_organizer(event)
        case Meaning.EVENT_GONE | Meaning.OCCURRENCE_GONE:
            return EventMissingError, (
                "The mailbox has no such event, and nothing shows that it ever had. Check the id and the mailbox: "
                "every attendee's copy has its own id. Someone else may have cancelled or deleted the event."
            )
        case Meaning.TOKEN_REFUSED:
            return AccessDeniedError, (
                "Graph refuses the token, even a fresh one: grant the app Calendars.ReadWrite and give admin consent."
            )
        case Meaning.DENIED:
            return AccessDeniedError, _denied(address)
        case Meaning.MAILBOX_UNAVAILABLE:
            return MailboxUnavailableError, (
                f"Mailbox {address.mailbox} is not available: it is unknown in this tenant, has no license, was "
                "deleted, or is not in Exchange Online. Check the address, or whether its owner has left."
            )
        case Meaning.THROTTLED:
            return ThrottledError, f"Graph throttles requests to mailbox {address.mailbox}."
        case Meaning.ACCEPTED | Meaning.EFFECT_UNKNOWN:
            return ServiceUnavailableError, (
                "Graph gave no usable response, so the cancellation may or may not have taken effect. The event is "
                "checked before the cancellation is sent again."
            )
        case Meaning.RECIPIENT_INVALID:
            return InvalidRequestError, (
                "Graph did not cancel the event: an attendee's address is invalid, or there are no attendees. Remove "
                "that attendee, or delete the event if nobody needs to be told."
            )
        case Meaning.MALFORMED:
            return InvalidRequestError, _malformed(address, response)


def _not_organizer(event: dict[str, object] | None) -> str:
    organizer = _organizer(event) or "the organizer"
    return (
        "Only the organizer's copy can be cancelled, and this is an attendee's or a room's. "
        f"Cancel the copy in the mailbox of {organizer}, with the id that the event has there."
    )


def _organizer(event: dict[str, object] | None) -> str | None:
    organizer = (event or {}).get("organizer")
    email = organizer.get("emailAddress") if isinstance(organizer, dict) else None
    address = email.get("address") if isinstance(email, dict) else None
    return address if isinstance(address, str) and address else None


def _denied(address: EventAddress) -> str:
    if address.group_id:
        return (
            "Graph refuses access to the group's calendar. It needs a delegated sign-in by a member of the group; "
            "app-only access is not supported."
        )
    return (
        "Graph refuses access to the mailbox. The app needs Calendars.ReadWrite with admin consent, and the mailbox "
        "must be within its scope (RBAC for Applications or an application access policy)."
    )


def _malformed(address: EventAddress, response: Response) -> str:
    if address.mailbox == "me" and "delegated" in response.message:
        return (
            "/me means the signed-in person, and this connection signs in as an app: set user_id, or Mailbox in the "
            "connection, to the owner of the calendar, or use a connection that signs in as a person (Credential: "
            "refresh token)."
        )
    if response.code == "ErrorInvalidIdMalformed":
        return "The event id is malformed. Check that it was copied whole and unchanged: upper and lower case matter."
    if 300 <= response.status < 400:
        return "Graph's address redirects elsewhere, and a token is not sent there: check Base URL in the connection."
    # Graph's own text is about the form of the request, and the only clue there is.
    reason = " ".join(response.message.split())[:200] or "no reason given"
    return f"Graph refuses the request: {reason}"
