"""A closure whose approval nobody answers."""

from __future__ import annotations

import os
from datetime import timedelta

from airflow.sdk import DAG

from airflow_graph_cancel.task_groups import cancel_with_approval

with DAG("unanswered", schedule=None):
    cancel_with_approval(
        building="Bay House",
        start="2030-01-08T00:00:00Z",
        end="2030-01-09T00:00:00Z",
        response_timeout=timedelta(seconds=3),
        report_folder=os.environ["CLOSURE_REPORTS"],
    )
