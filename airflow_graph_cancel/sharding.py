"""Distribute events over mapped tasks when one worker is not enough."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

__all__ = ["shard_by_mailbox"]

Event = TypeVar("Event", str, Mapping[str, object])


def shard_by_mailbox(events: Sequence[Event], shards: int) -> list[list[Event]]:
    """Split events into lists of about equal length, with each mailbox in one list only.

    Outlook limits an app's requests per mailbox, so two tasks that shared a mailbox would throttle each other. Events
    that name no owner all belong to the task's or the connection's mailbox and stay together. There are no empty lists,
    because each would start a mapped task for nothing.

    :param events: ids, or rows with ``user_id`` or ``group_id``.
    :param shards: the most lists to return, usually the number of tasks that run at once.
    :raises ValueError: if ``shards`` is less than one.
    """
    if shards < 1:
        raise ValueError(f"shards must be at least 1, not {shards}")
    mailboxes: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        owner = (event.get("user_id") or event.get("group_id")) if isinstance(event, Mapping) else None
        mailboxes[str(owner or "").casefold()].append(event)
    loads: list[tuple[int, int]] = [(0, number) for number in range(shards)]
    lists: list[list[Event]] = [[] for _ in range(shards)]
    # Largest mailbox first, each into the shortest list: at most a third longer than the best possible split.
    for mailbox in sorted(mailboxes.values(), key=len, reverse=True):
        load, number = heapq.heappop(loads)
        lists[number] += mailbox
        heapq.heappush(loads, (load + len(mailbox), number))
    return [each for each in lists if each]
