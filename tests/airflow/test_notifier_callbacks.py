"""The notifier where Airflow calls it: callbacks of tasks and DAGs, and those of the DAG processor."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from airflow.sdk import DAG, task

from tests.support.contoso import BEN, meet
from tests.support.notifiers import SECRET, notifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox


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


def test_a_failing_task_cancels_its_meeting_and_no_other(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun]
) -> None:
    """The main job: id and comment come from the run, everybody is told once, and the run has failed as it would."""
    meet(sandbox)
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
    assert len(sandbox.requests(method="POST", path="/cancel")) == 3
    assert len(sandbox.messages()) == 1
    out = logged()
    assert out.count("Outcome: cancelled") == 1
    assert out.count("Outcome: missing") == 2
    assert "Failed to run task callback" not in out


def test_one_notifier_serves_many_tasks_and_renders_once(
    sandbox: Sandbox, event_id: str, run_dag: Callable[..., DagRun]
) -> None:
    """Airflow renders in place: the second task would cancel the first one's meeting, and run a feed's template."""
    other = meet(sandbox)
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
    from airflow.callbacks.callback_requests import CallbackRequest, DagCallbackRequest, DagRunContext
    from airflow.dag_processing.dagbag import DagBag
    from airflow.dag_processing.processor import _execute_callbacks
    from airflow.sdk.execution_time.context import TaskStateStoreAccessor

    events = [event_id, meet(sandbox)]
    dag = dag_of({})
    requests: list[CallbackRequest] = []
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
