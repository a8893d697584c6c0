"""Cancel the meetings listed in two closure feeds: one mapped task per meeting, with a comment built from its row."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

from airflow.sdk import DAG, Param, literal, task

from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator

DATA = Path(__file__).parent / "data"

with DAG(
    dag_id="cancel_from_feed",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "facilities": Param("Contoso Facilities", type="string", title="Signature of the message"),
        "feeds": Param(["closures.csv", "closures.json"], type="array", title="Feeds, in the data folder"),
    },
):
    # [START cancel_from_feed]
    @task(show_return_value_in_logs=False)
    def read_feeds(params: dict[str, list[str]]) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        for name in params["feeds"]:
            text = (DATA / name).read_text(encoding="utf-8")
            rows += json.loads(text) if name.endswith(".json") else csv.DictReader(text.splitlines())
        return rows

    # Airflow renders values passed through expand_kwargs: without literal(), a feed could run templates.
    def arguments(row: dict[str, str]) -> dict[str, object]:
        return {"event_id": literal(row["event_id"]), "user_id": literal(row["organizer"])}

    rows = read_feeds()

    GraphCancelEventOperator.partial(
        task_id="cancel",
        comment=(
            "{% set row = ti.xcom_pull(task_ids='read_feeds')[ti.map_index] %}"
            "{{ row.room }} is closed: {{ row.reason }} This meeting is cancelled.\n"
            "{{ params.facilities }}, {{ dag_run.run_after | ds }}"
        ),
        map_index_template=(
            "{% set row = ti.xcom_pull(task_ids='read_feeds')[ti.map_index] %}"
            "{{ row.room }}, {{ row.organizer.split('@')[0] }}"
        ),
        on_missing="skip",
        max_active_tis_per_dagrun=4,
        retries=3,
        retry_delay=timedelta(minutes=1),
    ).expand_kwargs(rows.map(arguments))
    # [END cancel_from_feed]
