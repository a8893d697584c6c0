"""Run one example DAG to its end in this process and write what its cancelling tasks returned."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import conf

dag_id, rows_file = sys.argv[1:]
bag = DagBag(dag_folder=conf.get("core", "dags_folder"))
if bag.import_errors:
    sys.exit(f"The DAG files do not load: {bag.import_errors}")
run = bag.dags[dag_id].test()
if run is None or str(run.state) != "success":
    sys.exit(f"{dag_id} ended as {run and run.state}")
rows = [
    task.xcom_pull(task_ids="cancel", map_indexes=task.map_index)
    for task in run.get_task_instances()
    if task.task_id == "cancel" and str(task.state) == "success"
]
Path(rows_file).write_text(json.dumps(rows), encoding="utf-8")
