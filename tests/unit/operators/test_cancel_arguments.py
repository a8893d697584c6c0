"""Wrong arguments of the operator are refused when the DAG is parsed, and the user's own policies are kept."""

from __future__ import annotations

import pytest
from airflow.sdk import DAG

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator


def test_a_switch_that_is_no_bool_is_refused() -> None:
    """The text "false" of a feed would switch the preview on."""
    with pytest.raises(ValueError, match="preview"):
        GraphCancelEventOperator(task_id="a", event_id="E", preview="false")  # type: ignore[arg-type]


def test_the_users_own_retry_policy_wins() -> None:
    """Ours is a default; an explicit one, also from default_args, and None are kept."""
    from airflow.sdk import ExceptionRetryPolicy

    from airflow_graph_cancel.retry import GraphRetryPolicy

    own = ExceptionRetryPolicy([])
    with DAG("policies", schedule=None, default_args={"retry_policy": own}):
        assert GraphCancelEventOperator(task_id="a", event_id="E").retry_policy is own
    with DAG("policies2", schedule=None):
        assert isinstance(GraphCancelEventOperator(task_id="a", event_id="E").retry_policy, GraphRetryPolicy)
        assert GraphCancelEventOperator(task_id="b", event_id="E", retry_policy=own).retry_policy is own
        assert GraphCancelEventOperator(task_id="c", event_id="E", retry_policy=None).retry_policy is None


@pytest.mark.parametrize("argument", ["on_missing", "on_not_organizer"])
def test_a_misspelt_policy_is_found_when_the_dag_is_parsed(argument: str) -> None:
    """Not on the night of the closure."""
    with pytest.raises(ValueError, match=argument):
        GraphCancelEventOperator(task_id="a", event_id="E", **{argument: "ignore"})  # type: ignore[arg-type]
