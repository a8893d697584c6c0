"""Cancel trainings: all of a trainer's trainings while they are ill, or a single one. The trigger form asks which."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG, Param, task

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator
from airflow_graph_cancel.task_groups import cancel_with_approval

with DAG(
    dag_id="training_cancelled",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "trainer": Param(type="string", minLength=3, title="Mailbox of the trainer (the organizer)"),
        "first_day": Param(None, type=["null", "string"], format="date", title="First day of absence"),
        "last_day": Param(None, type=["null", "string"], format="date", title="Last day of absence"),
        "timezone": Param("Europe/London", type="string", title="Time zone of these days"),
        "event_id": Param(None, type=["null", "string"], title="Or the event ID of a single training"),
        "comment": Param(
            "The trainer is ill. We are sorry and will send you a new date.",
            type="string",
            format="multiline",
            title="Message",
        ),
    },
):
    # [START training_cancelled]
    @task.branch
    def which(params: dict[str, str]) -> str:
        return "one_training" if params["event_id"] else "trainer_is_ill.find"

    one = GraphCancelEventOperator(
        task_id="one_training",
        event_id="{{ params.event_id }}",
        user_id="{{ params.trainer }}",
        comment="{{ params.comment }}",
        retries=3,
    )
    many = cancel_with_approval(
        group_id="trainer_is_ill",
        organizers="{{ params.trainer }}",
        start="{{ params.first_day }}",
        end="{{ macros.ds_add(params.last_day, 1) }}",
        timezone="{{ params.timezone }}",
        # The approver needs the subjects to tell trainings from other meetings, and to exclude those.
        with_subjects=True,
        title="Trainings of {{ params.trainer }}, {{ params.first_day }} to {{ params.last_day }}",
        comment="{{ params.comment }}",
        response_timeout=timedelta(hours=4),
        report_folder=os.environ.get("TRAINING_REPORTS", "/tmp/training_cancelled"),
    )
    which() >> [one, many.find]
    # [END training_cancelled]
