"""A separate Airflow home for the demonstration: SQLite, the example DAGs, and a connection to the local Graph."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

ROOT = Path(__file__).parents[2]
# The shell's CA settings do not apply to the local Graph, and byte-compiled modules halve start-up time.
_FOREIGN = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PYTHONDONTWRITEBYTECODE")


def environment(home: Path, sandbox: Sandbox, **more: str) -> dict[str, str]:
    """Return the environment of every Airflow process.

    :param home: becomes AIRFLOW_HOME; created if missing.
    :param sandbox: the local Graph that ``graph_calendar_default`` connects to.
    :param more: additional variables.
    """
    home.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return {
        **kept,
        # "airflow standalone" starts its components with the command "airflow".
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "example_dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        # SQLite allows one writer at a time.
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT": json.dumps(sandbox.connection),
        **more,
    }


def migrate(env: dict[str, str], log: Path) -> None:
    """Create the metadata database.

    :param log: file to append Airflow's output to.
    :raises subprocess.CalledProcessError: if the migration fails.
    """
    with log.open("a") as output:
        subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"], env=env, stdout=output, stderr=output, check=True
        )
