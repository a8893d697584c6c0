"""The outcome of an event, what each outcome implies, and the result that a task reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

__all__ = ["CancelResult", "Outcome"]


class Outcome(StrEnum):
    """The outcome of one event. Users' pipelines rely on these words."""

    CANCELLED = "cancelled"
    ALREADY_CANCELLED = "already_cancelled"
    MISSING = "missing"
    NOT_ORGANIZER = "not_organizer"
    DENIED = "denied"
    MAILBOX_UNAVAILABLE = "mailbox_unavailable"
    INVALID = "invalid"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    PREVIEW = "preview"
    CHANGED = "changed"

    @property
    def is_cancelled(self) -> bool:
        """Whether the meeting does not take place."""
        return self in {Outcome.CANCELLED, Outcome.ALREADY_CANCELLED}

    @property
    def is_settled(self) -> bool:
        """Whether the outcome is final; only events that are not settled are sent again."""
        return self not in {Outcome.THROTTLED, Outcome.UNAVAILABLE}

    @property
    def passes(self) -> bool:
        """Whether a task succeeds with it whatever its policies are."""
        return self.is_cancelled or self in {Outcome.PREVIEW, Outcome.CHANGED}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class CancelResult:
    """The result of one event, with what support and auditors ask for.

    :param event_id: the id as it was given.
    :param mailbox: owner of the calendar: user, group, or ``me``.
    :param outcome: one of :class:`Outcome`.
    :param request_id: Graph's ``request-id`` of the deciding response, None if there was none.
    :param attempts: cancel requests sent for this event, in all tries of the task.
    :param at: when it was decided, ISO 8601 in UTC.
    :param message: a sentence for a person.
    """

    event_id: str
    mailbox: str
    outcome: Outcome
    message: str
    request_id: str | None = None
    attempts: int = 0
    at: str = field(default_factory=_now)

    def as_row(self) -> dict[str, str | int | None]:
        """Return plain JSON types, as XCom needs them."""
        return {
            "event_id": self.event_id,
            "mailbox": self.mailbox,
            "outcome": str(self.outcome),
            "request_id": self.request_id,
            "attempts": self.attempts,
            "at": self.at,
            "message": self.message,
        }
