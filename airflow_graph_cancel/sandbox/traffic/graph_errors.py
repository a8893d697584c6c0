"""Every error of the service that the sandbox knows, worded as documented or observed."""

from __future__ import annotations

from airflow_graph_cancel.sandbox.traffic.messages import GraphError


def item_not_found() -> GraphError:
    """Refuse an id that is unknown, of another mailbox, or cancelled already: the service does not tell them apart."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def malformed_id() -> GraphError:
    """Refuse an id that cannot be an item's id."""
    return GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def not_organizer(code: str) -> GraphError:
    """Refuse to cancel an attendee's or a room's copy. The message is documented; the code is a guess."""
    message = "Your request can't be completed. You need to be an organizer to cancel a meeting."
    return GraphError(400, code, message)


def no_recipients() -> GraphError:
    """Refuse to cancel an event without attendees: the stricter of two guesses."""
    return GraphError(
        400,
        "ErrorInvalidRecipients",
        "At least one recipient isn't valid., A message can't be sent because it contains no recipients.",
    )


def invalid_recipients() -> GraphError:
    """Report that an attendee's mailbox is gone; observed although the change was made."""
    return GraphError(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")


def invalid_user(name: str) -> GraphError:
    """Refuse a name that nobody in the tenant has, or that a distribution list has."""
    return GraphError(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")


def mailbox_not_enabled() -> GraphError:
    """Refuse a known user without a mailbox in the cloud."""
    message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
    return GraphError(404, "MailboxNotEnabledForRESTAPI", message)


def directory_object_not_found(name: str) -> GraphError:
    """Refuse a name that the directory, rather than the calendar, does not know."""
    message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    return GraphError(404, "Request_ResourceNotFound", message)


def access_denied() -> GraphError:
    """Refuse because of a missing permission, or because of the mailbox."""
    return GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def out_of_policy() -> GraphError:
    """Refuse a mailbox outside the application access policy."""
    message = "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
    return GraphError(403, "ErrorAccessDenied", message, bare=True)


def me_without_person() -> GraphError:
    """Refuse ``/me`` with the token of an application."""
    return GraphError(400, "BadRequest", "/me request is only valid with delegated authentication flow.")


def no_token() -> GraphError:
    """Refuse a request with a missing or empty Authorization header."""
    return GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")


def garbled_token() -> GraphError:
    """Refuse a value that is not a token of this tenant."""
    return GraphError(401, "InvalidAuthenticationToken", "CompactToken parsing failed with error code: 80049217")


def wrong_audience() -> GraphError:
    """Refuse a token for another service."""
    message = "Access token validation failure. Invalid audience."
    return GraphError(401, "InvalidAuthenticationToken", message)


def expired_token() -> GraphError:
    """Refuse an expired token."""
    return GraphError(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")


def no_permissions() -> GraphError:
    """Refuse a token without any role."""
    message = "The token contains no permissions, or permissions can not be understood."
    return GraphError(401, "NoPermissionsInAccessToken", message)


def mailbox_concurrency(retry_after: str | None) -> GraphError:
    """Refuse a request above the limit of concurrent requests."""
    message = "Application is over its MailboxConcurrency limit."
    return GraphError(429, "ApplicationThrottled", message, bare=True, retry_after=retry_after)


def unknown_segment(segment: str) -> GraphError:
    """Refuse an unknown path."""
    return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")


def method_not_allowed() -> GraphError:
    """Refuse a method that the resource does not support."""
    message = "Specified HTTP method is not allowed for the request target."
    return GraphError(405, "Request_BadRequest", message)


def bad_request(message: str) -> GraphError:
    """Refuse any other malformed request."""
    return GraphError(400, "BadRequest", message)


def cannot_complete(reason: str) -> GraphError:
    """Refuse a calendar operation that the service, or the sandbox, cannot carry out."""
    return GraphError(400, "ErrorInvalidRequest", f"Your request can't be completed. {reason}.")
