"""Airflow's metadata database: migrated once in a run, and copied for every Airflow that needs one."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "airflow.db"


def make_airflow_db(home: Path) -> None:
    """Put a metadata database into an Airflow home that has none."""
    run = Path(os.environ["TESTS_RUN_FOLDER"])
    made, template = run / NAME, run / "template"
    with (run / "airflow.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            subprocess.run(
                [sys.executable, "-m", "airflow", "db", "migrate"],
                env={**os.environ, "AIRFLOW_HOME": str(template)}, check=True, capture_output=True,
            )  # fmt: skip
            (template / NAME).replace(made)
    home.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, home / NAME)
