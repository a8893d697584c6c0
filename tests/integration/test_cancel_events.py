"""Many events in one task: every one accounted for, nobody told twice, nothing sent that should not be."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airflow_graph_cancel.graph.errors import StoppedError, TryLaterError
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from tests.support.contoso import NOT_HERE, organizer, rows_of
from tests.support.operators import cancel_events, context_with
from tests.support.task_state import TaskStateStore

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.client import Sandbox


def told(sandbox: Sandbox) -> Counter[str]:
    """How often the attendees of each event were told."""
    return Counter(message["event_id"] for message in sandbox.messages())


@pytest.mark.parametrize("batch", [True, False])
def test_all_are_cancelled_once_without_a_429_of_our_own(sandbox: Sandbox, batch: bool) -> None:
    """The service's limit of four at a time for a mailbox is kept, in batches and one by one."""
    rows = rows_of(sandbox, 30, 12, 5, *[1] * 20)
    sandbox.settings(latency=0.02)
    result = cancel_events(rows, batch=batch)
    assert result == {"total": 67, "counts": {"cancelled": 67}, "unsettled": [], "report": None}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})
    assert sandbox.requests(status=429) == []
    assert sandbox.ledger()["tokens"] == 1
    assert bool(sandbox.requests(path="$batch")) is batch


def test_all_are_tried_before_the_task_fails(sandbox: Sandbox, tmp_path: Path) -> None:
    """One wrong id does not keep the others from being cancelled; the failure names it and the counts."""
    rows = rows_of(sandbox, 4)
    rows.insert(0, {"event_id": NOT_HERE, "user_id": organizer(0)})
    with pytest.raises(AirflowFailException, match=r"1 of 5 .*cancelled 4, missing 1.*AAMkAGNotHere12345="):
        cancel_events(rows, report_path=str(tmp_path / "report.jsonl"))
    assert len(told(sandbox)) == 4
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 5


@pytest.mark.parametrize("policy", ["skip", "succeed"])
def test_a_policy_lets_the_task_pass_with_the_event_counted(sandbox: Sandbox, policy: str) -> None:
    """The count stays visible, whatever the policy."""
    rows = [*rows_of(sandbox, 2), {"event_id": NOT_HERE, "user_id": organizer(0)}]
    assert cancel_events(rows, on_missing=policy)["counts"] == {"cancelled": 2, "missing": 1}


def test_faults_of_every_kind_end_with_one_message_each(sandbox: Sandbox) -> None:
    """15 % of requests fail, before and after the effect, in batches and alone."""
    rows = rows_of(sandbox, *[10] * 20)
    kinds = ("429", "500", "503", "504", "502-html", "empty-500", "400-invalid-recipients", "401-expired")
    for kind in kinds:
        for after in (False, True) if kind not in {"429", "401-expired"} else (False,):
            sandbox.add_fault(
                kind, times=None, probability=0.01, after_effect=after, retry_after="0.1", match={"path": "/events/"}
            )
    for kind in ("reset", "close", "truncated"):
        for after in (False, True):
            sandbox.add_fault(kind, times=None, probability=0.03, after_effect=after, match={"path": "batch$"})
    assert cancel_events(rows)["counts"] == {"cancelled": 200}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_a_mailbox_that_says_it_is_too_much_is_asked_for_less(sandbox: Sandbox) -> None:
    """After a 429 the next batch holds two of its events, then more with every success; other mailboxes go on."""
    rows = rows_of(sandbox, 60, 60)
    sandbox.add_fault("429", times=1, retry_after="0", match={"path": "/cancel$", "mailbox": organizer(0)})
    assert cancel_events(rows)["counts"] == {"cancelled": 120}
    sizes = [
        list(Counter(request["batch"] for request in sandbox.requests(mailbox=organizer(number))).values())
        for number in (0, 1)
    ]
    assert sizes[0][:3] == [20, 2, 4]
    assert sizes[1] == [20, 20, 20]


def test_what_is_settled_is_not_sent_again(sandbox: Sandbox) -> None:
    """A retry takes up the unsettled only, and reports the whole."""
    rows = rows_of(sandbox, 6, 6)
    store = TaskStateStore()
    sandbox.add_fault("503", times=None, match={"path": "/events/", "mailbox": organizer(1)})
    with pytest.raises(TryLaterError, match="unavailable 6"):
        cancel_events(rows, store, retry_for=0)
    sandbox.clear_faults()
    before = len(sandbox.requests(method="POST", mailbox=organizer(0)))
    assert cancel_events(rows, store)["counts"] == {"cancelled": 12}
    assert len(sandbox.requests(method="POST", mailbox=organizer(0))) == before
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_a_list_that_changed_between_tries_is_noticed(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """What was settled for another list says nothing about this one; that is said and not guessed."""
    rows, store = rows_of(sandbox, 4), TaskStateStore()
    cancel_events(rows[:2], store)
    cancel_events(rows[2:], store)
    assert "differ from those of an earlier try" in caplog.text


def test_a_stop_ends_the_sending_and_keeps_the_state(sandbox: Sandbox) -> None:
    """Within a second nothing more goes out; the next try finishes the rest, and nobody is told twice."""
    rows, store = rows_of(sandbox, *[20] * 10), TaskStateStore()
    sandbox.settings(latency=0.1)
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows, comment="Closed.", concurrency=8)

    async def stop_soon() -> None:
        running = asyncio.create_task(operator.aexecute(context_with(store)))
        while len(sandbox.requests(path="$batch")) < 3:
            await asyncio.sleep(0.05)
        operator.on_kill()
        await running

    with pytest.raises(StoppedError):
        asyncio.run(stop_soon())
    sent = len(sandbox.messages())
    assert 0 < sent < len(rows)
    assert cancel_events(rows, store)["counts"] == {"cancelled": 200}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_execution_timeout_keeps_the_state(sandbox: Sandbox) -> None:
    """A task that is cut off leaves the truth behind: the next try finishes, and nobody is told twice."""
    rows, store = rows_of(sandbox, *[20] * 10), TaskStateStore()
    sandbox.settings(latency=0.1)
    operator = GraphCancelEventsOperator(
        task_id="cancel", events=rows, comment="Closed.", concurrency=8, execution_timeout=timedelta(seconds=2)
    )
    with pytest.raises(TimeoutError):
        operator.execute(context_with(store))
    assert 0 < len(sandbox.messages()) < len(rows)
    sandbox.settings(latency=0)
    assert cancel_events(rows, store)["counts"] == {"cancelled": 200}
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_two_runs_at_once_tell_everybody_once_and_both_say_cancelled(sandbox: Sandbox) -> None:
    """An orphan beside its retry: each has the same list and the same store."""
    rows, store = rows_of(sandbox, 10, 10, 3), TaskStateStore()
    sandbox.settings(latency=0.1, per_mailbox_concurrency=8)

    async def both() -> list[dict[str, Any]]:
        def begin() -> asyncio.Task[dict[str, Any]]:
            operator = GraphCancelEventsOperator(task_id="cancel", events=rows, comment="Closed.")
            return asyncio.create_task(operator.aexecute(context_with(store)))

        orphan = begin()
        await asyncio.sleep(0.15)
        return list(await asyncio.gather(orphan, begin()))

    assert [result["counts"] for result in asyncio.run(both())] == [{"cancelled": 23}] * 2
    assert told(sandbox) == Counter({row["event_id"]: 1 for row in rows})


def test_when_all_that_is_left_waits_for_graph_the_task_defers(sandbox: Sandbox) -> None:
    """No slot is held for a wait of more than a minute, and the others are done before it begins."""
    rows, store = rows_of(sandbox, 4, 2), TaskStateStore()
    sandbox.add_fault("429", times=2, retry_after="120", match={"path": "/cancel$", "mailbox": organizer(1)})
    with pytest.raises(TaskDeferred) as deferred:
        cancel_events(rows, store)
    assert len(told(sandbox)) == 4
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows, comment="Closed.")
    result = operator.execute_complete(context_with(store), **(deferred.value.kwargs or {}))
    assert result["counts"] == {"cancelled": 6}


def test_many_refusals_are_named_in_short(sandbox: Sandbox) -> None:
    """The failure names the first ten, each once; the report has them all."""
    rows_of(sandbox, 1)
    wrong = [{"event_id": f"AAMkAGNotHere{n:05}=", "user_id": organizer(0)} for n in range(150)]
    with pytest.raises(AirflowFailException) as failure:
        cancel_events(wrong)
    assert str(failure.value).count("AAMkAGNotHere") == 10  # each named once, by its own message
    assert "missing 150" in str(failure.value)
