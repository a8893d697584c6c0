"""Which events are still there, and which could not be checked."""

from __future__ import annotations

import pytest

from airflow_graph_cancel.graph.cancel.inputs import CancelInput
from airflow_graph_cancel.graph.cancel.verify import Remaining, find_remaining
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import StoppedError
from airflow_graph_cancel.graph.model.address import EventAddress
from tests.support.fake_graph import Answer, FakeGraph, path_of
from tests.support.graph_responses import (
    ALIVE,
    BROKEN,
    CANCELLED_COPY,
    DATE_GONE,
    DENIED,
    GONE,
    GUEST_COPY,
    NO_MAILBOX,
    event,
    response,
)
from tests.support.virtual_clock import virtual_clock


def remaining(*answers: Answer, options: Options | None = None) -> list[Remaining]:
    """What remains of as many events, each answered so."""
    inputs = [CancelInput(EventAddress(f"E{number}", f"user{number}")) for number in range(len(answers))]
    scripts = {each.address.path: answer for each, answer in zip(inputs, answers, strict=True)}
    graph = FakeGraph(lambda request: scripts[path_of(request)])
    with virtual_clock() as clock:
        return clock.run(find_remaining(graph.client, inputs, options or Options(Backoff(retry_for=0))))


@pytest.mark.parametrize("gone", [GONE, DATE_GONE, CANCELLED_COPY])
def test_what_is_gone_or_cancelled_does_not_remain(gone: Answer) -> None:
    """Exchange removes the organizer's copy, or marks it."""
    assert remaining(gone) == []


@pytest.mark.parametrize("there", [ALIVE, GUEST_COPY, event(isCancelled="true"), event(isCancelled=None)])
def test_what_is_there_remains(there: Answer) -> None:
    """Anything but a plain true is not cancelled."""
    (found,) = remaining(there)
    assert "E0" in found.message


@pytest.mark.parametrize(
    ("unknown", "says"),
    [(DENIED, "Calendars.ReadWrite"), (NO_MAILBOX, "not available"), (BROKEN, "503"), (response(404), "404")],
)
def test_what_cannot_be_checked_remains_with_the_reason(unknown: Answer, says: str) -> None:
    """Nothing found out is not good news."""
    (found,) = remaining(unknown)
    assert says in found.message


def test_a_collection_without_rows_shows_no_event() -> None:
    """An empty response proves nothing."""
    empty = event()
    empty = type(empty)(200, empty.headers, b'{"value": []}')
    assert len(remaining(empty)) == 1


def test_a_row_says_enough_to_address_the_event_again() -> None:
    """It goes into XCom, and into the next task."""
    found = remaining(GONE, ALIVE, GONE, ALIVE)
    assert [row.as_row()["event_id"] for row in found] == ["E1", "E3"]
    row = found[0].as_row()
    assert EventAddress.from_row(row) == EventAddress("E1", "user1")
    assert (row["mailbox"], row["message"]) == ("user1", found[0].message)


def test_a_stop_ends_the_check() -> None:
    """What was not looked at must not look gone."""
    with pytest.raises(StoppedError):
        remaining(GONE, options=Options(stopped=lambda: True))
