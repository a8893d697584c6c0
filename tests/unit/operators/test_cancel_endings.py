"""How the cancelling operators end a task: outcome and policy to success, skip, failure, retry or deferral."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, Mock

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException, TaskDeferred

from airflow_graph_cancel.graph import errors
from airflow_graph_cancel.graph.cancel.bulk import BulkProgress, BulkResult
from airflow_graph_cancel.graph.cancel.inputs import CancelInput
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator, GraphCancelEventsOperator
from tests.support.operators import context_with, run_operator

if TYPE_CHECKING:
    from pathlib import Path

ADDRESSES = [EventAddress(f"AAMk={number}", "ada@contoso.example") for number in range(3)]
INPUTS = [CancelInput(address, row={"ticket": 7, "outcome": "a feed's own word"}) for address in ADDRESSES]
LATER = errors.ThrottledError("Later.", status=429, code="TooManyRequests", retry_after=90)


def one(raised: Exception, **arguments: Any) -> GraphCancelEventOperator:
    """An operator whose hook raises."""
    operator = GraphCancelEventOperator(task_id="cancel", event_id="AAMk=1", **arguments)
    vars(operator)["hook"] = Mock(cancel_event=AsyncMock(side_effect=raised))
    return operator


def many(
    outcomes: list[Outcome], left: dict[int, errors.GraphCancelError] | None = None, **arguments: Any
) -> GraphCancelEventsOperator:
    """An operator whose hook returns these outcomes, and leaves these errors."""
    settled = {number: ADDRESSES[number].result(outcome, "A sentence.") for number, outcome in enumerate(outcomes)}
    operator = GraphCancelEventsOperator(task_id="cancel", events=[], **arguments)
    result = BulkResult(INPUTS[: len(settled) + len(left or {})], settled, left or {})
    vars(operator)["hook"] = Mock(cancel_events=AsyncMock(return_value=result))
    return operator


class TestOneEvent:
    """The single operator."""

    @pytest.mark.parametrize(
        ("kind", "argument"),
        [(errors.EventMissingError, "on_missing"), (errors.NotOrganizerError, "on_not_organizer")],
    )
    def test_a_policy_decides_about_its_own_outcome(self, kind: type[errors.RefusedError], argument: str) -> None:
        """Each policy decides about its own outcome, and the other policy does not."""
        for policy, ends in (("fail", AirflowFailException), ("skip", AirflowSkipException)):
            with pytest.raises(ends, match="What happened"):
                run_operator(one(kind("What happened."), **{argument: policy}))
        row = run_operator(one(kind("What happened.", request_id="r", attempts=2), **{argument: "succeed"}))
        assert (row["outcome"], row["message"]) == (str(kind.outcome), "What happened.")
        assert (row["event_id"], row["mailbox"], row["request_id"], row["attempts"]) == ("AAMk=1", "me", "r", 2)
        (other,) = {"on_missing", "on_not_organizer"} - {argument}
        with pytest.raises(AirflowFailException):
            run_operator(one(kind("What happened."), **{other: "succeed"}))

    @pytest.mark.parametrize(
        "kind", [errors.AccessDeniedError, errors.MailboxUnavailableError, errors.InvalidRequestError]
    )
    def test_no_policy_covers_other_refusals(self, kind: type[errors.RefusedError]) -> None:
        """A wrong mailbox or a missing permission is never what a DAG's author wanted to pass."""
        with pytest.raises(AirflowFailException):
            run_operator(one(kind("No."), on_missing="succeed", on_not_organizer="succeed"))

    def test_a_long_wait_is_deferred_with_what_is_known(self) -> None:
        """When this try began, and whether a request may have taken effect."""
        error = errors.ServiceUnavailableError("Later.", retry_after=90, in_doubt=True)
        operator = one(error)
        with pytest.raises(TaskDeferred) as deferred:
            run_operator(operator)
        kept = deferred.value.kwargs or {}
        assert datetime.now(UTC) - datetime.fromisoformat(kept["started"]) < timedelta(minutes=1)
        assert kept["in_doubt"] is True

    @pytest.mark.parametrize(
        ("retry_after", "began"), [(60.0, 0), (None, 0), (90.0, 6)], ids=["short", "none", "spent"]
    )
    def test_other_waits_are_airflows(self, retry_after: float | None, began: int) -> None:
        """A short one, one that Graph did not name, and one when the try's time is over."""
        error = errors.ThrottledError("Later.", retry_after=retry_after)
        operator = one(error)
        operator._started = datetime.now(UTC) - timedelta(minutes=began)
        with pytest.raises(errors.ThrottledError) as raised:
            run_operator(operator)
        assert raised.value is error

    def test_a_deferral_counts_towards_the_tries_time(self) -> None:
        """Otherwise a service that says "later" could keep a task for ever."""
        operator = one(errors.StoppedError("Stop."), retry_for=timedelta(minutes=5))
        operator._started = datetime.now(UTC) - timedelta(minutes=3)
        with pytest.raises(errors.StoppedError):
            run_operator(operator)
        options = operator.hook.cancel_event.await_args.kwargs["options"]  # type: ignore[attr-defined]
        assert 110 < options.backoff.retry_for <= 120

    def test_without_a_store_the_doubt_is_kept(self) -> None:
        """The resumed task must read the event before it sends."""
        operator = one(errors.StoppedError("Stop."))
        operator._in_doubt = True
        with pytest.raises(errors.StoppedError):
            run_operator(operator)
        journal = operator.hook.cancel_event.await_args.kwargs["journal"](ADDRESSES[0])  # type: ignore[attr-defined]
        assert journal.sent_before()


class TestManyEvents:
    """The bulk operator."""

    def test_outcomes_that_pass(self) -> None:
        """Each is counted, and nothing is left."""
        returned = run_operator(many([Outcome.CANCELLED, Outcome.CHANGED, Outcome.CANCELLED]))
        assert returned == {"total": 3, "counts": {"cancelled": 2, "changed": 1}, "unsettled": [], "report": None}

    @pytest.mark.parametrize(
        ("outcome", "argument"), [(Outcome.MISSING, "on_missing"), (Outcome.NOT_ORGANIZER, "on_not_organizer")]
    )
    def test_a_policy_decides_about_its_own_outcome(self, outcome: Outcome, argument: str) -> None:
        """``skip`` passes as well: the other events of the task were not skipped."""
        for policy in ("skip", "succeed"):
            chosen: dict[str, Any] = {argument: policy}
            assert run_operator(many([outcome], **chosen))["counts"] == {str(outcome): 1}
        (other,) = {"on_missing", "on_not_organizer"} - {argument}
        chosen = {other: "succeed"}
        with pytest.raises(AirflowFailException, match=r"^1 of 2 events was not cancelled"):
            run_operator(many([Outcome.CANCELLED, outcome], **chosen))

    def test_a_failure_says_how_many_and_why_before_ids(self) -> None:
        """Airflow's log view shows the beginning of a line."""
        with pytest.raises(AirflowFailException) as raised:
            run_operator(many([Outcome.CANCELLED, Outcome.DENIED]))
        assert str(raised.value) == (
            "1 of 2 events was not cancelled (cancelled 1, denied 1). A sentence. (AAMk=1 in ada@contoso.example)"
        )

    def test_what_is_left_is_retried_as_graph_asked(self) -> None:
        """With Graph's status, code and time, which the retry policy reads; refusals beside it do not end the task."""
        brief = errors.ThrottledError("Later.", status=429, code="TooManyRequests", retry_after=30)
        with pytest.raises(errors.ThrottledError) as raised:
            run_operator(many([Outcome.DENIED], {1: brief}))
        assert (raised.value.status, raised.value.code, raised.value.retry_after) == (429, "TooManyRequests", 30)
        assert raised.value.__cause__ is brief
        assert str(raised.value).startswith("1 of 2 events was not cancelled, and 1 is not settled yet (denied 1, ")

    def test_what_is_not_settled_is_not_said_to_be_uncancelled(self) -> None:
        """The lost response may have been that of a cancellation that took effect."""
        with pytest.raises(errors.ServiceUnavailableError, match=r"^2 of 2 events are not settled yet") as raised:
            run_operator(many([], {0: errors.ServiceUnavailableError("Lost."), 1: LATER}))
        assert "not cancelled" not in str(raised.value)

    def test_a_failure_gives_each_reason_once_and_names_each_event_once(self) -> None:
        """Messages mostly name their event; those that do not are followed by the events that they apply to."""
        with pytest.raises(AirflowFailException) as raised:
            run_operator(many([Outcome.DENIED, Outcome.DENIED]))
        assert str(raised.value).endswith(
            "2 of 2 events were not cancelled (denied 2). A sentence. "
            "(AAMk=0 in ada@contoso.example, AAMk=1 in ada@contoso.example)"
        )
        named = errors.ServiceUnavailableError(f"Lost. ({ADDRESSES[0]}; Graph answered 503.)")
        with pytest.raises(errors.ServiceUnavailableError) as unsettled:
            run_operator(many([], {0: named}))
        assert str(unsettled.value).count("AAMk=0") == 1

    def test_a_long_wait_is_deferred_ten_times_at_most(self) -> None:
        """Then it is for Airflow's retries, and for people."""
        with pytest.raises(TaskDeferred) as deferred:
            run_operator(many([Outcome.CANCELLED], {1: LATER}))
        assert deferred.value.kwargs == {"deferrals": 1}
        operator = many([Outcome.CANCELLED], {1: LATER})
        operator._deferrals = 10
        with pytest.raises(errors.ThrottledError):
            run_operator(operator)

    def test_a_wait_that_one_event_does_not_share_is_not_deferred(self) -> None:
        """It can be tried again sooner."""
        with pytest.raises(errors.ThrottledError):
            run_operator(many([], {0: LATER, 1: errors.ServiceUnavailableError("Down.")}))

    def test_the_report_has_a_row_for_each_event(self, tmp_path: Path) -> None:
        """With the feed's own keys, which cannot replace ours."""
        path = tmp_path / "report.jsonl"
        with pytest.raises(TaskDeferred):
            run_operator(many([Outcome.CANCELLED], {1: LATER}, report_path=str(path)))
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [(row["event_id"], row["outcome"], row["ticket"]) for row in rows] == [
            ("AAMk=0", "cancelled", 7), ("AAMk=1", "throttled", 7),
        ]  # fmt: skip
        assert all(row["user_id"] == row["mailbox"] == "ada@contoso.example" for row in rows)

    def test_a_stop_leaves_a_report_of_what_was_done(self, tmp_path: Path) -> None:
        """People were told of it, and somebody must be able to see whom."""
        path = tmp_path / "report.jsonl"
        operator = GraphCancelEventsOperator(task_id="cancel", events=[], report_path=str(path))
        known = BulkResult(INPUTS[:2], {0: ADDRESSES[0].result(Outcome.CANCELLED, "Done.")}, {})

        async def stopped(*_: object, progress: Any, **__: object) -> None:
            progress(BulkProgress(2, 1, 1.0, lambda: known))
            raise errors.StoppedError("Stop.")

        vars(operator)["hook"] = Mock(cancel_events=stopped)
        with pytest.raises(errors.StoppedError):
            run_operator(operator)
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [row["outcome"] for row in rows] == ["cancelled", "unavailable"]
        assert "may or may not be cancelled" in rows[1]["message"]

    def test_asset_events_carry_the_counts(self) -> None:
        """Only of a task that ended: another run would count them again."""
        operator = many([Outcome.CANCELLED, Outcome.MISSING], on_missing="succeed")
        outlet = Mock()
        operator.outlets, events = [outlet], {outlet: Mock()}
        asyncio.run(operator.aexecute(context_with(outlet_events=events)))
        assert events[outlet].extra == {"total": 2, "cancelled": 1, "missing": 1}
