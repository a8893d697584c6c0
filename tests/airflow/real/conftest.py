"""One Airflow of several processes for the tests in this folder, with a local Graph for each of its two files."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import real_airflow

from airflow_graph_cancel.sandbox.client import Sandbox
from tests.support.airflow_db import make_airflow_db
from tests.support.closure_tenant import write_feeds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rest import Airflow

DAGS = Path(__file__).with_name("dags")
EXAMPLES = Path(__file__).parents[3] / "example_dags"


@dataclass(frozen=True, slots=True)
class RealAirflow:
    """Scheduler, LocalExecutor, triggerer, DAG processor and API server.

    :param office: the local Graph of the default connection, which the examples use.
    :param watched: the local Graph of the connection ``watched``.
    :param reports: the folder of the examples' reports.
    :param processes: the folder in which a watched task leaves the id of its process.
    """

    airflow: Airflow
    office: Sandbox
    watched: Sandbox
    reports: Path
    processes: Path


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAirflow]:
    """A real Airflow that has the examples and the DAGs of this folder."""
    folder = tmp_path_factory.mktemp("real-airflow")
    write_feeds(folder / "feeds")
    dags = folder / "dags"
    shutil.copytree(EXAMPLES, dags, ignore=shutil.ignore_patterns("_demo", "__pycache__"))
    shutil.copytree(DAGS, dags, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    reports, processes = folder / "reports", folder / "processes"
    processes.mkdir()
    make_airflow_db(folder / "airflow")
    with Sandbox.start() as office, Sandbox.start() as watched:
        variables: dict[str, Any] = {
            "CLOSURE_FEEDS": str(folder / "feeds"),
            **dict.fromkeys(("CLOSURE_REPORTS", "OFFBOARDING_REPORTS", "TRAINING_REPORTS"), str(reports)),
            "TASK_PROCESSES": str(processes),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW_CONN_WATCHED": json.dumps(watched.connection),
        }
        with real_airflow.running(folder, office, **variables) as airflow:
            yield RealAirflow(airflow, office, watched, reports, processes)
