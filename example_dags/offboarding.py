"""Cancel the meetings that a leaver organizes after their last day, with their whole series.

Run it while the mailbox still exists. Meetings that others organize are not touched.
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
        "leaver": Param(type="string", minLength=3, title="Mailbox of the leaver"),
        "name": Param(type="string", minLength=1, title="Name to use in the message"),
        "first_day": Param(type="string", format="date", title="First day after they have left"),
        "timezone": Param("Europe/London", type="string", title="Time zone of that day"),
        "contact": Param(type="string", minLength=1, title="Contact for questions"),
        "keep": Param([], type="array", title="Subjects to keep, such as *handover*"),
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
        title="{{ params.name }} is leaving: meetings from {{ params.first_day }}",
        comment="{{ params.name }} has left. This meeting is cancelled. Questions? Please ask {{ params.contact }}.",
        response_timeout=timedelta(hours=20),
        report_folder=os.environ.get("OFFBOARDING_REPORTS", "/tmp/offboarding"),
    )
    # [END offboarding]
