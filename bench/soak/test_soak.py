"""At full size: ``make soak``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.contoso import rows_of
from tests.support.killing import kill_and_retry
from tests.support.operators import cancel_events
from tests.support.task_state import TaskStateStore

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

pytestmark = pytest.mark.timeout(900)


@pytest.mark.parametrize("batch", [True, False])
def test_a_thousand_meetings_while_fifteen_percent_of_requests_fail(sandbox: Sandbox, batch: bool) -> None:
    """In every way that the local Graph knows, before the effect and after it: one message each."""
    rows = rows_of(sandbox, *[20] * 50)
    answers = ["429", "500", "503", "504", "502-html", "empty-500", "400-invalid-recipients"]
    if batch:
        # Alone, a second 401 in a row is a refusal, as it should be; in a batch the other parts show that it is none.
        answers.append("401-expired")
    breaks = ("reset", "close", "truncated")
    for kind in answers:
        for after in (False,) if kind in {"429", "401-expired"} else (False, True):
            sandbox.add_fault(
                kind, times=None, probability=0.0085, after_effect=after, retry_after="0.2", match={"path": "/events/"}
            )
    for kind in breaks:
        for after in (False, True):
            path = "batch$" if batch else "/events/"
            sandbox.add_fault(kind, times=None, probability=0.005, after_effect=after, match={"path": path})

    result = cancel_events(rows, TaskStateStore(), batch=batch)
    assert result["counts"] == {"cancelled": 1000}
    assert Counter(message["event_id"] for message in sandbox.messages()) == Counter(row["event_id"] for row in rows)
    requests = [request for request in sandbox.requests() if request["batch"] is None or "/events/" in request["path"]]
    share = sum(1 for request in requests if request["fault"]) / len(requests)
    assert share > 0.08


@pytest.mark.parametrize("percent", [20, 45, 70])
def test_a_thousand_meetings_and_a_process_that_is_killed(sandbox: Sandbox, tmp_path: Path, percent: int) -> None:
    """SIGKILL, then the retry: one message each, all reported as cancelled, what was settled not sent again."""
    kill_and_retry(sandbox, tmp_path, percent, each=50)
