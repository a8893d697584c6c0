"""Check the app's permissions: the mailboxes it needs, and mailboxes that must be out of its scope."""

from __future__ import annotations

from airflow.sdk import DAG, Param, task
from airflow.sdk.exceptions import AirflowFailException

with DAG(
    dag_id="check_access",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "mailboxes": Param([], type="array", title="Mailboxes the app needs"),
        "must_not_reach": Param([], type="array", title="Mailboxes it must not reach"),
    },
):
    # [START check_access]
    @task
    async def check_access(params: dict[str, list[str]]) -> dict[str, object]:
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook

        report = await GraphEventHook().check_access(params["mailboxes"], must_not_reach=params["must_not_reach"])
        if report.reached_wrongly:
            raise AirflowFailException(
                f"The app can read mailboxes it must not reach: {', '.join(report.reached_wrongly)}"
            )
        return report.as_dict()

    # [END check_access]

    check_access()
