"""Rehearse a cancellation on the sandbox: nothing leaves this machine."""

from __future__ import annotations

# [START rehearsal]
import asyncio
import json
from collections.abc import Iterator

import pytest

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator
from airflow_graph_cancel.sandbox.client import Sandbox

ADA, BEN = "ada@contoso.example", "ben@contoso.example"


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Start a local Graph with two mailboxes, and point Airflow's default connection at it."""
    with Sandbox.start() as sandbox:
        sandbox.add_mailbox(ADA)
        sandbox.add_mailbox(BEN)
        monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps(sandbox.connection))
        yield sandbox


def test_a_lost_response_does_not_repeat_the_message(graph: Sandbox) -> None:
    """Graph cancels the meeting, then the connection breaks: the task finds that out and tells nobody twice."""
    meeting = graph.create_event(
        organizer=ADA,
        attendees=[BEN],
        subject="Review",
        start="2030-01-07T10:00:00Z",
        end="2030-01-07T11:00:00Z",
    )
    event_id = meeting["copies"][ADA]
    graph.add_fault("reset", after_effect=True, match={"path": "/cancel$"})

    cancel = GraphCancelEventOperator(task_id="cancel", event_id=event_id, user_id=ADA, comment="The room is closed.")
    row = asyncio.run(cancel.aexecute({}))

    assert row["outcome"] == "cancelled"
    (message,) = graph.messages(event_id)
    assert (message["comment"], message["recipients"]) == ("The room is closed.", [BEN])


# [END rehearsal]
