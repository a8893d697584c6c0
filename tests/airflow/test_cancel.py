"""The outcome table of the contract, row by row: a real DAG run, real TLS, and the ledger as the witness."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator
from tests.support.connections import set_connection
from tests.support.contoso import ADA, BEACON, BEN, NOT_HERE, create_meeting

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

    Cancel = Callable[..., tuple[str, Any, DagRun]]


@pytest.fixture
def meeting(sandbox: Sandbox) -> dict[str, str]:
    """A meeting of Ada with Ben in a room: mailbox -> id of the copy there."""
    for address, kind in ((ADA, "user"), (BEN, "user"), (BEACON, "room")):
        sandbox.add_mailbox(address, kind=kind)
    copies: dict[str, str] = create_meeting(sandbox, rooms=[BEACON])["copies"]
    return copies


@pytest.fixture
def cancel(run_dag: Callable[..., DagRun]) -> Cancel:
    """Run a DAG of one cancellation; return the task's end state, the row it returned, and the run."""

    def run(**arguments: Any) -> tuple[str, Any, DagRun]:
        with DAG("one_cancellation", schedule=None) as dag:
            GraphCancelEventOperator(
                **{"task_id": "cancel", "comment": "Closed.", "retry_delay": timedelta(seconds=0), **arguments}
            )
        dag_run = run_dag(dag)
        (instance,) = dag_run.get_task_instances()
        return str(instance.state), instance.xcom_pull(task_ids="cancel"), dag_run

    return run


def test_cancelled(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel) -> None:
    """The main job: one request, one message with the comment to everybody, and a row that says so."""
    state, row, _ = cancel(event_id=meeting[ADA], user_id=ADA)
    assert state == "success"
    assert set(row) == {"event_id", "mailbox", "outcome", "request_id", "attempts", "at", "message"}
    (request,) = sandbox.requests(method="POST", path="/cancel")
    assert (row["event_id"], row["mailbox"], row["outcome"]) == (meeting[ADA], ADA, "cancelled")
    assert (row["request_id"], row["attempts"]) == (request["request_id"], 1)
    (message,) = sandbox.messages(event_id=meeting[ADA])
    assert message["comment"] == "Closed."
    assert set(message["recipients"]) == {BEN, BEACON}


def test_already_cancelled(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel) -> None:
    """A copy that carries the organizer's cancellation is evidence: nothing is left to do, and nobody is told again."""
    cancel(event_id=meeting[ADA], user_id=ADA)
    state, row, _ = cancel(event_id=meeting[BEN], user_id=BEN)
    assert (state, row["outcome"]) == ("success", "already_cancelled")
    assert len(sandbox.messages()) == 1


@pytest.mark.parametrize(("policy", "ends"), [("fail", "failed"), ("skip", "skipped"), ("succeed", "success")])
def test_missing(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel, policy: str, ends: str) -> None:
    """A wrong id must not pass as success unless somebody said that it may."""
    state, row, _ = cancel(event_id=NOT_HERE, user_id=ADA, on_missing=policy, retries=3)
    assert state == ends
    if policy == "succeed":
        assert row["outcome"] == "missing"
    assert not sandbox.messages()
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1


def test_a_second_run_finds_the_event_missing(meeting: dict[str, str], cancel: Cancel) -> None:
    """Another run has no evidence of what the first one did: it says missing and leaves the judgement to the user."""
    cancel(event_id=meeting[ADA], user_id=ADA)
    state, _, _ = cancel(event_id=meeting[ADA], user_id=ADA)
    assert state == "failed"


@pytest.mark.parametrize(("policy", "ends"), [("fail", "failed"), ("skip", "skipped"), ("succeed", "success")])
@pytest.mark.parametrize("code", ["ErrorInvalidRequest", "ErrorAccessDenied"])
def test_not_organizer(
    sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel, policy: str, ends: str, code: str
) -> None:
    """An attendee's copy cannot be cancelled, whatever code Graph gives to that (it is not documented)."""
    sandbox.settings(guesses={"not_organizer_code": code})
    state, row, _ = cancel(event_id=meeting[BEN], user_id=BEN, on_not_organizer=policy, retries=3)
    assert state == ends
    if policy == "succeed":
        assert row["outcome"] == "not_organizer"
        assert ADA in row["message"]
    assert not sandbox.messages()
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1


def test_denied(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing consent is not cured by asking again: one request, and the task fails although it has retries."""
    set_connection(monkeypatch, sandbox, "reader", login="sandbox-reader")
    state, _, run = cancel(event_id=meeting[ADA], user_id=ADA, conn_id="reader", retries=3)
    assert state == "failed"
    assert run.get_task_instances()[0].try_number == 1
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1


def test_a_token_without_roles_is_denied_after_one_fresh_token(
    sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 that a really fresh token does not cure is the end: two requests, two tokens, no more."""
    set_connection(monkeypatch, sandbox, "roleless", login="sandbox-roleless")
    state, _, _ = cancel(event_id=meeting[ADA], user_id=ADA, conn_id="roleless", retries=3)
    assert state == "failed"
    assert len(sandbox.requests(method="POST", path="/cancel")) == 2
    assert sandbox.ledger()["tokens"] == 2


@pytest.mark.parametrize("kind", ["unknown", "on premises"])
def test_mailbox_unavailable(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel, kind: str) -> None:
    """A mailbox that is not there is another matter than an event that is not: on_missing does not cover it."""
    owner = "nobody@contoso.example"
    if kind == "on premises":
        sandbox.add_mailbox(owner, cloud=False)
    state, _, _ = cancel(event_id=meeting[ADA], user_id=owner, on_missing="succeed", retries=3)
    assert state == "failed"
    assert len(sandbox.requests(method="POST", path="/cancel")) == 1


@pytest.mark.parametrize("arguments", [
    {"event_id": "None"}, {"event_id": ""}, {"event_id": ".."}, {"user_id": "None"}, {"comment": "None"},
    {"group_id": "g"}, {"calendar_group_id": "cg"},
], ids=str)  # fmt: skip
def test_invalid_before_any_request(
    sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel, arguments: dict[str, str]
) -> None:
    """What a failed template rendered never reaches Graph, nor the login."""
    state, _, _ = cancel(**{"event_id": meeting[ADA], "user_id": ADA, "retries": 3, **arguments})
    assert state == "failed"
    assert sandbox.requests() == []
    assert sandbox.ledger()["tokens"] == 0


def test_invalid_by_graph(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel) -> None:
    """An id that Graph calls malformed fails at once."""
    state, _, _ = cancel(event_id="not an id", user_id=ADA, retries=3)
    assert state == "failed"
    assert not sandbox.messages()


def test_app_only_me_is_told_what_to_set(
    meeting: dict[str, str], cancel: Cancel, capsys: pytest.CaptureFixture[str]
) -> None:
    """/me is nobody for an app; the failed task says which argument to set."""
    state, _, _ = cancel(event_id=meeting[ADA])
    assert state == "failed"
    out = capsys.readouterr()
    assert "set user_id, or Mailbox in the connection" in out.out + out.err


def test_throttled_for_longer_than_patience_is_left_to_airflow(
    sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel
) -> None:
    """Airflow's retry comes after the delay that Graph asked for, not after the task's own of an hour."""
    sandbox.add_fault("429", times=2, retry_after="2", match={"path": "/cancel$"})
    state, row, _ = cancel(event_id=meeting[ADA], user_id=ADA, retries=2, retry_delay=timedelta(hours=1), retry_for=1)
    assert (state, row["outcome"], row["attempts"]) == ("success", "cancelled", 3)
    first, second, third = (request["at"] for request in sandbox.requests(method="POST", path="/cancel"))
    assert len(sandbox.messages()) == 1
    assert first < second < third


def test_throttled_with_no_retry_left_fails(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel) -> None:
    """A task that could not cancel never says success."""
    sandbox.add_fault("429", times=None, retry_after="1", match={"path": "/cancel$"})
    state, _, _ = cancel(event_id=meeting[ADA], user_id=ADA, retry_for=0)
    assert state == "failed"
    assert not sandbox.messages()


def test_unavailable_with_no_retry_left_fails(sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel) -> None:
    """The same for a service that is down."""
    sandbox.add_fault("503", times=None, match={"path": "/events/"})
    state, _, _ = cancel(event_id=meeting[ADA], user_id=ADA, retry_for=0)
    assert state == "failed"


@pytest.mark.parametrize("way", ["operator", "connection"])
def test_preview_sends_nothing(
    sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """Preview reads and reports; a preview_only connection cannot be talked out of it by a DAG."""
    if way == "connection":
        set_connection(monkeypatch, sandbox, extra={"preview_only": True})
    state, row, _ = cancel(event_id=meeting[ADA], user_id=ADA, preview=way == "operator")
    assert (state, row["outcome"]) == ("success", "preview")
    assert "2 attendees" in row["message"]
    assert [request["method"] for request in sandbox.requests()] == ["GET"]
    assert not sandbox.messages()


def test_an_occurrence_is_one_date_and_the_master_the_series(
    sandbox: Sandbox, meeting: dict[str, str], cancel: Cancel
) -> None:
    """The id decides: cancelling one date leaves the others alone."""
    series = sandbox.create_event(
        organizer=ADA, subject="Weekly", start="2030-02-04T10:00:00+00:00", end="2030-02-04T11:00:00+00:00",
        attendees=[BEN], recurrence={"type": "weekly", "interval": 1, "count": 3},
    )  # fmt: skip
    date = series["occurrences"][ADA][1]
    _, row, _ = cancel(event_id=date["id"], user_id=ADA)
    assert row["outcome"] == "cancelled"
    assert sandbox.messages()[-1]["occurrence"] == "2030-02-11"
    _, row, _ = cancel(event_id=series["copies"][ADA], user_id=ADA)
    assert row["outcome"] == "cancelled"
    assert sandbox.messages()[-1]["occurrence"] is None


def test_templates_and_the_connections_mailbox(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Callable[..., DagRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Id and comment come from the run, the owner from the connection if the task names none."""
    set_connection(monkeypatch, sandbox, "adas", extra={"mailbox": ADA})
    with DAG("templated", schedule=None) as dag:
        GraphCancelEventOperator(
            task_id="cancel",
            event_id="{{ dag_run.conf['event'] }}",
            comment="Closed: {{ dag_run.conf['reason'] }}",
            conn_id="{{ dag_run.conf['conn'] }}",
            api_version="{{ dag_run.conf['version'] }}",
        )
    run = run_dag(dag, event=meeting[ADA], reason="water", conn="adas", version="beta")
    assert str(run.state) == "success"
    assert sandbox.messages()[0]["comment"] == "Closed: water"
    (request,) = sandbox.requests(method="POST", path="/cancel")
    assert request["path"].startswith("/beta/users/ada@contoso.example/events/")


@pytest.mark.parametrize("argument", ["comment", "user_id", "event_id"])
def test_an_argument_that_a_task_returned_as_none_is_refused(
    sandbox: Sandbox, meeting: dict[str, str], run_dag: Callable[..., DagRun], argument: str
) -> None:
    """Without its comment the meeting would be cancelled in silence, without its owner in another mailbox."""
    from airflow.sdk import task

    with DAG("returned_none", schedule=None) as dag:

        @task
        def nothing() -> None:
            return None

        arguments: dict[str, Any] = {
            "event_id": meeting[ADA],
            "user_id": ADA,
            "comment": "Closed.",
            argument: nothing(),
        }
        GraphCancelEventOperator(task_id="cancel", **arguments)
    run = run_dag(dag)
    assert {task.task_id: str(task.state) for task in run.get_task_instances()}["cancel"] == "failed"
    assert sandbox.requests() == []
