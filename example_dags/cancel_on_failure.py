"""Cancel today's review meeting when the nightly data check fails, and tell the attendees why."""

from __future__ import annotations

from airflow.sdk import DAG, Param, task

from airflow_graph_cancel.notifications.cancel_event import GraphCancelEventNotifier

PARAMS = {
    "event_id": Param(
        type="string",
        minLength=1,
        title="Event ID",
        description="Today's review in the organizer's mailbox. A series master's ID would cancel the whole series.",
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
        description="Rows loaded last night. Your pipeline would query this. 0 fails the check.",
    ),
}

with DAG(dag_id="cancel_on_failure", schedule=None, tags=["example", "graph-calendar"], params=PARAMS):
    # [START cancel_on_failure]
    review_is_off = GraphCancelEventNotifier(
        event_id="{{ params.event_id }}",
        user_id="{{ params.organizer }}",
        comment="The figures for {{ dag_run.run_after | ds }} failed their check. Today's review is cancelled.",
    )

    @task(on_failure_callback=review_is_off)
    def check(params: dict[str, int]) -> None:
        if params["rows"] == 0:
            raise ValueError("Last night's load produced no rows.")

    # [END cancel_on_failure]

    check()
