"""An approval that can be relied upon: what was shown is what is handed on, and nothing else ever is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from airflow.providers.standard.operators import hitl
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskAwaitingInput

from airflow_graph_cancel.graph.find.summary import summarize
from airflow_graph_cancel.graph.model.plan import Meeting, Plan
from airflow_graph_cancel.graph.model.window import Window
from airflow_graph_cancel.operators.approve import GraphApprovePlanOperator
from tests.support.operators import context_with
from tests.support.task_state import TaskStateStore

ANSWERED = datetime(2030, 1, 5, 9, 30, tzinfo=UTC)


def plan(*event_ids: str, made_at: datetime = ANSWERED) -> dict[str, Any]:
    """A plan of one-hour meetings in the oak room, in London."""
    start = datetime(2030, 1, 7, 10, tzinfo=UTC)
    window = Window(start, start + timedelta(days=1), "Europe/London")
    meetings = [
        Meeting(each, "ada@contoso.example", f"uid-{each}", "key", start, start + timedelta(hours=1),
                ("oak@contoso.example",), 3, 1, "singleInstance", "dates")
        for each in event_ids
    ]  # fmt: skip
    found = Plan(window, meetings, [], made_at)
    return found.as_document(summarize(found))


class Task:
    """A task's context, with what is pushed to XCom."""

    def __init__(self) -> None:
        self.pushed: dict[str, Any] = {}
        ti = Mock()
        ti.xcom_push = lambda key, value: self.pushed.update({key: value})
        self.context = context_with(TaskStateStore(), ti=ti, task_instance=ti)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Airflow would show to the approver."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(hitl, "upsert_hitl_detail", lambda **request: found.update(request))
    return found


def asked(shown: dict[str, Any], found: dict[str, Any], **arguments: Any) -> tuple[GraphApprovePlanOperator, Task]:
    """An approval that waits for its answer."""
    operator = GraphApprovePlanOperator(task_id="approve", plan=found, subject="Oak House closed", **arguments)
    task = Task()
    with pytest.raises(TaskAwaitingInput) as waiting:
        operator.execute(task.context)
    assert waiting.value.timeout == operator.response_timeout
    assert not task.pushed
    return operator, task


def answer(option: str, **params: object) -> dict[str, Any]:
    """What Airflow makes of an answer."""
    user = {"id": "1", "name": "Grace"}
    return {"chosen_options": [option], "params_input": params, "responded_at": ANSWERED, "responded_by_user": user}


def test_the_approver_sees_the_plan_and_the_message(shown: dict[str, Any]) -> None:
    """Numbers, meetings, and word for word what people will get; a feed's markup is shown and not obeyed."""
    found = plan("AAMk=1", "AAMk=2")
    asked(shown, found, comment="Closed: <b>water</b>.\n# Facilities")
    assert shown["subject"] == "Oak House closed"
    assert shown["body"].startswith(found["summary"])
    assert "> Closed: &lt;b&gt;water&lt;/b&gt;.  \n> \\# Facilities  \n" in shown["body"]
    assert (shown["options"], shown["defaults"]) == (["Approve", "Reject"], None)


def test_no_message_is_said_too(shown: dict[str, Any]) -> None:
    """Attendees who get no reason are something to be seen before, not after."""
    asked(shown, plan("AAMk=1"))
    assert shown["body"].endswith("Attendees get Outlook's own notice, without a message.")


def test_the_approver_chooses_from_the_meetings(shown: dict[str, Any]) -> None:
    """The choices show time, organizer and room instead of ids, and are at most as many as the summary lists."""
    asked(shown, plan(*(f"AAMk={number}" for number in range(120))))
    form = shown["params"]["without"]["schema"]
    assert form["examples"] == [f"AAMk={number}" for number in range(100)]
    assert form["values_display"]["AAMk=7"] == "Mon 2030-01-07 10:00–11:00, ada@contoso.example, oak"
    assert "null" in form["type"]


def test_what_was_shown_is_handed_on(shown: dict[str, Any]) -> None:
    """The plan, what was taken out of it, and who said so."""
    found = plan("AAMk=1", "AAMk=2")
    operator, task = asked(shown, found)
    operator.execute_complete(task.context, answer("Approve", without=["AAMk=2"]))
    assert task.pushed["plan"] == found
    assert task.pushed["without"] == ["AAMk=2"]
    assert task.pushed["decision"] == "Approved by Grace at 2030-01-05 09:30 UTC, without 1 of the meetings."


@pytest.mark.parametrize("params", [{}, {"without": []}, {"without": None}])
def test_nothing_need_be_taken_out(shown: dict[str, Any], params: dict[str, Any]) -> None:
    """However the form or a client says so."""
    operator, task = asked(shown, plan("AAMk=1"))
    operator.execute_complete(task.context, answer("Approve", **params))
    assert task.pushed["without"] == []
    assert task.pushed["decision"] == "Approved by Grace at 2030-01-05 09:30 UTC."


def test_a_rejection_hands_nothing_on(shown: dict[str, Any]) -> None:
    """It skips this very task, and leaves nothing that the cancelling could take up."""
    operator, task = asked(shown, plan("AAMk=1"))
    with pytest.raises(AirflowSkipException, match="Rejected by Grace"):
        operator.execute_complete(task.context, answer("Reject"))
    assert task.pushed == {"decision": "Rejected by Grace at 2030-01-05 09:30 UTC: nothing was sent."}


def test_no_answer_is_no_approval(shown: dict[str, Any]) -> None:
    """And is not asked again by a retry, with a plan of yesterday."""
    operator, task = asked(shown, plan("AAMk=1"), response_timeout=timedelta(hours=2))
    with pytest.raises(AirflowFailException, match=r"Nobody answered within 2:00:00"):
        operator.execute_complete(task.context, {"error": "timed out", "error_type": "timeout"})
    assert task.pushed.keys() == {"decision"}


def test_an_empty_plan_asks_nobody(shown: dict[str, Any]) -> None:
    """Nobody is woken for nothing, and the cancelling has its plan."""
    found = plan()
    operator, task = GraphApprovePlanOperator(task_id="approve", plan=found, subject="Oak"), Task()
    operator.execute(task.context)
    assert not shown
    assert (task.pushed["plan"], task.pushed["without"]) == (found, [])


def test_a_slip_in_what_is_taken_out_ends_it(shown: dict[str, Any]) -> None:
    """Somebody believes to have saved a meeting, and has not."""
    operator, task = asked(shown, plan("AAMk=1"))
    with pytest.raises(AirflowFailException, match="not in this plan"):
        operator.execute_complete(task.context, answer("Approve", without=["AAMk=3"]))
    assert "plan" not in task.pushed


def test_another_plan_than_the_one_that_was_shown_is_not_approved(shown: dict[str, Any]) -> None:
    """The finding task may be cleared and run again while its first plan waits for an answer."""
    operator, task = asked(shown, plan("AAMk=1"))
    operator.plan = plan("AAMk=1", made_at=ANSWERED + timedelta(minutes=1))
    with pytest.raises(AirflowFailException, match="was replaced"):
        operator.execute_complete(task.context, answer("Approve"))
    assert "plan" not in task.pushed


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({**plan("AAMk=1"), "made_at": "2030-01-05T00:00:00+00:00"}, "altered after it was made"),
        (None, "This is not a plan"),
        ({"path": "/nowhere/plan.json", "digest": "0"}, "cannot be read"),
    ],
)
def test_what_is_no_plan_is_not_shown(shown: dict[str, Any], found: object, sentence: str) -> None:
    """An approver must not be asked about what the cancelling would refuse."""
    operator = GraphApprovePlanOperator(task_id="approve", plan=found, subject="Oak House closed")
    with pytest.raises(AirflowFailException, match=sentence):
        operator.execute(Task().context)
    assert not shown


@pytest.mark.parametrize("name", ["defaults", "body", "fail_on_reject", "ignore_downstream_trigger_rules"])
def test_what_would_undo_it_is_refused(name: str) -> None:
    """Above all a default answer, which would send what nobody looked at."""
    argument: dict[str, Any] = {name: "Approve"}
    with pytest.raises(ValueError, match=name):
        GraphApprovePlanOperator(task_id="approve", plan=plan(), subject="Oak", **argument)
