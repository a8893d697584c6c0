"""A mailbox that says "later", or takes longer and longer, is asked for less; what it did not refuse does not wait."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.support.contoso import rows_in
from tests.support.operators import cancel_events

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

STRAINED, OTHER = "strained@contoso.example", "other@contoso.example"
SLOW = 1.5
"""Seconds: more than the one that a round trip may take, and than four times the best one."""


def test_a_slow_batch_narrows_the_lane_that_met_it(sandbox: Sandbox) -> None:
    """Three slots make batches of three; after a slow one the mailbox gets two, then three again."""
    rows = rows_in(sandbox, {STRAINED: 14, OTHER: 3})
    sandbox.add_fault("slow", delay=SLOW, match={"event_id": rows[3]["event_id"]})
    assert cancel_events(rows, concurrency=3)["counts"] == {"cancelled": 17}
    sizes = Counter(request["batch"] for request in sandbox.requests(mailbox=STRAINED))
    narrowed = [sizes[batch] for batch in sorted(sizes)]
    assert narrowed[:3] == [3, 3, 2]
    # The slot that is free goes to the other mailbox. Which of the two returns first decides how the rest is cut.
    assert narrowed[3:] in ([3, 3], [2, 3, 1])
    assert list(Counter(request["batch"] for request in sandbox.requests(mailbox=OTHER)).values()) == [1, 2]


def test_slow_single_requests_narrow_the_lane_that_met_them(sandbox: Sandbox) -> None:
    """Four that are slow at a time leave room for one, then for two; another mailbox shows what is possible."""
    rows = rows_in(sandbox, {STRAINED: 9, OTHER: 9})
    sandbox.settings(latency=0.05)
    sandbox.add_fault("slow", times=4, delay=SLOW, match={"mailbox": STRAINED})
    assert cancel_events(rows, batch=False)["counts"] == {"cancelled": 18}
    spans = sorted(
        (start := datetime.fromisoformat(request["at"]).timestamp(), start + request["seconds"])
        for request in sandbox.requests(mailbox=STRAINED)
    )
    at_once = [sum(begun <= start < ended for begun, ended in spans) for start, _ in spans]
    assert at_once[:4] == [1, 2, 3, 4]
    assert at_once[4] == 1
    assert spans[5][0] >= spans[4][1]
    assert max(at_once[5:7]) <= 2


def test_only_what_was_throttled_waits_each_by_its_own_delay(sandbox: Sandbox) -> None:
    """Two parts of one batch are refused for one and for two seconds: the others are done at once, and not repeated."""
    rows = rows_in(sandbox, {STRAINED: 6, OTHER: 6})
    waits = {rows[1]["event_id"]: 1.0, rows[2]["event_id"]: 2.0}
    for event_id, seconds in waits.items():
        sandbox.add_fault("429", retry_after=f"{seconds:.0f}", match={"path": "/cancel", "event_id": event_id})
    assert cancel_events(rows)["counts"] == {"cancelled": 12}
    sent: dict[str, list[float]] = {row["event_id"]: [] for row in rows}
    for request in sandbox.requests(path="/cancel"):
        event_id = unquote(request["path"].split("/events/")[1].removesuffix("/cancel"))
        sent[event_id].append(datetime.fromisoformat(request["at"]).timestamp())
    assert {event_id: len(times) for event_id, times in sent.items()} == {
        event_id: 2 if event_id in waits else 1 for event_id in sent
    }
    first, second = (sent[event_id][1] - sent[event_id][0] for event_id in waits)
    assert 1 <= first < second
    assert second >= 2
