"""A real Airflow: one metadata database for all DAG runs of this process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.airflow_db import make_airflow_db

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's metadata database, in the home of this process."""
    make_airflow_db(Path(os.environ["AIRFLOW_HOME"]))


@pytest.fixture
def run_dag(airflow_db: None) -> Callable[..., DagRun]:
    """Run a DAG to its end under a real Airflow, in this process."""

    def run(dag: DAG, **conf: object) -> DagRun:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

        dags = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
        dags.mkdir(exist_ok=True)
        DagBundlesManager().sync_bundles_to_db()
        bag = DagBag(dag_folder=os.devnull, bundle_name="dags-folder", bundle_path=dags)
        file = dags / f"{dag.dag_id}.txt"
        file.write_text("Made by a test.")
        dag.fileloc, dag.relative_fileloc = str(file), file.name
        bag.bag_dag(dag)
        sync_bag_to_db(bag, "dags-folder", None)
        return dag.test(run_conf=conf or None)

    return run
