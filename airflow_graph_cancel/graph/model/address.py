"""The address of an event: the eleven ways in which Graph addresses an event that can be cancelled.

Whatever is not an address is refused here, before any request: an id that a template failed to render must never become
a request for some other resource.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from airflow_graph_cancel.graph.errors import GraphCancelError, InvalidInputError
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

ADDRESS_KEYS = ("event_id", "user_id", "group_id", "calendar_id", "calendar_group_id")
"""Names of the parts of an address, as arguments and as keys of a row."""

DEFAULT = "default"
# Control characters, and surrogates, which no encoding can carry.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_RESERVED = re.compile(r"[^A-Za-z0-9_.~-]+")

Form = Literal[
    "events",
    "calendar/events",
    "calendars/events",
    "calendarGroup/calendars/events",
    "calendarGroups/calendars/events",
]

OwnerKind = Literal["users", "groups"]


def check_segment(argument: str, value: object) -> str:
    """Return ``value`` if it can be one segment of a URL path, else raise.

    ``.`` and ``..`` are refused because HTTP clients resolve them, even percent-encoded: ``/users/../events/x`` would
    reach another resource.

    :param argument: name of the argument, for the message.
    :param value: what the user or a template gave.
    :raises InvalidInputError: for anything but a usable string.
    """
    if value is None or (isinstance(value, str) and value.strip() == "None"):
        raise InvalidInputError(
            f"{argument} is None: its template rendered nothing, perhaps a missing XCom or feed column."
        )
    if not isinstance(value, str):
        raise InvalidInputError(f"{argument} must be a string, not {type(value).__name__}.")
    if not value.strip():
        raise InvalidInputError(
            f"{argument} is empty or blank ({value!r}). Check the template or the feed column that it comes from."
        )
    if value in {".", ".."}:
        raise InvalidInputError(
            f"{argument} must not be {value!r}: HTTP clients resolve it, and would reach another resource."
        )
    if _UNPRINTABLE.search(value):
        raise InvalidInputError(
            f"{argument} contains a control character ({value!r:.80}), perhaps a line break from a feed."
        )
    return value


def _encoded(segment: str) -> str:
    # Mostly one of the 150 characters of an id must be encoded, and quote alone would look at each of them.
    return _RESERVED.sub(lambda found: quote(found[0], safe=""), segment)


@dataclass(frozen=True, slots=True)
class EventAddress:
    """The address of one event in one mailbox.

    Checked on construction, so that every address that exists can be sent.

    :param event_id: id of the event in that mailbox. The id of an occurrence stands for that date, the id of a series
        master for the whole series.
    :param user_id: user principal name or object id of the calendar's owner; None means ``/me``.
    :param group_id: Microsoft 365 group instead of a user.
    :param calendar_id: id of a calendar, or ``"default"`` for the owner's primary one.
    :param calendar_group_id: id of a calendar group, or ``"default"`` for the primary one of ``/me``.
    :raises InvalidInputError: if a part is not a path segment or the combination is not an address.
    """

    event_id: str
    user_id: str | None = None
    group_id: str | None = None
    calendar_id: str | None = None
    calendar_group_id: str | None = None

    def __post_init__(self) -> None:
        check_segment("event_id", self.event_id)
        for argument in ADDRESS_KEYS[1:]:
            if (value := getattr(self, argument)) is not None:
                check_segment(argument, value)
        if (reason := self._contradiction()) is not None:
            raise InvalidInputError(reason)

    def _contradiction(self) -> str | None:
        if self.user_id and self.group_id:
            return "user_id and group_id are both set: a calendar belongs to a user or to a group."
        if self.group_id and self.calendar_group_id:
            return "calendar_group_id is set with group_id: a group has one calendar and no calendar groups."
        if self.group_id and self.calendar_id not in (None, DEFAULT):
            return f'calendar_id is set with group_id: a group has one calendar. Omit calendar_id, or use "{DEFAULT}".'
        if self.calendar_group_id and not self.calendar_id:
            return "calendar_group_id is set without calendar_id: Graph addresses events through a calendar."
        if self.calendar_group_id and self.calendar_id == DEFAULT:
            return f'calendar_id is "{DEFAULT}" in a calendar group: use the id of the calendar, or omit the group.'
        if self.calendar_group_id == DEFAULT and self.user_id:
            return (
                f'calendar_group_id is "{DEFAULT}" for a user: Graph has that form for /me only. Set the id of the '
                "calendar group, or omit it."
            )
        return None

    @property
    def key(self) -> str:
        """All parts of the address as one string."""
        return "\0".join(part or "" for part in self.as_row().values())

    @property
    def mailbox(self) -> str:
        """Owner of the calendar as reports name it: user, group, or ``me``."""
        return self.user_id or self.group_id or "me"

    @property
    def owner_kind(self) -> OwnerKind:
        """The collection that the owner is in; ``/me`` is one of the users."""
        return "groups" if self.group_id else "users"

    @property
    def form(self) -> Form:
        """The path between owner and event without ids, which decides the request builder."""
        if self.calendar_group_id == DEFAULT:
            return "calendarGroup/calendars/events"
        if self.calendar_group_id:
            return "calendarGroups/calendars/events"
        if self.calendar_id == DEFAULT:
            return "calendar/events"
        return "calendars/events" if self.calendar_id else "events"

    @property
    def path(self) -> str:
        """Path of the event below ``/v1.0`` or ``/beta``, percent-encoded segment by segment."""
        return "/" + "/".join(map(_encoded, self._segments()))

    def _segments(self) -> list[str]:
        segments = ["me"]
        if self.user_id or self.group_id:
            segments = ["users", self.user_id] if self.user_id else ["groups", str(self.group_id)]
        if self.calendar_group_id:
            primary = self.calendar_group_id == DEFAULT
            segments += ["calendarGroup"] if primary else ["calendarGroups", self.calendar_group_id]
        if self.calendar_id:
            segments += ["calendar"] if self.calendar_id == DEFAULT else ["calendars", self.calendar_id]
        return [*segments, "events", self.event_id]

    @classmethod
    def from_row(cls, row: Mapping[str, object], *, default_user: str | None = None) -> EventAddress:
        """Return the address in a row with the keys ``event_id``, ``user_id`` and so on.

        :param row: further keys are ignored.
        :param default_user: owner if the row names neither user nor group.
        :raises InvalidInputError: if the row has no valid address.
        """
        # The constructor checks the types of what a feed delivers.
        parts: dict[str, Any] = {name: row.get(name) for name in ADDRESS_KEYS}
        if parts["user_id"] is None and parts["group_id"] is None:
            parts["user_id"] = default_user
        return cls(**parts)

    def as_row(self) -> dict[str, str | None]:
        """Return plain JSON types; :meth:`from_row` reads them."""
        return {name: getattr(self, name) for name in ADDRESS_KEYS}

    def result(
        self, outcome: Outcome, message: str, *, request_id: str | None = None, attempts: int = 0
    ) -> CancelResult:
        """Return the result of this event."""
        return CancelResult(self.event_id, self.mailbox, outcome, message, request_id, attempts)

    def failed(self, error: GraphCancelError, *, attempts: int | None = None) -> CancelResult:
        """Return the result that corresponds to an error.

        :param attempts: cancel requests sent; default is what the error says.
        """
        sent = error.attempts if attempts is None else attempts
        return self.result(error.outcome, str(error), request_id=error.request_id, attempts=sent)

    def __str__(self) -> str:
        return f"event {self.event_id} in mailbox {self.mailbox}"
