"""What is cancelled: closures of a certain shape, in a local Graph of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

__all__ = ["AT_ONCE", "LIMITED", "MANY", "Rows", "Shape", "make"]

Rows = list[dict[str, str]]
AT_ONCE = 4
"""Requests that Outlook serves at a time in one mailbox."""


@dataclass(frozen=True)
class Shape:
    """A closure: how many events in each mailbox, and how slow the service is.

    :param latency: seconds that the service takes for a request.
    :param concurrency: of the operator: as many as four in each mailbox give the others.
    """

    name: str
    counts: tuple[int, ...]
    latency: float
    concurrency: int

    @property
    def bound(self) -> float:
        """Seconds that four at a time in the fullest mailbox make unavoidable."""
        return math.ceil(max(self.counts) / AT_ONCE) * self.latency


MANY = Shape("Many mailboxes", (20,) * 100, 0.05, 400)
LIMITED = Shape("The service is the limit", (80, 60, 40, 20, *[3] * 20), 0.4, 64)


def make(sandbox: Sandbox, counts: tuple[int, ...], name: str = "organizer") -> Rows:
    """Make so many meetings in each of some new mailboxes; return their events, mailbox by mailbox."""
    owners = [f"{name}{number}@contoso.example" for number in range(len(counts))]
    sandbox.add_mailboxes([{"address": owner} for owner in owners])
    rows = []
    for owner, count in zip(owners, counts, strict=True):
        meeting = {
            "organizer": owner, "subject": "x", "attendees": ["guest@fabrikam.example"],
            "start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z",
        }  # fmt: skip
        rows += [
            {"event_id": event["copies"][owner], "user_id": owner} for event in sandbox.create_events([meeting] * count)
        ]
    return rows
