"""Cancel one meeting by hand: the trigger form in Airflow's UI asks for the event and the comment."""

from __future__ import annotations

from airflow.sdk import DAG, Param

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator

with DAG(
    dag_id="cancel_one_meeting",
    schedule=None,
    tags=["example", "graph-calendar"],
    render_template_as_native_obj=False,
    params={
        "event_id": Param(
            type="string",
            minLength=1,
            title="Event ID",
            description="From the organizer's mailbox. An occurrence's ID cancels one date, a master's the series.",
        ),
        "organizer": Param(
            type="string",
            minLength=1,
            title="Organizer",
            description="User principal name or object ID of the mailbox that holds the organizer's copy.",
        ),
        "comment": Param(
            "This meeting has been cancelled.",
            type="string",
            format="multiline",
            title="Comment",
            description="Every attendee reads it. It cannot be recalled.",
        ),
    },
):
    # [START cancel_one_meeting]
    GraphCancelEventOperator(
        task_id="cancel",
        event_id="{{ params.event_id }}",
        user_id="{{ params.organizer }}",
        comment="{{ params.comment }}",
        retries=3,
    )
    # [END cancel_one_meeting]
