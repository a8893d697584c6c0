"""Cancel the meetings in closed buildings: find, approve, cancel, wait, report.

The feeds are CSV and JSON files with one closure per row: building, from and to in the building's local time, time
zone, reason and reopening. Each closure gets its own branch, with its own approval and report.
"""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, Param, task, task_group

from airflow_graph_cancel.task_groups import cancel_with_approval

FEEDS = os.environ.get("CLOSURE_FEEDS", str(Path(__file__).parent / "data" / "facilities"))
REPORTS = os.environ.get("CLOSURE_REPORTS", "/tmp/facility_closure")

with DAG(
    dag_id="facility_closure",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "feeds": Param(FEEDS, type="string", title="Folder with the feeds"),
        "facilities": Param("Contoso Facilities", type="string", title="Signature of the message"),
    },
):
    # [START facility_feed]
    def day(text: str) -> str:
        return datetime.fromisoformat(text).strftime("%A %d %B, %H:%M")

    @task(show_return_value_in_logs=False)
    def read_feeds(params: dict[str, str]) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for feed in sorted(Path(params["feeds"]).iterdir()):
            text = feed.read_text(encoding="utf-8")
            rows += json.loads(text) if feed.suffix == ".json" else csv.DictReader(text.splitlines())
        return [
            {
                "building": row["building"],
                "start": row["from"],
                "end": row["to"],
                "timezone": row["timezone"],
                "title": f"{row['building']} closed from {day(row['from'])} to {day(row['to'])}",
                "comment": (
                    f"{row['building']} is closed from {day(row['from'])} to {day(row['to'])} ({row['timezone']} "
                    f"time): {row['reason']} This meeting is cancelled. The building opens again on "
                    f"{day(row['reopening'])}.\n{params['facilities']}"
                ),
            }
            for row in rows
        ]

    # [END facility_feed]

    # [START facility_closure]
    @task_group
    def closure(building: str, start: str, end: str, timezone: str, title: str, comment: str) -> None:
        cancel_with_approval(
            building=building,
            start=start,
            end=end,
            timezone=timezone,
            title=title,
            comment=comment,
            response_timeout=timedelta(hours=12),
            max_meetings=500,
            report_folder=REPORTS,
            group_id=None,
        )

    closure.expand_kwargs(read_feeds())
    # [END facility_closure]
