"""The notifier where Airflow calls it: in tasks, in the DAG processor, in the triggerer and on an executor."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from airflow.sdk.definitions.callback import AsyncCallback, SyncCallback

from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    EventMissingError,
    GraphCancelError,
    InvalidInputError,
    NotOrganizerError,
    ServiceUnavailableError,
    ThrottledError,
)
from airflow_graph_cancel.notifications.cancel_event import GraphCancelEventNotifier
from tests.support.connections import set_connection
from tests.support.contoso import ADA, BEN, NOT_HERE, meet
from tests.support.notifiers import SECRET, notifier
from tests.support.operators import context_with

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_graph_cancel.sandbox.client import Sandbox


def deadline(kind: type[AsyncCallback | SyncCallback], **arguments: Any) -> dict[str, Any]:
    """A missed deadline's callback as Airflow keeps it."""
    event_id, comment = "{{ dag_run.conf['event_id'] }}", "Late by {{ deadline.deadline_time }}."
    kwargs = {"event_id": event_id, "user_id": ADA, "comment": comment, **arguments}
    return json.loads(json.dumps(kind(GraphCancelEventNotifier, kwargs).serialize()))


def late(event_id: str) -> dict[str, Any]:
    """The little that Airflow tells such a callback."""
    return {"dag_run": {"conf": {"event_id": event_id}}, "deadline": {"id": "1", "deadline_time": "08:00"}}


def test_a_missed_deadline_in_the_triggerer(sandbox: Sandbox, event_id: str) -> None:
    """Airflow's trigger makes the notifier, awaits it, and gets nothing that it could not store."""
    from airflow.triggers.callback import CallbackTrigger

    async def fire() -> list[Any]:
        callback = deadline(AsyncCallback)
        trigger = CallbackTrigger(callback["path"], {**callback["kwargs"], "context": late(event_id)})
        return [event.payload async for event in trigger.run()]

    assert asyncio.run(fire()) == [{"state": "running"}, {"state": "success", "body": None}]
    (message,) = sandbox.messages()
    assert (message["event_id"], message["comment"]) == (event_id, "Late by 08:00.")


def test_a_missed_deadline_on_an_executor(sandbox: Sandbox, event_id: str) -> None:
    """The same as a callback that is not async."""
    from airflow.sdk.execution_time.callback_supervisor import execute_callback

    callback = deadline(SyncCallback)
    kwargs = {**callback["kwargs"], "context": late(event_id)}
    assert execute_callback(callback["path"], kwargs, Path(), None, structlog.get_logger()) == (True, None)
    (message,) = sandbox.messages()
    assert (message["event_id"], message["comment"]) == (event_id, "Late by 08:00.")


def test_a_deadline_that_could_not_cancel_has_failed(sandbox: Sandbox, event_id: str) -> None:
    """Airflow's own record of the callback says so, too."""
    from airflow.triggers.callback import CallbackTrigger

    async def fire() -> list[Any]:
        callback = deadline(AsyncCallback, user_id="nobody@contoso.example")
        trigger = CallbackTrigger(callback["path"], {**callback["kwargs"], "context": late(event_id)})
        return [event.payload["state"] async for event in trigger.run()]

    assert asyncio.run(fire()) == ["running", "failed"]


def test_async_by_hand(sandbox: Sandbox, event_id: str) -> None:
    """For those who await it themselves, rendered or not."""
    other = meet(sandbox)

    async def call() -> None:
        await notifier(event_id=event_id).async_notify({})
        awaited = notifier(event_id="{{ chosen }}", context={"chosen": other})
        await awaited
        assert awaited.event_id == "{{ chosen }}"

    asyncio.run(call())
    assert [message["event_id"] for message in sandbox.messages()] == [event_id, other]


def test_sync_while_an_event_loop_runs(sandbox: Sandbox, event_id: str) -> None:
    """As in an operator that calls its notifiers from an async execute."""

    async def call() -> None:
        notifier()(context_with(dag_run={"conf": {"event_id": event_id}}))

    asyncio.run(call())
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("name", ["comment", "user_id"])
def test_an_argument_that_rendered_to_nothing_is_named(sandbox: Sandbox, event_id: str, name: str) -> None:
    """Without its comment a meeting would be cancelled in silence, without its owner in another mailbox."""
    with pytest.raises(InvalidInputError, match=f"{name} is None"):
        notifier(**{"event_id": event_id, name: lambda context, jinja_env: None})({})
    assert sandbox.requests() == []


def not_organizer(sandbox: Sandbox, event_id: str) -> dict[str, Any]:
    """The attendee's copy."""
    (copy,) = sandbox.meetings(BEN)
    return {"event_id": copy["id"], "user_id": BEN}


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (NotOrganizerError, not_organizer),
        (AccessDeniedError, lambda *_: {"conn_id": "reader"}),
        (EventMissingError, lambda *_: {"event_id": NOT_HERE, "on_missing": "fail"}),
    ],
    ids=["not_organizer", "denied", "missing"],
)
def test_a_refusal_is_raised_and_says_who_must_act(
    sandbox: Sandbox,
    event_id: str,
    logged: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    error: type[GraphCancelError],
    arguments: Callable[..., dict[str, Any]],
) -> None:
    """Nobody calls a second time, so that a person must; the comment is not in the log."""
    set_connection(monkeypatch, sandbox, "reader", login="sandbox-reader")
    refused = notifier(**{"event_id": event_id, **arguments(sandbox, event_id)})
    with pytest.raises(error):
        refused({})
    assert sandbox.messages() == []
    out = logged()
    assert f"Outcome: {error.outcome}" in out
    assert "Check the meeting yourself" in out
    assert refused.event_id in out
    assert SECRET not in out


def test_a_missing_event_warns(sandbox: Sandbox, event_id: str, logged: Callable[[], str]) -> None:
    """It may have been an earlier callback, or a wrong id: the log keeps it in sight."""
    notifier(event_id=NOT_HERE)({})
    assert re.search(r"\[warning\s*\] Outcome: missing", logged())


def test_a_short_wait_is_waited(sandbox: Sandbox, event_id: str) -> None:
    """A callback has one chance, and a second of throttling must not cost it."""
    sandbox.add_fault("429", retry_after="1", match={"path": "/cancel$"})
    notifier(event_id=event_id)({})
    assert [request["status"] for request in sandbox.requests(method="POST", path="/cancel")] == [429, 202]


def test_a_long_wait_is_given_up_at_once(sandbox: Sandbox, event_id: str, logged: Callable[[], str]) -> None:
    """Airflow would kill the process before the time that Graph asked for, and then no log would say why."""
    sandbox.add_fault("429", retry_after="30", match={"path": "/cancel$"})
    with pytest.raises(ThrottledError):
        notifier(event_id=event_id)({})
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1
    assert "Outcome: throttled" in logged()


@pytest.mark.parametrize("kind", ["500", "reset", "truncated"])
def test_a_lost_answer_is_looked_after(sandbox: Sandbox, event_id: str, logged: Callable[[], str], kind: str) -> None:
    """Graph did the work and the response was lost: reading the event shows it, and nothing is sent again."""
    sandbox.add_fault(kind, after_effect=True, match={"path": "/cancel$"})
    notifier(event_id=event_id)({})
    assert len(sandbox.messages()) == len(sandbox.requests(method="POST", path="/cancel")) == 1
    assert "Outcome: cancelled" in logged()


def test_a_silent_server_does_not_hold_the_process(sandbox: Sandbox, event_id: str, logged: Callable[[], str]) -> None:
    """The limit is for all of it; after it the log says that nobody knows."""
    sandbox.add_fault("hang", delay=20, match={"path": "/cancel$"})
    with pytest.raises(ServiceUnavailableError, match="more than 2 s"):
        notifier(event_id=event_id, time_limit=timedelta(seconds=2))({})
    assert "may or may not be cancelled" in logged()


@pytest.mark.parametrize("way", ["notifier", "connection"])
def test_preview_sends_nothing(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str], way: str
) -> None:
    """Preview reads and reports, by the notifier's own switch or by the connection's promise."""
    if way == "connection":
        set_connection(monkeypatch, sandbox, extra={"preview_only": True})
    notifier(event_id=event_id, preview=way == "notifier")({})
    assert [request["method"] for request in sandbox.requests()] == ["GET"]
    assert "Outcome: preview" in logged()
