"""The Microsoft provider's own operator works against the local Graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pendulum
from airflow.sdk import DAG

from tests.support.connections import set_connection
from tests.support.contoso import ADA

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

JANUARY = {"startDateTime": "2035-01-01T00:00:00Z", "endDateTime": "2035-02-01T00:00:00Z", "$select": "id"}


def test_the_stock_operator_reads_a_view(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, run_dag: Callable[..., DagRun]
) -> None:
    """MSGraphAsyncOperator gets its token and its data from the local Graph, in a DAG run."""
    from airflow.providers.microsoft.azure.operators.msgraph import MSGraphAsyncOperator

    extra = {"base_url": f"{sandbox.url}/v1.0"}
    conn_id = set_connection(monkeypatch, sandbox, "stock_operator", conn_type="msgraph", extra=extra)
    sandbox.add_mailbox(ADA)
    with DAG("stock_operator_reads", schedule=None, start_date=pendulum.datetime(2025, 1, 1)) as dag:
        MSGraphAsyncOperator(task_id="read", conn_id=conn_id, url=f"users/{ADA}/calendarView", query_parameters=JANUARY)
    assert run_dag(dag).state == "success"
    (request,) = sandbox.requests()
    assert (request["status"], request["mailbox"], request["app"]) == (200, ADA, "sandbox-app")
