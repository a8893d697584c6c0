"""What was asked of Graph, so that a test can count what a client really sent."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import NamedTuple

from airflow_graph_cancel.sandbox.model import Json, Revision


class Record(NamedTuple):
    """One request; ``status`` is None if no answer was sent."""

    n: int
    at: float
    method: str
    path: str
    status: int | None
    app: str | None
    mailbox: str | None
    request_id: str
    client_request_id: str
    fault: str | None
    seconds: float
    batch: int | None
    effect: bool


class Ledger:
    """Requests in the order in which they were answered, numbered in the order in which they came."""

    def __init__(self, revision: Revision | None = None) -> None:
        self._revision = revision or Revision()
        self.records: list[Record] = []
        self.statuses: Counter[str] = Counter()
        self.tokens = 0
        self._numbers = 0

    def next_number(self) -> int:
        """Return the number of the next request."""
        self._numbers += 1
        return self._numbers

    def count_token(self) -> None:
        """Count a token that was issued."""
        self.tokens += 1

    def add(self, record: Record) -> None:
        """Enter a finished request."""
        self._revision.bump()
        self.records.append(record)
        self.statuses["lost" if record.status is None else str(record.status)] += 1

    def clear(self) -> None:
        """Forget everything; numbers go on, so that a later request is never taken for an earlier one."""
        self._revision.bump()
        self.records.clear()
        self.statuses.clear()
        self.tokens = 0

    def to_json(self, since: int = 0) -> list[Json]:
        """Return the requests as the control API shows them, in the order in which they came.

        :param since: Only those with a greater number.
        """
        rows: list[Json] = []
        for record in sorted(self.records):
            if record.n > since:
                row: Json = record._asdict()
                row["at"] = datetime.datetime.fromtimestamp(record.at, datetime.UTC).isoformat()
                row["seconds"] = round(record.seconds, 6)
                rows.append(row)
        return rows
