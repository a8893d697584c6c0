"""Cancel all meetings that somebody who leaves has planned for the time after: whole series, since nobody holds them.

Run it while the mailbox is still there. Meetings that others organize are not touched.
"""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG, Param

from airflow_graph_cancel.task_groups import cancel_with_approval

with DAG(
    dag_id="offboarding",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "leaver": Param(type="string", minLength=3, title="Mailbox of the person who leaves"),
        "name": Param(type="string", minLength=1, title="Name, as the message says it"),
        "first_day": Param(type="string", format="date", title="First day on which they are not here"),
        "timezone": Param("Europe/London", type="string", title="Time zone in which that day begins"),
        "contact": Param(type="string", minLength=1, title="Whom to ask instead"),
        "keep": Param([], type="array", title="Subjects that stay, such as *handover*"),
    },
):
    # [START offboarding]
    cancel_with_approval(
        organizers="{{ params.leaver }}",
        start="{{ params.first_day }}",
        end="{{ macros.ds_add(params.first_day, 365) }}",
        timezone="{{ params.timezone }}",
        scope="series",
        max_days=366,
        keep="{{ params.keep }}",
        title="{{ params.name }} leaves: meetings from {{ params.first_day }} on",
        comment="{{ params.name }} has left us, and this meeting with them. Please turn to {{ params.contact }}.",
        response_timeout=timedelta(hours=20),
        report_folder=os.environ.get("OFFBOARDING_REPORTS", "/tmp/offboarding"),
    )
    # [END offboarding]
