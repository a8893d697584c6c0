"""What operators, sensor and notifier share: arguments, errors that Airflow may retry, and long waits."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from airflow_graph_cancel.graph import errors
from airflow_graph_cancel.notifications.cancel_event import GraphCancelEventNotifier
from airflow_graph_cancel.operators.approve import GraphApprovePlanOperator
from airflow_graph_cancel.operators.base import (
    GraphOperator,
    airflow_errors,
    check_rendered,
    given_fields,
    is_long_wait,
)
from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator, GraphCancelEventsOperator
from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from airflow_graph_cancel.operators.report import GraphCancelReportOperator
from airflow_graph_cancel.retry import GraphRetryPolicy
from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor

OURS = [
    GraphApprovePlanOperator,
    GraphCancelEventNotifier,
    GraphCancelEventOperator,
    GraphCancelEventsOperator,
    GraphCancelReportOperator,
    GraphEventsCancelledSensor,
    GraphFindEventsOperator,
]


def operator(**arguments: Any) -> GraphCancelEventOperator:
    """The smallest of the operators."""
    return GraphCancelEventOperator(**{"task_id": "cancel", "event_id": "AAMk=1", **arguments})


@pytest.mark.parametrize("ours", OURS, ids=lambda ours: ours.__name__)
class TestEveryClass:
    """What holds for each of them alike."""

    def test_help_shows_every_argument(self, ours: Any) -> None:
        """A reader of ``help()`` finds all arguments in one place, and templated ones marked as such."""
        documented = {
            part.partition(":")[0]: part for part in " ".join((ours.__doc__ or "").split()).split(":param ")[1:]
        }
        arguments = inspect.signature(ours.__init__).parameters.keys() - {"self", "kwargs"}
        assert documented.keys() >= arguments - {"notifiers", "assigned_users"}
        templated = {name for name, text in documented.items() if text.rstrip().endswith("(templated)")}
        assert templated == set(ours.template_fields)

    def test_template_fields_are_arguments(self, ours: Any) -> None:
        """Airflow's own rule: a template field is an argument of the same name, assigned as it is."""
        arguments = inspect.signature(ours.__init__).parameters
        assert set(ours.template_fields) <= arguments.keys()
        assert all(
            arguments[name].kind is inspect.Parameter.KEYWORD_ONLY for name in arguments.keys() - {"self", "kwargs"}
        )


@pytest.mark.parametrize(
    "ours",
    [each for each in OURS if issubclass(each, BaseOperator) and hasattr(each, "hook")],
    ids=lambda o: o.__name__,
)
def test_default_args_reach_every_class(ours: type[BaseOperator]) -> None:
    """A retry policy or a connection in ``default_args`` counts as if it were given to the task."""
    required: dict[str, Any] = {
        name: "2030-01-01T00:00:00Z"
        for name, argument in inspect.signature(ours.__init__).parameters.items()
        if name not in {"self", "kwargs"} and argument.default is inspect.Parameter.empty
    }
    policy = GraphRetryPolicy()
    made = ours(task_id="x", default_args={"retry_policy": policy, "conn_id": "theirs"}, **required)
    assert made.retry_policy is policy
    assert vars(made)["conn_id"] == "theirs"
    assert isinstance(ours(task_id="y", **required).retry_policy, GraphRetryPolicy)


class TestErrors:
    """One place decides which errors Airflow may retry."""

    @pytest.mark.parametrize(
        "name", sorted(set(errors.__all__) - {"GraphCancelError", "RefusedError", "TryLaterError"})
    )
    def test_it_agrees_with_the_retry_policy(self, name: str) -> None:
        """An operator fails at once exactly where the policy would end the retries of a ``@task``."""
        error = getattr(errors, name)("What happened.")
        final = GraphRetryPolicy().evaluate(error, 1, 3).action.name == "FAIL"
        expected = AirflowFailException if final else type(error)
        with pytest.raises(expected, match="What happened") as raised, airflow_errors():
            raise error
        assert final or raised.value is error
        assert final != (name in {"StoppedError", "ThrottledError", "ServiceUnavailableError"})

    def test_a_mistake_is_shown_without_a_traceback_of_ours(self) -> None:
        """The message says all; what is chained to it would be printed above."""
        with pytest.raises(AirflowFailException) as raised, airflow_errors():
            raise errors.InvalidInputError("user_id is empty.")
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__

    def test_a_lost_response_keeps_its_cause(self) -> None:
        """The traceback shows what broke the connection."""
        broken = ConnectionResetError()
        with pytest.raises(errors.ServiceUnavailableError) as raised, airflow_errors():
            raise errors.ServiceUnavailableError("No answer.") from broken
        assert raised.value.__cause__ is broken

    @pytest.mark.parametrize("after_sending", [False, True])
    def test_what_runs_after_the_cancelling_never_says_that_nothing_was_sent(self, after_sending: bool) -> None:
        """The cancelling task before it may have sent requests."""
        with pytest.raises(AirflowFailException) as raised, airflow_errors(after_sending=after_sending):
            raise errors.InvalidInputError("events is not a list.")
        assert str(raised.value).endswith("Nothing was sent.") is not after_sending

    def test_other_errors_pass(self) -> None:
        """A bug keeps its traceback and Airflow's own way of retrying."""
        with pytest.raises(KeyError), airflow_errors():
            raise KeyError("x")


class TestRenderedArguments:
    """An argument that was given must not get lost in rendering."""

    def test_one_that_rendered_to_none_is_named(self) -> None:
        """Without its comment a meeting would be cancelled without a word."""
        task = operator(comment="{{ ti.xcom_pull('reason') }}")
        given = given_fields(task)
        task.comment = None
        with pytest.raises(errors.InvalidInputError, match=r"^comment is None"):
            check_rendered(task, given)

    def test_one_that_was_not_given_may_be_none(self) -> None:
        """Most arguments have no value in most tasks."""
        task = operator()
        assert given_fields(task) == {"event_id", "conn_id"}
        check_rendered(task, given_fields(task))


class TestLongWaits:
    """A worker slot is not held for more than a minute."""

    @pytest.mark.parametrize(("seconds", "long"), [(None, False), (0.0, False), (60.0, False), (60.5, True)])
    def test_what_is_long(self, seconds: float | None, long: bool) -> None:
        """A wait of up to a minute is not deferred."""
        assert is_long_wait(seconds) is long

    def test_the_task_resumes_at_the_time_that_graph_named(self) -> None:
        """With what the resumed task must know."""
        with pytest.raises(TaskDeferred) as deferred:
            operator()._wait_deferred(180, in_doubt=True)
        wait = deferred.value.trigger.moment - datetime.now(UTC)
        assert timedelta(seconds=179) < wait <= timedelta(seconds=180)
        assert (deferred.value.method_name, deferred.value.kwargs) == ("execute_complete", {"in_doubt": True})


class TestOptions:
    """What the hook is told."""

    @pytest.mark.parametrize("retry_for", [timedelta(minutes=2), 120, 120.0], ids=repr)
    def test_retry_for_is_seconds_or_a_timedelta(self, retry_for: timedelta | float) -> None:
        """Both forms are accepted, as elsewhere in Airflow."""
        assert operator(retry_for=retry_for)._options().backoff.retry_for == 120

    def test_a_stop_is_seen_by_a_request_that_was_already_prepared(self) -> None:
        """Airflow calls ``on_kill`` while the task runs."""
        task = operator()
        options = task._options()
        assert not options.stopped()
        task.on_kill()
        assert options.stopped()
        assert not operator()._options().stopped()


def test_the_metaclass_wraps_init_once() -> None:
    """Airflow fills in ``default_args`` where a class defines ``__init__``; the base must not look as if it did."""
    assert GraphOperator.__init__ is GraphOperator.__mro__[1].__init__  # type: ignore[misc]
