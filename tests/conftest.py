"""A real Airflow (one metadata database for all tests) and a local Graph over TLS."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.models.dagrun import DagRun
    from airflow.sdk import DAG

    from airflow_graph_cancel.sandbox.client import Sandbox

# Airflow reads its settings when it is imported, so they stand before any import of it.
ROOT = Path(__file__).parents[1]
HOME = Path(tempfile.mkdtemp(prefix="airflow-home-"))
DAGS = HOME / "dags"
DAGS.mkdir()
for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(DAGS),
    AIRFLOW__CORE__TEST_CONNECTION="Enabled",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
    AIRFLOW__API_AUTH__JWT_SECRET="a-secret-of-the-tests-that-is-long-enough-for-hs512-" * 2,
)


# A shared machine's pauses are not the code's.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what looks at all that was written behind whatever writes."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def pytest_sessionfinish() -> None:
    """Remove Airflow's home."""
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's metadata database, made once."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """One local Graph for all tests."""
    from airflow_graph_cancel.sandbox.client import Sandbox

    with Sandbox.start(tenant="empty", managed_identity_port=0) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """An empty local Graph, and Airflow's default connection to it."""
    sandbox_process.reset()
    connection = json.dumps(sandbox_process.connection)
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", connection)
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_PERSON", json.dumps(sandbox_process.connection_person))
    return sandbox_process


@pytest.fixture
def event_id(sandbox: Sandbox) -> str:
    """A meeting of Ada with Ben, in Ada's mailbox."""
    ada, ben = "ada@contoso.example", "ben@contoso.example"
    for address in (ada, ben):
        sandbox.add_mailbox(address)
    when = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}
    return str(sandbox.create_event(organizer=ada, subject="Planning", attendees=[ben], **when)["copies"][ada])


@pytest.fixture
def run_dag(airflow_db: None) -> Callable[..., DagRun]:
    """Run a DAG to its end under a real Airflow, in this process."""

    def run(dag: DAG, **conf: object) -> DagRun:
        from airflow.dag_processing.bundles.manager import DagBundlesManager
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

        DagBundlesManager().sync_bundles_to_db()
        bag = DagBag(dag_folder=os.devnull, bundle_name="dags-folder", bundle_path=DAGS)
        file = DAGS / f"{dag.dag_id}.txt"
        file.write_text("Made by a test.")
        dag.fileloc, dag.relative_fileloc = str(file), file.name
        bag.bag_dag(dag)
        sync_bag_to_db(bag, "dags-folder", None)
        return dag.test(run_conf=conf or None)

    return run
