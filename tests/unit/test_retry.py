"""Airflow tries again when that can help, and when the service said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk.definitions.retry_policy import RetryAction

from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    EventMissingError,
    GraphCancelError,
    InvalidInputError,
    InvalidRequestError,
    MailboxUnavailableError,
    NotOrganizerError,
    ServiceUnavailableError,
    StoppedError,
    ThrottledError,
)
from airflow_graph_cancel.retry import GraphRetryPolicy


def decide(error: BaseException) -> tuple[RetryAction, timedelta | None]:
    """What the policy makes of an error on the first of four tries."""
    decision = GraphRetryPolicy().evaluate(error, 1, 4)
    return decision.action, decision.retry_delay


@pytest.mark.parametrize("kind", [ThrottledError, ServiceUnavailableError])
def test_the_services_own_delay_is_obeyed(kind: type[GraphCancelError]) -> None:
    """Coming back before Retry-After counts against the app."""
    assert decide(kind("later", retry_after=90)) == (RetryAction.RETRY, timedelta(seconds=90))


def test_without_a_delay_the_tasks_own_counts() -> None:
    """No delay named leaves retry_delay and its back-off to the task."""
    assert decide(ServiceUnavailableError("later")) == (RetryAction.RETRY, None)


@pytest.mark.parametrize(
    "kind",
    [
        AccessDeniedError,
        EventMissingError,
        InvalidInputError,
        InvalidRequestError,
        MailboxUnavailableError,
        NotOrganizerError,
    ],
)
def test_a_refusal_is_not_repeated(kind: type[GraphCancelError]) -> None:
    """In a @task too, where nothing turns the error into AirflowFailException."""
    assert decide(kind("no"))[0] is RetryAction.FAIL


@pytest.mark.parametrize("error", [StoppedError("stop"), ValueError("a bug of the DAG")], ids=repr)
def test_everything_else_is_left_to_airflow(error: Exception) -> None:
    """A worker that is shut down is not the service's fault, and other errors are not ours to judge."""
    assert decide(error)[0] is RetryAction.DEFAULT


def test_the_policy_reads_well_in_help() -> None:
    """It is a default of the operators' signatures, which must not show an address in memory."""
    assert repr(GraphRetryPolicy()) == "GraphRetryPolicy()"
