"""Run an operator in this process, without a DAG run."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.bases.operator import BaseAsyncOperator

    from tests.support.task_state import TaskStateStore


def context_with(store: TaskStateStore | None = None, **more: object) -> Context:
    """Return a task's context that holds nothing but this."""
    return cast("Context", {**({} if store is None else {"task_state_store": store}), **more})


def run_operator(operator: BaseAsyncOperator, store: TaskStateStore | None = None) -> Any:
    """Run an async operator to its end and return what the task would."""
    return asyncio.run(operator.aexecute(context_with(store)))


def cancel_events(events: object, store: TaskStateStore | None = None, **arguments: Any) -> dict[str, Any]:
    """Cancel many events and return what the task would; without a store if none is given."""
    operator = GraphCancelEventsOperator(task_id="cancel", events=events, **{"comment": "Closed.", **arguments})
    return dict(run_operator(operator, store))
