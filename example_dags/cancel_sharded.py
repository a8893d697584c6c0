"""Spread thousands of cancellations over several workers, with no mailbox shared between mapped tasks."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from airflow.sdk import DAG, Param, task

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.sharding import shard_by_mailbox

DATA = Path(__file__).parent / "data"

with DAG(
    dag_id="cancel_sharded",
    schedule=None,
    tags=["example", "graph-calendar"],
    params={
        "feeds": Param(["closures.csv", "closures.json"], type="array", title="Feeds, in the data folder"),
        "shards": Param(2, type="integer", minimum=1, title="Number of tasks"),
    },
):
    # [START cancel_sharded]
    @task(show_return_value_in_logs=False)
    def shards(params: dict[str, object]) -> list[list[dict[str, str]]]:
        rows: list[dict[str, str]] = []
        for name in params["feeds"]:
            text = (DATA / name).read_text(encoding="utf-8")
            rows += json.loads(text) if name.endswith(".json") else csv.DictReader(text.splitlines())
        events = [{"event_id": row["event_id"], "user_id": row["organizer"]} for row in rows]
        return shard_by_mailbox(events, int(str(params["shards"])))

    GraphCancelEventsOperator.partial(
        task_id="cancel",
        comment="The building is closed. This meeting is cancelled.",
        max_meetings=1_000,
        on_missing="skip",
        retries=3,
        # Use one pool for all DAGs that cancel: its slots times `concurrency` limit the app's requests in flight.
        pool="default_pool",
        concurrency=32,
    ).expand(events=shards())
    # [END cancel_sharded]
