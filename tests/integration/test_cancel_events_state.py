"""What is stored before anything is sent, what a stop leaves, and what the log and the asset say."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from airflow_graph_cancel.graph.errors import StoppedError
from airflow_graph_cancel.operators import cancel
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from tests.support.contoso import Rows, rows_of
from tests.support.operators import context_with, run_operator
from tests.support.task_state import TaskStateStore

if TYPE_CHECKING:
    from pydantic import JsonValue

    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.fixture
def rows(sandbox: Sandbox) -> Rows:
    """Ten meetings in each of six mailboxes."""
    return rows_of(sandbox, *[10] * 6, subject="Salary talk")


class WatchfulStore(TaskStateStore):
    """A state store that notes how many cancel requests had reached Graph when a value came."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self.sent_at: list[int] = []
        self._sandbox = sandbox

    def set(self, key: str, value: JsonValue, *, retention: timedelta | None = None) -> None:
        """Keep a value."""
        self.sent_at.append(len(self._sandbox.requests(method="POST", path="/cancel")))
        super().set(key, value)


class AbsentStore(TaskStateStore):
    """A state store that goes away once the list is in it."""

    def set(self, key: str, value: JsonValue, *, retention: timedelta | None = None) -> None:
        """Keep the first value only."""
        if self.values:
            raise ConnectionError("the API server is away")
        super().set(key, value)


def test_the_mark_is_stored_before_the_first_request(sandbox: Sandbox, rows: Rows) -> None:
    """A process may die at any moment after it; sixty events are one chunk, so one mark."""
    store = WatchfulStore(sandbox)
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows)
    run_operator(operator, store)
    assert store.sent_at[:2] == [0, 0]
    assert store.sent_at[-1] == 60


def test_without_a_mark_nothing_is_sent(sandbox: Sandbox, rows: Rows) -> None:
    """A state that cannot be kept would let a retry tell people twice."""
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows)
    with pytest.raises(ConnectionError):
        run_operator(operator, AbsentStore())
    assert not sandbox.requests(method="POST")


@pytest.mark.parametrize("batch", [True, False])
def test_no_request_begins_a_second_after_a_stop(sandbox: Sandbox, rows: Rows, batch: bool) -> None:
    """Neither what waits for its turn nor what rests by a Retry-After of that second goes out."""
    sandbox.settings(latency=0.2)
    sandbox.add_fault("429", times=5, retry_after="1", match={"path": "/cancel"})
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows, concurrency=4, batch=batch)

    async def stop_soon() -> float:
        running = asyncio.create_task(operator.aexecute(context_with()))
        while not sandbox.requests(status=202):
            await asyncio.sleep(0.05)
        operator.on_kill()
        stopped = time.time()
        with pytest.raises(StoppedError, match="of 60 events are settled"):
            await running
        return stopped

    stopped = asyncio.run(stop_soon())
    # Parts of a batch begin within the service: what counts is when the batch came.
    began = [
        datetime.fromisoformat(request["at"]).timestamp()
        for request in sandbox.requests(method="POST")
        if request["batch"] is None
    ]
    assert len(sandbox.messages()) < 60
    assert max(began) < stopped + 1


def test_the_log_says_how_far_it_is_and_nothing_private(
    sandbox: Sandbox, rows: Rows, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Settled of total, per outcome, rate and time left; no comment and no subject."""
    monkeypatch.setattr(cancel, "_LOG_EVERY", 0.3)
    sandbox.settings(latency=0.2)
    operator = GraphCancelEventsOperator(task_id="cancel", events=rows, comment="Lay-offs.", concurrency=8)
    run_operator(operator)
    said = "".join(capfd.readouterr())
    assert re.search(r"\d+ of 60 settled \(cancelled \d+\), \d+/s, about \d+ s left", said)
    assert "60 events: cancelled 60" in said
    assert "Lay-offs" not in said
    assert "Salary" not in said
