"""Exchange's sending limits, which a mass cancellation meets: they are the organizer's, not the application's."""

from __future__ import annotations

import datetime
from collections import deque

PER_MINUTE = 30
RECIPIENTS_PER_DAY = 10_000
_MINUTE, _DAY = datetime.timedelta(minutes=1), datetime.timedelta(days=1)


class SendingQuota:
    """When an organizer's messages leave: the surplus of a minute later, the surplus of a day never.

    That the cancel itself goes on being accepted meanwhile is a guess.
    """

    def __init__(self) -> None:
        self._sent: dict[str, deque[tuple[datetime.datetime, int]]] = {}

    def delivery(self, organizer: str, recipients: int, at: datetime.datetime) -> datetime.datetime | None:
        """Return when a message handed over at this time is delivered; None if never.

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
