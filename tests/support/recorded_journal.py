"""A journal in memory that survives tries, and that records when what was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.outcome import CancelResult

__all__ = ["RecordedJournal"]


class _Past:
    """One event's view of a journal."""

    def __init__(self, journal: RecordedJournal, number: int) -> None:
        self._journal, self._number = journal, number

    @property
    def sent(self) -> int:
        return self._journal.counts[self._number]

    def sent_before(self) -> bool:
        return self._number in self._journal.sent_before


class RecordedJournal:
    """The journal of many events (protocol ``BulkJournal``).

    :param inputs: the events.
    :param log: where ``mark``, ``not sent``, ``settled``, ``close`` and ``forget`` are written, with paths.
    :param before: the journal of the try before, None for the first.
    """

    def __init__(
        self,
        inputs: Sequence[CancelInput],
        log: list[tuple[str, str]] | None = None,
        before: RecordedJournal | None = None,
    ) -> None:
        self.log = [] if log is None else log
        self.results: dict[int, CancelResult] = dict(before.results) if before else {}
        self.counts: Counter[int] = Counter(before.counts) if before else Counter()
        self.marked: set[int] = set()
        self.sent_before: set[int] = (before.marked | before.sent_before) - before.cleared if before else set()
        self.cleared: set[int] = set()
        self.forgotten: set[int] | None = None
        self._inputs = inputs

    def _write(self, what: str, number: int) -> None:
        self.log.append((what, self._inputs[number].address.path))

    def settled_before(self) -> Mapping[int, CancelResult]:
        """Return what earlier tries settled."""
        return self.results

    def event(self, number: int) -> _Past:
        """Return what is known of one event, now and later."""
        return _Past(self, number)

    def sending(self, numbers: Sequence[int]) -> None:
        """Mark and count."""
        for number in numbers:
            self._write("mark", number)
            self.marked.add(number)
            self.cleared.discard(number)
            self.counts[number] += 1

    def not_sent(self, number: int) -> None:
        """Take the mark back."""
        self._write("not sent", number)
        self.cleared.add(number)

    def settled(self, number: int, result: CancelResult) -> None:
        """Keep the result."""
        self._write("settled", number)
        self.results = {**self.results, number: result}

    def close(self) -> None:
        """Record the end."""
        self.log.append(("close", ""))

    def forget(self, numbers: Iterable[int]) -> None:
        """Record what a later try decides again."""
        self.log.append(("forget", ""))
        self.forgotten = set(numbers)
