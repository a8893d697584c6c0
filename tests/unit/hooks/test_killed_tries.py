"""Tries that are killed or stopped at any moment, and their retries: every attendee gets one message.

A killed process stops between two steps of its event loop: what it has sent may still be carried out, what it has
stored is there, and nothing else.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import pytest

from airflow_graph_cancel.graph.cancel.bulk import BulkResult, cancel_events
from airflow_graph_cancel.graph.cancel.single import cancel_event
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import GraphCancelError, StoppedError, TryLaterError
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from airflow_graph_cancel.hooks.task_state.bulk_journal import TaskStateBulkJournal
from airflow_graph_cancel.hooks.task_state.journal import TaskStateJournal
from tests.support.fake_graph import Answer, FakeGraph
from tests.support.fake_tenant import FakeTenant, Fault, inputs_of, sent_blindly
from tests.support.task_state import TaskStateStore
from tests.support.virtual_clock import VirtualClock, virtual_clock

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from airflow_graph_cancel.graph.http.requests import Request

FAULTS = [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.BROKEN_BEFORE, Fault.BROKEN_AFTER, Fault.THROTTLED]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """A virtual clock, and backoff without jitter."""
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    with virtual_clock() as clock:
        yield clock


class Killed(BaseException):
    """The process is gone."""


class Process:
    """One try of a task, until it ends or is killed.

    :param store: what the tries before left; takes what this one stores until it is killed.
    :param kill_at: seconds after its start.
    """

    def __init__(self, clock: VirtualClock, tenant: FakeTenant, store: TaskStateStore, kill_at: float) -> None:
        self._clock = clock
        self._kill_at = clock.now + kill_at
        self.store = Mortal(self, store)
        self.graph = MortalGraph(tenant.answer)
        self.graph.process = self

    def is_dead(self) -> bool:
        """Whether it has been killed."""
        return self._clock.now >= self._kill_at

    def run(self, main: Coroutine[Any, Any, object]) -> object:
        """Return what the try came to: its result, its error, or that it was killed."""
        try:
            result = self._clock.run(main)
        except (Killed, GraphCancelError) as error:
            return Killed() if self.is_dead() else error
        return Killed() if self.is_dead() else result


class Mortal:
    """A state store that takes nothing from a dead process."""

    def __init__(self, process: Process, store: TaskStateStore) -> None:
        self._process, self._store = process, store

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        return self._store.get(key, default)

    def set(self, key: str, value: Any) -> None:
        """Keep a value, unless the process is dead."""
        if not self._process.is_dead():
            self._store.set(key, value)


class MortalGraph(FakeGraph):
    """A client that sends nothing for a dead process, while what is on its way arrives."""

    process: Process

    async def _carry_out(self, requests: Sequence[Request]) -> list[Answer]:
        if self.process.is_dead():
            raise Killed
        answers = await super()._carry_out(requests)
        if self.process.is_dead():
            self.heard += [(request, None) for request in requests]
            raise Killed
        return answers


def is_past(clock: VirtualClock, moment: float) -> bool:
    """Tell whether a moment has come."""
    return clock.now >= moment


@pytest.mark.parametrize("batch", [True, False], ids=["batched", "single"])
@pytest.mark.parametrize("seed", range(8))
def test_a_bulk_task_that_is_killed_or_stopped_again_and_again(clock: VirtualClock, seed: int, batch: bool) -> None:
    """At the end each event is cancelled, by one message, and none was sent blindly over all tries."""
    dice = random.Random(seed)
    inputs = inputs_of(ada=90, ben=60, cleo=3, dan=1)
    tenant = FakeTenant(inputs, lambda _: dice.choice(FAULTS) if dice.random() < 0.2 else None)
    store = TaskStateStore()
    heard: list[tuple[Request, Answer]] = []
    posts: Counter[str] = Counter()
    ends: Counter[type] = Counter()
    for number in range(200):
        kill_at = stop_at = 1e9
        match dice.choice(["killed", "stopped", "left"]) if number < 4 else dice.choice(["killed", "left"]):
            case "killed":
                kill_at = dice.uniform(0.05, 0.75)
            case "stopped":
                stop_at = clock.now + dice.uniform(0.05, 0.75)
        process = Process(clock, tenant, store, kill_at)
        journal = TaskStateBulkJournal(cast("Any", process.store), inputs)
        options = Options(Backoff(retry_for=1), batch=batch, stopped=partial(is_past, clock, stop_at))
        found = process.run(cancel_events(process.graph.client, inputs, journal, options))
        posts.update(path for what, path in process.graph.log if what == "POST")
        heard += process.graph.heard
        # What was on its way when the process died is carried out, and its response is lost.
        on_their_way = [sent for sent in process.graph.sent if sent.until == float("inf")]
        for request in (request for sent in on_their_way for request in sent.requests):
            tenant.answer(request)
            heard.append((request, None))
        clock.now += 60
        ends[type(found)] += 1
        if isinstance(found, Killed | StoppedError):
            continue
        assert isinstance(found, BulkResult)
        if not found.left:
            break
    else:
        pytest.fail("This should have come to an end.")
    assert ends.total() >= 2
    assert sent_blindly(heard) == []
    assert {found.row(number).outcome for number in range(len(inputs))} == {Outcome.CANCELLED}
    assert tenant.messages == {each.address.path: 1 for each in inputs}


@pytest.mark.parametrize("seed", range(60))
def test_a_single_task_that_is_killed_again_and_again(clock: VirtualClock, seed: int) -> None:
    """The same for one event: cancelled, and never missing, though it may have been gone at the first look."""
    dice = random.Random(seed)
    (only,) = inputs_of(ada=1)
    tenant = FakeTenant([only], lambda _: dice.choice(FAULTS) if dice.random() < 0.4 else None)
    store = TaskStateStore()
    heard: list[tuple[Request, Answer]] = []
    for _ in range(200):
        process = Process(clock, tenant, store, kill_at=dice.uniform(0.0, 2.0) if dice.random() < 0.7 else 1e9)
        journal = TaskStateJournal(cast("Any", process.store), only.address)
        options = Options(Backoff(retry_for=2))
        found = process.run(cancel_event(process.graph.client, only.address, "x", journal=journal, options=options))
        heard += process.graph.heard
        for sent in process.graph.sent:
            if sent.until == float("inf"):
                heard += [(request, None) for request in sent.requests]
                tenant.answer(sent.requests[0])
        clock.now += 60
        if isinstance(found, CancelResult):
            break
        assert isinstance(found, Killed | TryLaterError)
    else:
        pytest.fail("This should have come to an end.")
    assert found.outcome is Outcome.CANCELLED
    assert found.attempts >= 1
    assert tenant.messages == {only.address.path: 1}
    assert sent_blindly(heard) == []
