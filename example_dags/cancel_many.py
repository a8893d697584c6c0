"""Cancel all meetings listed in two closure feeds in one task, with limits and a report."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from airflow.sdk import DAG, Param, task

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator

DATA = Path(__file__).parent / "data"

with DAG(
    dag_id="cancel_many",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "feeds": Param(["closures.csv", "closures.json"], type="array", title="Feeds, in the data folder"),
        "reports": Param(
            "/tmp/cancel_many", type="string", title="Folder for reports: a local path, s3://..., abfs://..."
        ),
    },
):

    @task(show_return_value_in_logs=False)
    def find_events(params: dict[str, list[str]]) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for name in params["feeds"]:
            text = (DATA / name).read_text(encoding="utf-8")
            rows += json.loads(text) if name.endswith(".json") else csv.DictReader(text.splitlines())
        return [
            {
                "event_id": row["event_id"],
                "user_id": row["organizer"],
                "comment": f"{row['room']} is closed: {row['reason']} This meeting is cancelled.",
            }
            for row in rows
        ]

    # [START cancel_many]
    GraphCancelEventsOperator(
        task_id="cancel",
        events=find_events(),
        max_meetings=500,
        max_people=5_000,
        report_path="{{ params.reports }}/{{ run_id }}.jsonl",
        on_missing="succeed",
        retries=3,
    )
    # [END cancel_many]
