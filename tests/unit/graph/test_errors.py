"""The tree of errors and the outcomes: what may be retried, what passes, what is said."""

from __future__ import annotations

import pytest

from airflow_graph_cancel.graph import errors
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    ConnectionSettingsError,
    GraphCancelError,
    InvalidInputError,
    RefusedError,
    ServiceUnavailableError,
    StoppedError,
    TryLaterError,
)
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

TREE = [getattr(errors, name) for name in errors.__all__]
LEAVES = [kind for kind in TREE if kind not in {GraphCancelError, RefusedError, TryLaterError}]


@pytest.mark.parametrize("kind", LEAVES)
def test_each_error_stands_for_an_outcome(kind: type[GraphCancelError]) -> None:
    """A report needs no second look at status codes."""
    assert isinstance(kind.outcome, Outcome)
    assert not kind.outcome.passes


@pytest.mark.parametrize("kind", LEAVES)
def test_only_try_later_is_worth_another_try(kind: type[GraphCancelError]) -> None:
    """A refusal settles the event; a stop does not, and the task may run again."""
    later = issubclass(kind, TryLaterError | StoppedError)
    assert kind.outcome.is_settled is not later
    assert issubclass(kind, RefusedError | InvalidInputError) is not later


def test_nothing_was_sent_is_said_where_it_is_certain() -> None:
    """Invalid input is refused before any request; for other errors only the caller knows."""
    assert str(ConnectionSettingsError("Tenant is missing.")) == "Tenant is missing. Nothing was sent."
    assert str(ServiceUnavailableError("Graph is down.")) == "Graph is down."
    assert str(ServiceUnavailableError("Graph is down.", nothing_sent=True)) == "Graph is down. Nothing was sent."
    assert str(InvalidInputError("Four were sent.", nothing_sent=False)) == "Four were sent."
    assert ServiceUnavailableError("x").nothing_sent is False


def test_a_refusal_in_doubt_says_so() -> None:
    """A later refusal does not hide a request that may have told people; an error that allows a retry adds nothing."""
    error = AccessDeniedError("Denied.", in_doubt=True)
    assert str(error) == "Denied. An earlier request may have taken effect; people may have been told."
    error.in_doubt = False
    assert str(error) == "Denied."
    assert str(ServiceUnavailableError("Down.", in_doubt=True)) == "Down."


def test_an_error_carries_what_is_known_and_no_more() -> None:
    """All of it is optional; none of it is in the text."""
    error = ServiceUnavailableError(
        "Down.", status=503, code="UnknownError", request_id="r", retry_after=7, attempts=2, in_doubt=True
    )
    assert (error.message, error.status, error.code, error.request_id) == ("Down.", 503, "UnknownError", "r")
    assert (error.retry_after, error.attempts, error.in_doubt, error.mailbox) == (7, 2, True, None)
    bare = ServiceUnavailableError("Down.")
    assert (bare.status, bare.code, bare.request_id, bare.retry_after) == (None, None, None, None)
    assert (bare.attempts, bare.in_doubt, str(bare)) == (0, False, "Down.")


CANCELLED = {Outcome.CANCELLED, Outcome.ALREADY_CANCELLED}


@pytest.mark.parametrize("outcome", Outcome)
def test_what_an_outcome_implies(outcome: Outcome) -> None:
    """Reports, operators and journals all ask here."""
    assert outcome.is_cancelled == (outcome in CANCELLED)
    assert outcome.is_settled == (outcome not in {Outcome.THROTTLED, Outcome.UNAVAILABLE})
    assert outcome.passes == (outcome in CANCELLED | {Outcome.PREVIEW, Outcome.CHANGED})


def test_a_result_as_a_row_is_plain_json() -> None:
    """XCom, reports and journals take no enumerations; the keys are part of the contract."""
    row = CancelResult(
        "AAMk", "ada@contoso.example", Outcome.CANCELLED, "Accepted.", "r", 1, "2030-01-01T00:00:00+00:00"
    )
    assert row.as_row() == {
        "event_id": "AAMk",
        "mailbox": "ada@contoso.example",
        "outcome": "cancelled",
        "request_id": "r",
        "attempts": 1,
        "at": "2030-01-01T00:00:00+00:00",
        "message": "Accepted.",
    }
    assert type(row.as_row()["outcome"]) is str
    assert CancelResult("AAMk", "me", Outcome.PREVIEW, "").at.endswith("+00:00")
