"""When the night's figures fail their check, today's review of them is off, and everybody invited is told why."""

from __future__ import annotations

from airflow.sdk import DAG, Param, task

from airflow_graph_cancel.notifications.cancel_event import GraphCancelEventNotifier

PARAMS = {
    "event_id": Param(
        type="string",
        minLength=1,
        title="Event ID",
        description="Of today's review, in the organizer's mailbox. The ID of a series would cancel all of its dates.",
    ),
    "organizer": Param(
        type="string",
        minLength=1,
        title="Organizer",
        description="User principal name or object ID of the mailbox that holds the organizer's copy.",
    ),
    "rows": Param(
        0,
        type="integer",
        minimum=0,
        title="Rows",
        description="What the night's load brought; in a pipeline of yours a query knows. None at all fails the check.",
    ),
}

with DAG(dag_id="cancel_on_failure", schedule=None, tags=["example", "graph-calendar"], params=PARAMS):
    # [START cancel_on_failure]
    review_is_off = GraphCancelEventNotifier(
        event_id="{{ params.event_id }}",
        user_id="{{ params.organizer }}",
        comment="The figures of {{ dag_run.run_after | ds }} failed their check. The review is off today.",
    )

    @task(on_failure_callback=review_is_off)
    def check(params: dict[str, int]) -> None:
        if params["rows"] == 0:
            raise ValueError("The night's load brought nothing.")

    # [END cancel_on_failure]

    check()
