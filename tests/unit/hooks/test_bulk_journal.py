"""The mark of many events: no request goes out that a later try would not know of."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_graph_cancel.graph.cancel.inputs import CancelInput
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from airflow_graph_cancel.hooks.task_state.bulk_journal import CHUNK, TaskStateBulkJournal
from tests.support.task_state import LARGEST, TaskStateStore

if TYPE_CHECKING:
    from pydantic import JsonValue


class Store(TaskStateStore):
    """A state store that counts what it is given, and whose writes can be made to fail."""

    broken = False
    read = 0

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def get(self, key: str, default: JsonValue = None) -> JsonValue:
        """Return a value."""
        self.read += 1
        return super().get(key, default)

    def set(self, key: str, value: JsonValue, *, retention: timedelta | None = None) -> None:
        """Keep a value, or lose it."""
        if self.broken:
            raise ConnectionError("the API server is away")
        self.sizes.append(len(json.dumps(value)))
        super().set(key, value)


ORDERS = [CancelInput(EventAddress(f"AAMk{number}", "ada@contoso.example")) for number in range(CHUNK + 1)]


def test_a_mark_that_was_lost_holds_for_no_request_of_its_chunk() -> None:
    """Batches that share a chunk go out side by side: none may count on a mark that the first could not write."""
    store = Store()
    journal = TaskStateBulkJournal(store, ORDERS)
    store.broken = True
    for number in (0, 1):
        with pytest.raises(ConnectionError):
            journal.sending([number])
    store.broken = False
    journal.sending([2])
    assert TaskStateBulkJournal(store, ORDERS).event(1).sent_before()


def test_only_the_chunks_that_were_begun_are_in_doubt() -> None:
    """A retry after a kill looks at what may have been sent and sends the rest at once."""
    store = Store()
    TaskStateBulkJournal(store, ORDERS).sending([0])
    later = TaskStateBulkJournal(store, ORDERS)
    assert later.event(0).sent_before()
    assert not later.event(CHUNK).sent_before()


@pytest.mark.parametrize(
    "said",
    ["x" * 1000, "Der Raum ist geräumt. " * 50, "会议室关闭" * 200, "\U0001f6a8" * 300, '"\\\n' * 300],
    ids=["ASCII", "umlauts", "Chinese", "emoji", "escapes"],
)
def test_no_value_is_larger_than_airflow_stores(said: str) -> None:
    """Ids of 250 characters, messages and request ids as long as a gateway likes, in any script, many events."""
    store = Store()
    orders = [CancelInput(EventAddress(f"{number:0>250}", "ada@contoso.example")) for number in range(CHUNK)]
    journal = TaskStateBulkJournal(store, orders)
    for number, order in enumerate(orders):
        for _ in range(99):
            journal.sending([number])
        longest = max(Outcome, key=len)
        journal.settled(
            number,
            CancelResult(
                order.address.event_id, order.address.mailbox, longest, f"{order.address}: {said}", said, attempts=99
            ),
        )
    later = TaskStateBulkJournal(store, orders)
    assert len(later.settled_before()) == CHUNK
    # In a list of millions an event's number has five digits more, and stands there twice.
    assert max(store.sizes) + 5 * 2 * CHUNK <= LARGEST


def cancelled(store: Store, count: int, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Drive the journal as batches do, sixteen in the air at a time, each so many seconds after the one before."""
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    orders = [
        CancelInput(EventAddress(f"AAMk{number:0140}=", f"organizer{number % 40:02}@contoso.example"))
        for number in range(count)
    ]
    journal = TaskStateBulkJournal(store, orders)
    by_mailbox = sorted(range(count), key=lambda number: (number % 40, number))
    batches = [by_mailbox[start : start + 20] for start in range(0, count, 20)]
    for place in range(len(batches) + 16):
        if place < len(batches):
            assert not any(journal.event(number).sent_before() for number in batches[place])
            journal.sending(batches[place])
        if place >= 16:
            for number in batches[place - 16]:
                address = orders[number].address
                journal.settled(
                    number, CancelResult(address.event_id, address.mailbox, Outcome.CANCELLED, "Graph accepted.")
                )
        now += seconds
    journal.flush()
    assert len(TaskStateBulkJournal(Store(), orders).settled_before()) == 0
    assert len(TaskStateBulkJournal(store, orders).settled_before()) == count


def test_what_is_written_grows_with_the_list_and_not_with_its_square(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the events are four times the bytes, at a second a batch, so that the clock's share is in it."""
    small, large = Store(), Store()
    cancelled(small, 2_000, monkeypatch, seconds=1.0)
    cancelled(large, 8_000, monkeypatch, seconds=1.0)
    assert sum(large.sizes) <= 4.1 * sum(small.sizes)


def test_the_store_is_asked_by_the_chunk_and_not_by_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question holds up everything for as long as Airflow's API takes: two at a chunk's begin, two at its end."""
    store = Store()
    cancelled(store, 20 * CHUNK, monkeypatch, seconds=0.01)
    # The list itself costs two, and the retry that looks at the end one for each chunk, and two.
    assert store.read + len(store.sizes) <= 20 * (4 + 1) + 4


def test_interpreting_a_response_reads_what_is_stored_now() -> None:
    """An event that is gone after we sent it is not missing if another process of this task had marked it."""
    store = Store()
    retry, orphan = TaskStateBulkJournal(store, ORDERS), TaskStateBulkJournal(store, ORDERS)
    retry.sending([0, 1])
    assert not retry.event(0).sent_before()
    orphan.sending([0, 1])
    assert retry.event(0).sent_before()


def test_answers_that_came_together_are_asked_about_once() -> None:
    """A batch of events that are all gone costs one question; the next turn of the event loop asks again."""
    store = Store()
    journal = TaskStateBulkJournal(store, ORDERS)
    journal.sending(range(20))

    async def turns() -> tuple[int, int]:
        before = store.read
        for number in range(20):
            journal.event(number).sent_before()
        together = store.read - before
        await asyncio.sleep(0)
        journal.event(0).sent_before()
        return together, store.read - before

    assert asyncio.run(turns()) == (1, 2)


def test_a_batch_that_is_sent_anew_marks_its_chunk_once() -> None:
    """What certainly was not sent is marked again before it is: with one value for a batch, not one for an event."""
    store = Store()
    journal = TaskStateBulkJournal(store, ORDERS)
    journal.sending(range(20))
    for number in range(20):
        journal.not_sent(number)
    journal.flush()
    later = TaskStateBulkJournal(store, ORDERS)
    before = len(store.sizes)
    later.sending(range(20))
    assert len(store.sizes) == before + 1
    assert all(TaskStateBulkJournal(store, ORDERS).event(number).sent_before() for number in range(20))
