"""The mark of many events: no request goes out that a later try would not know of."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_graph_cancel.graph.address import EventAddress
from airflow_graph_cancel.graph.orders import Order
from airflow_graph_cancel.hooks.bulk_journal import CHUNK, TaskStateBulkJournal


class Store(dict[str, Any]):
    """A state store whose writes of chunks can be made to fail."""

    broken = False

    def set(self, key: str, value: Any) -> None:
        """Keep a value, or lose it."""
        if self.broken:
            raise ConnectionError("the API server is away")
        self[key] = value


ORDERS = [Order(EventAddress(f"AAMk{number}", "ada@contoso.example")) for number in range(CHUNK + 1)]


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
