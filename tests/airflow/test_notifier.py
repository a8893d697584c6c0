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
from airflow.sdk import DAG, AsyncCallback, SyncCallback, task

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

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

ADA, BEN = "ada@contoso.example", "ben@contoso.example"
SECRET = "Nobody but the attendees reads this."
NOT_HERE = "AAMkAGNotHere12345="


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was logged since the last call; Airflow writes it to standard output."""
    return lambda: "".join(capsys.readouterr())


def new_event(sandbox: Sandbox) -> str:
    """One more meeting of Ada with Ben."""
    when = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}
    return str(sandbox.create_event(organizer=ADA, subject="Review", attendees=[BEN], **when)["copies"][ADA])


def notifier(**arguments: Any) -> GraphCancelEventNotifier:
    """A notifier for the event of the run's conf."""
    event_id = "{{ dag_run.conf['event_id'] }}"
    return GraphCancelEventNotifier(**{"event_id": event_id, "user_id": ADA, "comment": SECRET, **arguments})


def fail() -> None:
    """What the pipeline's own trouble is."""
    raise ValueError("the data is wrong")


def passes() -> None:
    """A pipeline without trouble."""


def dag_of(callbacks: dict[str, Any], *, function: Callable[[], None] = fail, **arguments: Any) -> DAG:
    """A DAG of one task with these callbacks."""
    with DAG("called_back", schedule=None, **arguments) as dag:
        task(task_id="check", retry_delay=timedelta(seconds=0), **callbacks)(function)()
    return dag


def cancels(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Every cancel request that was answered."""
    return list(sandbox.requests(method="POST", path="/cancel"))


def test_a_failing_task_cancels_its_meeting_and_no_other(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun]
) -> None:
    """The main job: id and comment come from the run, everybody is told once, and the run has failed as it would."""
    new_event(sandbox)
    comment = "The check of {{ dag_run.conf['table'] }} failed."
    run = run_dag(dag_of({"on_failure_callback": notifier(comment=comment)}), event_id=event_id, table="orders")
    assert str(run.state) == "failed"
    (message,) = sandbox.messages()
    assert (message["event_id"], message["comment"]) == (event_id, "The check of orders failed.")
    assert message["recipients"] == [BEN]


@pytest.mark.parametrize(
    ("callbacks", "function"),
    [
        ({"on_success_callback": notifier()}, passes),
        ({"on_retry_callback": notifier(), "retries": 1}, fail),
        ({"on_execute_callback": notifier()}, passes),
    ],
    ids=["success", "retry", "execute"],
)
def test_every_callback_of_a_task(
    sandbox: Sandbox,
    event_id: str,
    run_dag: Callable[..., DagRun],
    callbacks: dict[str, Any],
    function: Callable[[], None],
) -> None:
    """Whatever Airflow calls back for, the notifier does its work."""
    run_dag(dag_of(callbacks, function=function), event_id=event_id)
    assert [message["event_id"] for message in sandbox.messages()] == [event_id]


@pytest.mark.parametrize(("callback", "function"), [("on_failure_callback", fail), ("on_success_callback", passes)])
def test_the_callbacks_of_a_dag(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun], callback: str, function: Callable[[], None]
) -> None:
    """A DAG's own callback comes once a run, whichever of its tasks failed."""
    run_dag(dag_of({}, function=function, **{callback: notifier()}), event_id=event_id)
    assert [message["event_id"] for message in sandbox.messages()] == [event_id]


def test_told_twice_is_no_error_and_nobody_hears_twice(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun], logged: Callable[[], str]
) -> None:
    """Two tasks fail, one of them twice: the first callback cancels, the others find the event gone."""
    with DAG("two_checks", schedule=None, default_args={"on_failure_callback": notifier()}) as dag:
        task(task_id="first", retries=1, retry_delay=timedelta(0), on_retry_callback=notifier())(fail)()
        task(task_id="second")(fail)()
    run_dag(dag, event_id=event_id)
    assert len(cancels(sandbox)) == 3
    assert len(sandbox.messages()) == 1
    out = logged()
    assert out.count("Outcome: cancelled") == 1
    assert out.count("Outcome: missing") == 2
    assert "Failed to run task callback" not in out


def test_one_notifier_serves_many_tasks_and_renders_once(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun]
) -> None:
    """Airflow renders in place: the second task would cancel the first one's meeting, and run a feed's template."""
    other = new_event(sandbox)
    shared = notifier(event_id="{{ dag_run.conf[ti.task_id] }}", comment="{{ dag_run.conf['reason'] }}")
    with DAG("shared_notifier", schedule=None, default_args={"on_failure_callback": shared}) as dag:
        task(task_id="first")(fail)()
        task(task_id="second")(fail)()
    run_dag(dag, first=event_id, second=other, reason="{{ 7 * 6 }}")
    assert {message["event_id"] for message in sandbox.messages()} == {event_id, other}
    assert {message["comment"] for message in sandbox.messages()} == {"{{ 7 * 6 }}"}


def test_in_the_dag_processor(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Callbacks of two runs in one process each get their own meeting, and none asks for the task state store.

    The DAG processor leaves such a question without an answer, so that the callback would stand still for ever.
    """
    from airflow.callbacks.callback_requests import DagCallbackRequest, DagRunContext
    from airflow.dag_processing.dagbag import DagBag
    from airflow.dag_processing.processor import _execute_callbacks
    from airflow.sdk.execution_time.context import TaskStateStoreAccessor

    events = [event_id, new_event(sandbox)]
    dag = dag_of({})
    requests = []
    for event in events:
        run = run_dag(dag, event_id=event)
        (instance,) = run.get_task_instances()
        context = DagRunContext(dag_run=run, last_ti=instance)
        requests.append(DagCallbackRequest(
            filepath="called_back.py", bundle_name="dags-folder", bundle_version=None,
            dag_id=dag.dag_id, run_id=run.run_id, context_from_server=context,
        ))  # fmt: skip
    assert sandbox.messages() == []
    dag.on_failure_callback = notifier()
    bag = DagBag(dag_folder="/dev/null")
    bag.dags[dag.dag_id] = dag
    for question in ("get", "set"):
        monkeypatch.delattr(TaskStateStoreAccessor, question)
    _execute_callbacks(bag, requests, structlog.get_logger())
    assert [message["event_id"] for message in sandbox.messages()] == events


def deadline(kind: type[AsyncCallback | SyncCallback], **arguments: Any) -> dict[str, Any]:
    """A missed deadline's callback as Airflow keeps it."""
    event_id, comment = "{{ dag_run.conf['event_id'] }}", "Late by {{ deadline.deadline_time }}."
    kwargs = {"event_id": event_id, "user_id": ADA, "comment": comment, **arguments}
    return json.loads(json.dumps(kind(GraphCancelEventNotifier, kwargs).serialize()))  # type: ignore[no-any-return]


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
    other = new_event(sandbox)

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
        notifier()({"dag_run": {"conf": {"event_id": event_id}}})

    asyncio.run(call())
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize("arguments", [
    {"event_id": "{{ ti.xcom_pull(task_ids='nowhere') }}"},
    {"comment": "{{ ti.xcom_pull(task_ids='nowhere') }}"},
    {"event_id": "{{ dag_run.conf['misspelt'] }}"},
    {"event_id": ".."},
    {"group_id": "also"},
    {"conn_id": "unheard_of"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("native", [False, True], ids=["text", "native"])
def test_what_cannot_be_meant_sends_nothing_and_hides_nothing(
    sandbox: Sandbox,
    event_id: str,
    run_dag: Callable[..., DagRun],
    logged: Callable[[], str],
    arguments: dict[str, str],
    native: bool,
) -> None:
    """The log tells why, the next callback is still called, and the task has failed for its own reason."""
    called: list[str] = []
    callbacks = [notifier(**arguments), lambda context: called.append(str(context["exception"]))]
    run = run_dag(dag_of({"on_failure_callback": callbacks}, render_template_as_native_obj=native), event_id=event_id)
    assert str(run.state) == "failed"
    assert called == ["the data is wrong"]
    assert sandbox.requests() == []
    out = logged()
    assert "Failed to run task callback" in out
    assert "the data is wrong" in out


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
    monkeypatch.setenv("AIRFLOW_CONN_READER", json.dumps(sandbox.connection_as("sandbox-reader")))
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
    assert [request["status"] for request in cancels(sandbox)] == [429, 202]


def test_a_long_wait_is_given_up_at_once(sandbox: Sandbox, event_id: str, logged: Callable[[], str]) -> None:
    """Airflow would kill the process before the time that Graph asked for, and then no log would say why."""
    sandbox.add_fault("429", retry_after="30", match={"path": "/cancel$"})
    with pytest.raises(ThrottledError):
        notifier(event_id=event_id)({})
    assert len(cancels(sandbox)) == 1
    assert "Outcome: throttled" in logged()


@pytest.mark.parametrize("kind", ["500", "reset", "truncated"])
def test_a_lost_answer_is_looked_after(sandbox: Sandbox, event_id: str, logged: Callable[[], str], kind: str) -> None:
    """Graph did the work and the answer was lost: a look finds that out, and nothing is sent again."""
    sandbox.add_fault(kind, after_effect=True, match={"path": "/cancel$"})
    notifier(event_id=event_id)({})
    assert len(sandbox.messages()) == len(cancels(sandbox)) == 1
    assert "Outcome: cancelled" in logged()


def test_a_silent_server_does_not_hold_the_process(sandbox: Sandbox, event_id: str, logged: Callable[[], str]) -> None:
    """The limit is for all of it; after it the log says that nobody knows."""
    sandbox.add_fault("hang", delay=20, match={"path": "/cancel$"})
    with pytest.raises(ServiceUnavailableError, match="more than 2 s"):
        notifier(event_id=event_id, time_limit=timedelta(seconds=2))({})
    assert "may or may not be cancelled" in logged()


def test_the_comment_is_not_logged(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun], logged: Callable[[], str]
) -> None:
    """Ids are, so that support can be asked; what attendees read is not."""
    run_dag(dag_of({"on_failure_callback": [notifier(), notifier(on_missing="fail")]}), event_id=event_id)
    (message,) = sandbox.messages()
    assert message["comment"] == SECRET
    out = logged()
    assert re.search(r"Outcome: cancelled\. .*\(request id [\w-]{36}\)", out)
    assert "Outcome: missing" in out
    assert event_id in out
    assert SECRET not in out


@pytest.mark.parametrize("way", ["notifier", "connection"])
def test_preview_sends_nothing(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str], way: str
) -> None:
    """Preview reads and reports, by the notifier's own switch or by the connection's promise."""
    if way == "connection":
        guarded = {**sandbox.connection, "extra": {**sandbox.connection["extra"], "preview_only": True}}
        monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps(guarded))
    notifier(event_id=event_id, preview=way == "notifier")({})
    assert [request["method"] for request in sandbox.requests()] == ["GET"]
    assert "Outcome: preview" in logged()


@pytest.mark.parametrize("arguments", [{"on_missing": "skip"}, {"preview": "false"}, {"time_limit": 0}], ids=str)
def test_misspelt_arguments_are_refused_when_the_dag_is_parsed(arguments: dict[str, Any]) -> None:
    """And not on the night when the pipeline fails."""
    with pytest.raises(ValueError, match=next(iter(arguments))):
        notifier(**arguments)
