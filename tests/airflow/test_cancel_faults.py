"""Whatever goes wrong on the way, each attendee is told once and the task says what is true."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from airflow.sdk import DAG

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator
from airflow_graph_cancel.sandbox.traffic import faults
from tests.support.contoso import ADA

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox


# A 429 and a 401 are refusals: a service that has done the work does not send them.
LOST = ("hang", "500", "502-html", "503", "504", "empty-500", "reset", "close", "truncated", "400-invalid-recipients")
REFUSED = ("429", "401-expired")
KINDS = [
    *((kind, after) for kind in LOST for after in (False, True)),
    *((kind, False) for kind in REFUSED),
    ("slow", False),
]


def test_no_fault_is_left_out() -> None:
    """The operator is tried with every fault that the local Graph can inject."""
    assert {kind for kind, _ in KINDS} == set(faults.KINDS)


def run_once(run_dag: Callable[..., DagRun], event_id: str, **arguments: Any) -> tuple[str, Any, DagRun]:
    """Run a DAG of one cancellation; return the task's end state, its row and the run."""
    with DAG("faulty_cancellation", schedule=None) as dag:
        GraphCancelEventOperator(
            task_id="cancel", event_id=event_id, user_id=ADA, comment="Closed.",
            **{"retry_delay": timedelta(seconds=0), **arguments},
        )  # fmt: skip
    run = run_dag(dag)
    (instance,) = run.get_task_instances()
    return str(instance.state), instance.xcom_pull(task_ids="cancel"), run


@pytest.mark.parametrize(("kind", "after_effect"), KINDS)
@pytest.mark.parametrize("by", ["the loop", "the next try"])
def test_one_message_whatever_the_fault(
    sandbox: Sandbox,
    run_dag: Callable[..., DagRun],
    event_id: str,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    after_effect: bool,
    by: str,
) -> None:
    """Before or after the effect, cured within the task or by Airflow's retry: one message, outcome cancelled."""
    monkeypatch.setattr("airflow_graph_cancel.hooks.client_factory.TIMEOUT", httpx.Timeout(1.0))
    extra: dict[str, float] = {"slow": {"delay": 0.2}, "hang": {"delay": 10.0}}.get(kind, {})
    sandbox.add_fault(kind, times=1, after_effect=after_effect, retry_after="0", match={"path": "/cancel$"}, **extra)
    backoff = {"retry_for": 60} if by == "the loop" else {"retry_for": 0, "retries": 1}
    state, row, run = run_once(run_dag, event_id, **backoff)
    assert (state, row["outcome"]) == ("success", "cancelled")
    assert [message["kind"] for message in sandbox.messages(event_id=event_id)] == ["cancellation"]
    if by == "the next try" and kind not in {"slow", "401-expired", "400-invalid-recipients"}:
        assert run.get_task_instances()[0].try_number == 2


@pytest.mark.parametrize("look_fault", ["503", "429", "reset"])
def test_a_fault_of_the_look_leaves_the_doubt(
    sandbox: Sandbox, run_dag: Callable[..., DagRun], event_id: str, look_fault: str
) -> None:
    """If the look fails too, nothing is sent until one has succeeded."""
    sandbox.add_fault("reset", after_effect=True, match={"path": "/cancel$"})
    sandbox.add_fault(look_fault, times=2, retry_after="0", match={"method": "GET", "path": "/events/"})
    state, row, _ = run_once(run_dag, event_id)
    assert (state, row["outcome"], row["attempts"]) == ("success", "cancelled", 1)
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1
    assert len(sandbox.messages()) == 1


def test_a_wrong_recipient_is_not_repeated_for_ever(
    sandbox: Sandbox, run_dag: Callable[..., DagRun], event_id: str
) -> None:
    """ErrorInvalidRecipients with the event still there is a refusal: no loop, no retry, no success."""
    sandbox.settings(guesses={"no_attendees": "invalid_recipients"})
    alone = sandbox.create_event(
        organizer=ADA, subject="Focus", start="2030-01-07T10:00:00Z", end="2030-01-07T11:00:00Z", attendees=[]
    )
    state, _, _ = run_once(run_dag, alone["copies"][ADA], retries=3)
    assert state == "failed"
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1


@pytest.mark.parametrize("form", ["0.249", "1", "date", "missing"])
def test_every_form_of_retry_after_is_obeyed(
    sandbox: Sandbox, run_dag: Callable[..., DagRun], event_id: str, form: str
) -> None:
    """kiota dies of a decimal; Graph sends integers, decimals, dates, or nothing."""
    if form in {"date", "missing"}:
        sandbox.settings(guesses={"retry_after": form})
    literal = {} if form in {"date", "missing"} else {"retry_after": form}
    sandbox.add_fault("429", match={"path": "/cancel$"}, **literal)
    state, row, _ = run_once(run_dag, event_id)
    assert (state, row["outcome"], row["attempts"]) == ("success", "cancelled", 2)
    first, second = sandbox.requests(method="POST", path="/cancel")
    if form not in {"date", "missing"}:
        from datetime import datetime

        gap = datetime.fromisoformat(second["at"]) - datetime.fromisoformat(first["at"])
        assert gap >= timedelta(seconds=float(form) - 0.05)


def test_an_expired_token_is_replaced_by_a_really_fresh_one(
    sandbox: Sandbox, run_dag: Callable[..., DagRun], event_id: str
) -> None:
    """azure-identity keeps serving a token that Graph refuses; exactly one fresh token is fetched."""
    sandbox.add_fault("401-expired", match={"path": "/cancel$"})
    _, row, _ = run_once(run_dag, event_id)
    assert row["outcome"] == "cancelled"
    assert sandbox.ledger()["tokens"] == 2


@pytest.mark.parametrize("kind", ["503", "reset"])
def test_a_login_that_stumbles_is_tried_again(
    sandbox: Sandbox, run_dag: Callable[..., DagRun], event_id: str, kind: str
) -> None:
    """The login fails like any other server, and certainly cancels nothing when it does."""
    sandbox.add_fault(kind, times=1, match={"path": "/oauth2/"})
    state, row, _ = run_once(run_dag, event_id)
    assert (state, row["outcome"], row["attempts"]) == ("success", "cancelled", 1)


def test_an_event_changed_between_tries_is_not_taken_for_the_first(
    sandbox: Sandbox, run_dag: Callable[..., DagRun], event_id: str
) -> None:
    """The mark of another event must not turn a wrong id into a success."""
    sandbox.add_fault("reset", after_effect=True, match={"path": "/cancel$"})
    with DAG("changing_event", schedule=None) as dag:
        GraphCancelEventOperator(
            task_id="cancel", user_id=ADA, retry_for=0, retries=1, retry_delay=timedelta(seconds=0),
            event_id="{{ dag_run.conf['event'] if ti.try_number == 1 else 'AAMkAGOther123456=' }}",
        )  # fmt: skip
    run = run_dag(dag, event=event_id)
    assert str(run.get_task_instances()[0].state) == "failed"


@pytest.mark.parametrize("after_effect", [False, True])
def test_a_deferred_task_goes_on_where_it_was(
    sandbox: Sandbox,
    run_dag: Callable[..., DagRun],
    event_id: str,
    monkeypatch: pytest.MonkeyPatch,
    after_effect: bool,
) -> None:
    """The state survives the deferral: a request that may have been carried out is looked at first."""
    monkeypatch.setattr("airflow_graph_cancel.operators.base.LONGEST_WAIT", 0.5)
    sandbox.add_fault("503", retry_after="1", after_effect=after_effect, match={"path": "/cancel$"})
    with DAG("deferred_cancellation", schedule=None) as dag:
        GraphCancelEventOperator(task_id="cancel", event_id=event_id, user_id=ADA)
    run = run_dag(dag)
    (instance,) = run.get_task_instances()
    row = instance.xcom_pull(task_ids="cancel")
    assert (str(instance.state), row["outcome"], row["attempts"]) == ("success", "cancelled", 1 if after_effect else 2)
    assert instance.try_number == 1
    assert len(sandbox.messages()) == 1
