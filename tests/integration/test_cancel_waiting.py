"""Long waits, stops and contexts of other kinds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from airflow_graph_cancel.graph.errors import StoppedError, ThrottledError
from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator
from tests.support.contoso import ADA
from tests.support.operators import context_with, run_operator
from tests.support.task_state import TaskStateStore

if TYPE_CHECKING:
    from airflow.sdk import Context
    from pydantic import JsonValue

    from airflow_graph_cancel.sandbox.client import Sandbox


def operator(event_id: str, **arguments: Any) -> GraphCancelEventOperator:
    """One that is driven by hand, outside a DAG run."""
    return GraphCancelEventOperator(task_id="cancel", event_id=event_id, user_id=ADA, **arguments)


@pytest.mark.parametrize("context", [{}, {"task_state_store": None}], ids=str)
def test_it_works_without_a_state_store(sandbox: Sandbox, event_id: str, context: Context) -> None:
    """A context that lacks the store costs the memory between tries and nothing else."""
    row = asyncio.run(operator(event_id).aexecute(context))
    assert row["outcome"] == "cancelled"
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("store", [None, TaskStateStore()], ids=["without a store", "with a store"])
def test_a_wait_of_more_than_a_minute_is_deferred_to_that_time(
    sandbox: Sandbox, event_id: str, store: TaskStateStore | None
) -> None:
    """No worker slot is held for it; the trigger fires when the service said, and not before."""
    sandbox.add_fault("429", retry_after="180", match={"path": "/cancel$"})
    with pytest.raises(TaskDeferred) as deferred:
        run_operator(operator(event_id), store)
    moment = deferred.value.trigger.moment
    assert timedelta(seconds=170) < moment - datetime.now(UTC) <= timedelta(seconds=180)
    assert deferred.value.method_name == "execute_complete"
    assert not sandbox.messages()


def test_a_minute_is_waited_out_and_not_deferred(sandbox: Sandbox, event_id: str) -> None:
    """A short wait that exceeds the budget is left to Airflow's retry."""
    sandbox.add_fault("429", times=None, retry_after="60", match={"path": "/cancel$"})
    with pytest.raises(ThrottledError) as error:
        run_operator(operator(event_id, retry_for=5))
    assert error.value.retry_after == 60


def test_deferring_ends_when_the_budget_is_spent(sandbox: Sandbox, event_id: str) -> None:
    """A service that says "later" for ever must not keep a task deferred for ever."""
    sandbox.add_fault("429", times=None, retry_after="180", match={"path": "/cancel$"})
    task = operator(event_id)
    long_ago = (datetime.now(UTC) - timedelta(minutes=6)).isoformat()
    with pytest.raises(ThrottledError):
        task.execute_complete({}, event=None, started=long_ago)


def test_a_stop_sends_nothing_more(sandbox: Sandbox, event_id: str) -> None:
    """on_kill is all that reaches a task that is marked failed or gets SIGTERM; it is heard during a wait."""
    sandbox.add_fault("429", times=None, retry_after="30", match={"path": "/cancel$"})
    task = operator(event_id)

    async def stop_soon() -> None:
        running = asyncio.create_task(task.aexecute(context_with()))
        while not sandbox.requests(path="/cancel"):
            await asyncio.sleep(0.05)
        task.on_kill()
        await asyncio.wait_for(running, timeout=2)

    with pytest.raises(StoppedError):
        asyncio.run(stop_soon())
    assert len(sandbox.requests(path="/cancel")) == 1


def test_a_stop_is_heard_between_the_login_and_the_request(sandbox: Sandbox, event_id: str) -> None:
    """A slow login must not carry a request past the stop."""
    sandbox.add_fault("slow", delay=1, match={"path": "/oauth2/"})
    task = operator(event_id)

    async def stop_during_login() -> None:
        running = asyncio.create_task(task.aexecute(context_with()))
        await asyncio.sleep(0.5)
        task.on_kill()
        await running

    with pytest.raises(StoppedError):
        asyncio.run(stop_during_login())
    assert sandbox.requests() == []


def test_without_a_store_the_doubt_survives_a_deferral(sandbox: Sandbox, event_id: str) -> None:
    """What a lost answer left open goes along in the deferral itself."""
    sandbox.add_fault("503", after_effect=True, retry_after="90", match={"path": "/cancel$"})
    task = operator(event_id)
    with pytest.raises(TaskDeferred) as deferred:
        run_operator(task)
    row = operator(event_id).execute_complete({}, **(deferred.value.kwargs or {}))
    assert row["outcome"] == "cancelled"
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1


def test_an_orphans_refusal_does_not_wipe_the_retrys_mark(sandbox: Sandbox, event_id: str) -> None:
    """Who takes a mark back takes back his own."""
    from airflow_graph_cancel.graph.model.address import EventAddress
    from airflow_graph_cancel.hooks.task_state.journal import TaskStateJournal

    store, address = TaskStateStore(), EventAddress(event_id, ADA)
    orphan, retry = TaskStateJournal(store, address), TaskStateJournal(store, address)
    orphan.sending()
    retry.sending()
    orphan.not_sent()
    assert TaskStateJournal(store, address).sent_before()


@pytest.mark.parametrize(
    "entry", ["text", 7, [], {}, {"state": "settled"}, {"state": "settled", "result": {}}], ids=str
)
def test_a_state_of_another_shape_is_not_trusted(sandbox: Sandbox, event_id: str, entry: JsonValue) -> None:
    """Whatever a former version or a person left there, the meeting is cancelled once and the task does not break."""

    class Odd(TaskStateStore):
        def get(self, key: str, default: JsonValue = None) -> JsonValue:
            return super().get(key, entry)

    row = run_operator(operator(event_id), Odd())
    assert row["outcome"] == "cancelled"
    assert len(sandbox.messages()) == 1


def test_execution_timeout_leaves_the_mark(sandbox: Sandbox, event_id: str) -> None:
    """A task that was cut off in mid-request does not know its effect; the next try looks before it sends."""
    sandbox.add_fault("hang", after_effect=True, delay=3, match={"path": "/cancel$"})
    store = TaskStateStore()
    with pytest.raises(TimeoutError):
        operator(event_id, execution_timeout=timedelta(seconds=1)).execute(context_with(store))
    row = run_operator(operator(event_id), store)
    assert (row["outcome"], row["attempts"]) == ("cancelled", 1)
    assert len(sandbox.messages()) == 1


def test_two_processes_at_once_tell_everybody_once_and_both_say_cancelled(sandbox: Sandbox, event_id: str) -> None:
    """A killed supervisor leaves its task process alive beside the retry (seen under Airflow 3.3)."""
    store = TaskStateStore()
    sandbox.settings(latency=0.3)

    async def both() -> list[dict[str, Any]]:
        orphan = asyncio.create_task(operator(event_id).aexecute(context_with(store)))
        await asyncio.sleep(0.2)
        retry = asyncio.create_task(operator(event_id).aexecute(context_with(store)))
        return list(await asyncio.gather(orphan, retry))

    rows = asyncio.run(both())
    assert [row["outcome"] for row in rows] == ["cancelled", "cancelled"]
    assert len(sandbox.messages()) == 1


def test_an_orphan_that_comes_too_late_says_cancelled(sandbox: Sandbox, event_id: str) -> None:
    """Its first request finds the event gone; the mark of the retry shows that it was this task's own doing."""
    store = TaskStateStore()
    sandbox.add_fault("slow", delay=1.5, match={"path": "/cancel$"})

    async def both() -> list[dict[str, Any]]:
        orphan = asyncio.create_task(operator(event_id).aexecute(context_with(store)))
        await asyncio.sleep(0.7)
        retry = asyncio.create_task(operator(event_id).aexecute(context_with(store)))
        return list(await asyncio.gather(orphan, retry))

    rows = asyncio.run(both())
    assert [row["outcome"] for row in rows] == ["cancelled", "cancelled"]
    assert sorted(request["status"] for request in sandbox.requests(method="POST", path="/cancel")) == [202, 404]
    assert len(sandbox.messages()) == 1


def test_a_settled_event_is_answered_from_the_state(sandbox: Sandbox, event_id: str) -> None:
    """A task that is cleared and run again repeats its answer and not its mail; Graph is not even asked."""
    store = TaskStateStore()
    first = run_operator(operator(event_id), store)
    sandbox.clear_ledger()
    assert run_operator(operator(event_id), store) == first
    assert sandbox.requests() == []


def test_the_state_holds_no_comment(event_id: str) -> None:
    """Everybody who can see the run can read the state."""
    store = TaskStateStore()
    run_operator(operator(event_id, comment="Redundancies on floor 3"), store)
    assert "Redundancies" not in str(store.values)


def test_a_store_that_cannot_be_written_keeps_the_request_from_being_sent(sandbox: Sandbox, event_id: str) -> None:
    """Without the mark a later try could tell people twice."""

    class Broken(TaskStateStore):
        def set(self, key: str, value: JsonValue, *, retention: timedelta | None = None) -> None:
            raise ConnectionError("the API server is away")

    with pytest.raises(ConnectionError):
        run_operator(operator(event_id), Broken())
    assert not sandbox.requests(path="/cancel")
