"""Cancel the meetings in a closed building as soon as the facility system announces the closure.

The announcement is an asset event with the closure as its extra. One request creates it:

    POST /api/v2/assets/events
    {"asset_id": 1, "extra": {"building": "North Tower", "from": "2026-12-09T18:00", "to": "2026-12-11T07:00",
     "timezone": "Europe/London", "reason": "a water main has burst.", "reopening": "Friday morning"}}
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import DAG, Asset, task, task_group

from airflow_graph_cancel.task_groups import cancel_with_approval

if TYPE_CHECKING:
    from airflow.sdk.execution_time.context import TriggeringAssetEventsAccessor

REPORTS = os.environ.get("CLOSURE_REPORTS", "/tmp/facility_closure")
CLOSURES = Asset("facility_closures", uri="x-facilities://closures")

with DAG(dag_id="facility_closure_on_asset", schedule=CLOSURES, tags=["example", "graph-calendar"]):
    # [START facility_closure_on_asset]
    @task(show_return_value_in_logs=False)
    def announced(triggering_asset_events: TriggeringAssetEventsAccessor) -> list[dict[str, str]]:
        closures = [event.extra for event in triggering_asset_events[CLOSURES]]
        return [
            {
                "building": closure["building"],
                "start": closure["from"],
                "end": closure["to"],
                "timezone": closure["timezone"],
                "comment": f"{closure['building']} is closed: {closure['reason']} It reopens {closure['reopening']}.",
            }
            for closure in closures
        ]

    @task_group
    def closure(building: str, start: str, end: str, timezone: str, comment: str) -> None:
        cancel_with_approval(
            building=building,
            start=start,
            end=end,
            timezone=timezone,
            comment=comment,
            title=building,
            response_timeout=timedelta(hours=2),
            report_folder=REPORTS,
            group_id=None,
        )

    closure.expand_kwargs(announced())
    # [END facility_closure_on_asset]
