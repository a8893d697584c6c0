"""Spread events over mapped tasks, where one worker is not enough."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

__all__ = ["shard_by_mailbox"]

Event = TypeVar("Event", str, Mapping[str, object])


def shard_by_mailbox(events: Sequence[Event], shards: int) -> list[list[Event]]:
    """Return the events in so many lists of even length, each mailbox in one list only.

    Outlook counts an app's requests per mailbox: two tasks that shared one would throttle each other. Events that name
    no owner belong to one mailbox, the task's or the connection's, and stay together. Empty lists are left out, so
    that no mapped task starts for nothing.

    :param events: ids, or rows with ``user_id`` or ``group_id``.
    :param shards: how many lists at most; as many as there are tasks at a time.
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
    # The fullest first, each to the shortest list: never more than a third above the best that is possible.
    for mailbox in sorted(mailboxes.values(), key=len, reverse=True):
        load, number = heapq.heappop(loads)
        lists[number] += mailbox
        heapq.heappush(loads, (load + len(mailbox), number))
    return [each for each in lists if each]
