"""The same meetings as Airflow's own operator cancels them, mapped, and as ours does, in one task."""

from __future__ import annotations

from airflow.providers.microsoft.azure.operators.msgraph import MSGraphAsyncOperator
from airflow.sdk import DAG, task

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator

with DAG("mapped", schedule=None, is_paused_upon_creation=False):

    @task
    def urls(**context: object) -> list[str]:
        """Return one address an event."""
        rows = context["dag_run"].conf["rows"]  # type: ignore[attr-defined]
        return [f"users/{row['user_id']}/events/{row['event_id']}/cancel" for row in rows]

    MSGraphAsyncOperator.partial(
        task_id="cancel", conn_id="msgraph_benchmark", method="POST", data={"Comment": "Closed."}
    ).expand(url=urls())

with DAG("one_task", schedule=None, is_paused_upon_creation=False):
    GraphCancelEventsOperator(
        task_id="cancel", events="{{ dag_run.conf['rows'] | tojson }}", comment="Closed.", concurrency=400
    )
