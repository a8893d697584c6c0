"""Airflow's settings, and a local Graph over TLS for the tests that ask for one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support import secret_scan
from tests.support.connections import set_connection
from tests.support.contoso import ADA, BEN, fill_tower, meet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_graph_cancel.sandbox.client import Sandbox

# What all processes of a run write is in one folder. The first of them controls the others, and makes and removes it.
CONTROLS = "TESTS_RUN_FOLDER" not in os.environ
if CONTROLS:
    os.environ["TESTS_RUN_FOLDER"] = tempfile.mkdtemp(prefix="airflow-graph-cancel-")
RUN = Path(os.environ["TESTS_RUN_FOLDER"])
# Airflow reads its settings when it is imported, and writes them into its home: they stand before any import of it.
HOME = RUN / os.environ.get("PYTEST_XDIST_WORKER", "controller")
for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
    os.environ.pop(name, None)
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(HOME / "dags"),
    AIRFLOW__CORE__TEST_CONNECTION="Enabled",
    AIRFLOW__LOGGING__LOGGING_LEVEL="INFO",
    AIRFLOW__API_AUTH__JWT_SECRET="a-secret-of-the-tests-that-is-long-enough-for-hs512-" * 2,
)

GROUPS = (
    "tests/airflow/real/",
    "tests/airflow/test_demonstration.py",
    "tests/browser/test_approval.py",
    "tests/browser/test_connection_form.py",
)
"""Where the tests are that must run in one process; each group starts an Airflow."""

# A shared machine's pauses are not the code's.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


def pytest_configure(config: pytest.Config) -> None:
    """Have everything that the run writes scanned for secrets."""
    config.stash[secret_scan.FOLDERS] = [RUN]
    config.pluginmanager.register(secret_scan)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object | None:
    """Run the tests of one group in one process, because they share an Airflow, a folder or a browser."""
    if config.getoption("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]
        # By path, because pytest-xdist's own marker has no effect since pytest 9.2: it sets an attribute of a test that
        # pytest no longer reads.
        def _split_scope(self, nodeid: str) -> str:
            return next((group for group in GROUPS if nodeid.startswith(group)), nodeid)

    return ByGroup(config, log)


def pytest_unconfigure() -> None:
    """Remove Airflow's homes."""
    if CONTROLS:
        shutil.rmtree(RUN, ignore_errors=True)


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
    set_connection(monkeypatch, sandbox_process)
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_PERSON", json.dumps(sandbox_process.connection_person))
    return sandbox_process


@pytest.fixture
def event_id(sandbox: Sandbox) -> str:
    """A meeting of Ada with Ben, in Ada's mailbox."""
    sandbox.add_mailboxes([{"address": ADA}, {"address": BEN}])
    return meet(sandbox, subject="Planning")


@pytest.fixture
def tower(sandbox: Sandbox) -> Sandbox:
    """A local Graph with three people, two rooms in North Tower and one in Harbour House."""
    fill_tower(sandbox)
    return sandbox


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was logged since the last call; Airflow writes it to standard output."""
    return lambda: "".join(capsys.readouterr())
