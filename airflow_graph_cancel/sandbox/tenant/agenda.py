"""What a mailbox's ``calendarView`` is read from."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from airflow_graph_cancel.sandbox.tenant.entities import Event, Item


class Entry(NamedTuple):
    """A line of a mailbox's agenda, in the order of its start."""

    start: float
    number: int
    end: float
    item: Item


class Agenda:
    """Singles and occurrences of a mailbox, by start.

    A window costs what it contains, not what the mailbox holds.
    """

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._lines: dict[tuple[Event, datetime.date | None], Entry] = {}
        self._longest = 0.0
        self._numbers = 0

    def add(self, item: Item) -> None:
        """Enter a single event or an occurrence."""
        slot = item.slot
        self._numbers += 1
        entry = Entry(slot.start.timestamp(), self._numbers, slot.end.timestamp(), item)
        self._longest = max(self._longest, entry.end - entry.start)
        self._lines[item.event, item.date] = entry
        insort(self.entries, entry)

    def discard(self, item: Item) -> bool:
        """Take a line out, if it is there."""
        entry = self._lines.pop((item.event, item.date), None)
        if entry is None:
            return False
        del self.entries[bisect_left(self.entries, entry)]
        return True

    def between(self, start: float, end: float) -> Iterable[Entry]:
        """Yield what overlaps the window, in the order of its start (both in epoch seconds)."""
        low = bisect_left(self.entries, (start - self._longest,))
        high = bisect_left(self.entries, (end,))
        for entry in self.entries[low:high]:
            if entry.end > start or entry.start >= start:
                yield entry
