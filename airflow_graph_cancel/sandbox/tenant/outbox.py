"""The mail that organizers sent: the one effect of a cancel that cannot be undone. Also Exchange's sending limits."""

from __future__ import annotations

import datetime
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from airflow_graph_cancel.sandbox.behaviour import Settings
from airflow_graph_cancel.sandbox.tenant.entities import Item, Json, Revision

PER_MINUTE = 30
RECIPIENTS_PER_DAY = 10_000
_MINUTE, _DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)


class Message(NamedTuple):
    """A mail that the service sent on behalf of an organizer.

    :param delivered: When it reached its recipients; None if the organizer's daily limit held it back.
    :param kind: ``cancellation`` or ``update``.
    :param occurrence: Original date if it concerns one date of a series, else None.
    """

    n: int
    at: datetime.datetime
    delivered: datetime.datetime | None
    kind: str
    organizer: str
    uid: str
    event_id: str
    subject: str
    start: datetime.datetime
    end: datetime.datetime
    comment: str | None
    occurrence: datetime.date | None
    recipients: tuple[str, ...]


class SendingLimits:
    """Delivery under the organizer's limits: messages above the minute's limit wait, those above the day's are lost.

    The limits belong to the organizer, not to the application. That the service still accepts cancels meanwhile is a
    guess.
    """

    def __init__(self) -> None:
        self._sent: dict[str, deque[tuple[datetime.datetime, int]]] = {}

    def delivery(self, organizer: str, recipients: int, at: datetime.datetime) -> datetime.datetime | None:
        """Return when a message that is sent at this time is delivered; None for never.

        :param recipients: Counted for each message; a group counts as one.
        """
        sent = self._sent.setdefault(organizer, deque())
        while sent and sent[0][0] <= at - _DAY:
            sent.popleft()
        if sum(count for _, count in sent) + recipients > RECIPIENTS_PER_DAY:
            return None
        due = max(at, sent[-PER_MINUTE][0] + _MINUTE) if len(sent) >= PER_MINUTE else at
        sent.append((due, recipients))
        return due


class Outbox:
    """Every message that the tenant's organizers sent, in order."""

    def __init__(self, revision: Revision | None = None, settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._limits = SendingLimits()
        self._revision = revision or Revision()
        self.messages: list[Message] = []
        self._revisions: list[int] = []

    def post(self, kind: str, item: Item, comment: str | None) -> None:
        """Send one message to all attendees; without attendees there is no message."""
        event, date = item
        meeting = event.meeting
        invited = [each.address for each in meeting.invited(date) if each.address != meeting.organizer.address]
        if not invited:
            return
        slot, at = item.slot, datetime.datetime.now(datetime.UTC)
        due: datetime.datetime | None = at
        if self._settings.guesses.sending_limits == "on":
            due = self._limits.delivery(event.mailbox.id, len(invited), at)
        self._revisions.append(self._revision.bump())
        self.messages.append(
            Message(
                n=len(self.messages) + 1,
                at=at,
                delivered=due,
                kind=kind,
                organizer=event.mailbox.address,
                uid=item.uid,
                event_id=item.id,
                subject=slot.subject or meeting.subject,
                start=slot.start,
                end=slot.end,
                comment=comment,
                occurrence=date,
                recipients=tuple(invited),
            )
        )

    def clear(self) -> None:
        """Forget all messages."""
        self._revision.bump()
        self._revisions.clear()
        self.messages.clear()

    def since(self, revision: int) -> list[Message]:
        """Return the messages that were sent after this revision."""
        return self.messages[bisect_right(self._revisions, revision) :]

    @staticmethod
    def to_json(messages: Sequence[Message]) -> list[Json]:
        """Return messages as the control API shows them."""
        return [_json(each) for each in messages]


def _json(message: Message) -> Json:
    return {
        "iCalUId" if name == "uid" else name: value.isoformat() if isinstance(value, datetime.date) else value
        for name, value in message._asdict().items()
    }
