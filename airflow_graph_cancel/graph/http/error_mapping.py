"""From an answer that is no acceptance to the error that says what happened and what to do."""

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

__all__ = ["mailbox_refusal", "refusal"]


def refusal(address: EventAddress, answer: Response, copy: dict[str, object] | None = None) -> GraphCancelError:
    """Return the error that ``answer`` stands for.

    :param address: the event that was asked for.
    :param answer: Graph's answer to a cancellation or a look.
    :param copy: the event as this mailbox has it, if it was looked at.
    """
    kind, sentence = _explain(address, answer, copy)
    request = f", request-id {answer.request_id}" if answer.request_id else ""
    return kind(
        f"{sentence} (Graph answered {answer.status_and_code}{request}.)",
        status=answer.status,
        code=answer.code,
        request_id=answer.request_id,
        retry_after=answer.retry_after,
    )


def mailbox_refusal(mailbox: str, answer: Response) -> GraphCancelError:
    """Return the error that ``answer`` stands for when a mailbox's calendar was to be read.

    :param mailbox: whose calendar.
    :param answer: Graph's answer.
    """
    match answer.meaning:
        case Meaning.MAILBOX_UNAVAILABLE:
            kind: type[GraphCancelError] = MailboxUnavailableError
            problem = "is unknown in this tenant, has no licence, was deleted, or is not in Exchange Online"
        case Meaning.DENIED | Meaning.TOKEN_REFUSED:
            kind = AccessDeniedError
            problem = (
                "may not be read: the app needs Calendars.ReadWrite (or Calendars.Read) with admin consent, and the "
                "mailbox must be within its scope"
            )
        case _:
            kind, problem = InvalidRequestError, "could not be read"
    request = f", request-id {answer.request_id}" if answer.request_id else ""
    return kind(
        f"The calendar of {mailbox} {problem}. (Graph answered {answer.status_and_code}{request}.)",
        status=answer.status,
        code=answer.code,
        request_id=answer.request_id,
    )


def _explain(
    address: EventAddress, answer: Response, copy: dict[str, object] | None
) -> tuple[type[GraphCancelError], str]:
    if copy is not None and copy.get("isOrganizer") is False:
        return NotOrganizerError, _not_organizer(address, copy)
    match answer.meaning:
        case Meaning.NOT_ORGANIZER:
            return NotOrganizerError, _not_organizer(address, copy)
        case Meaning.EVENT_GONE | Meaning.OCCURRENCE_GONE:
            return EventMissingError, (
                f"There is no {address}, and nothing shows that it was there: it may have been cancelled or deleted "
                "by someone else, or the id belongs to another mailbox (every attendee's copy has its own id)."
            )
        case Meaning.TOKEN_REFUSED:
            return AccessDeniedError, (
                f"Graph refuses the token for {address}, also a fresh one: grant the app Calendars.ReadWrite "
                "and give admin consent."
            )
        case Meaning.DENIED:
            return AccessDeniedError, _denied(address)
        case Meaning.MAILBOX_UNAVAILABLE:
            return MailboxUnavailableError, (
                f"Mailbox {address.mailbox} is not available: it is unknown in this tenant, has no licence, was "
                "deleted, or is not in Exchange Online. Check the address, or whether its owner has left."
            )
        case Meaning.THROTTLED:
            return ThrottledError, f"Graph throttles requests to mailbox {address.mailbox}."
        case Meaning.ACCEPTED | Meaning.EFFECT_UNKNOWN:
            return ServiceUnavailableError, (
                f"Graph gave no usable answer for {address}; whether the cancellation took effect is not known, "
                "so the event is looked at before it is sent again."
            )
        case Meaning.RECIPIENT_INVALID:
            return InvalidRequestError, (
                f"Graph did not cancel {address}: at least one attendee's address is not valid, or there are none. "
                "Remove that attendee, or delete the event if nobody needs to be told."
            )
        case Meaning.MALFORMED:
            return InvalidRequestError, _malformed(address, answer)


def _not_organizer(address: EventAddress, copy: dict[str, object] | None) -> str:
    organizer = _organizer(copy) or "the organizer"
    return (
        f"Only the organizer's copy can be cancelled, and {address} is an attendee's or a room's. "
        f"Cancel the copy in the mailbox of {organizer}, with the id that the event has there."
    )


def _organizer(copy: dict[str, object] | None) -> str | None:
    organizer = (copy or {}).get("organizer")
    email = organizer.get("emailAddress") if isinstance(organizer, dict) else None
    address = email.get("address") if isinstance(email, dict) else None
    return address if isinstance(address, str) and address else None


def _denied(address: EventAddress) -> str:
    if address.group_id:
        return (
            f"Graph refuses access to {address}. Group calendars need a delegated sign-in by a member of the group; "
            "app-only access is not supported."
        )
    return (
        f"Graph refuses access to {address}. The app needs Calendars.ReadWrite with admin consent, and the mailbox "
        "must be within its scope (RBAC for Applications or an application access policy)."
    )


def _malformed(address: EventAddress, answer: Response) -> str:
    if address.mailbox == "me" and "delegated" in answer.message:
        return (
            "/me means the signed-in person, and this connection signs in as an app: set user_id, or Mailbox in the "
            "connection, to the owner of the calendar, or use a connection that signs in as a person (Credential: "
            "refresh token)."
        )
    if answer.code == "ErrorInvalidIdMalformed":
        return f"Graph calls the id of {address} malformed: ids are case-sensitive and must be passed on unchanged."
    if 300 <= answer.status < 400:
        return f"Graph's address redirects elsewhere, which is not followed with a token: check Base URL ({address})."
    # Graph's own text on purpose: it is about the request's form and the only clue there is.
    said = " ".join(answer.message.split())[:200] or "no reason given"
    return f"Graph refuses the request for {address}: {said}"
