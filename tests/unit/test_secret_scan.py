"""The scan at the end of a run finds what it looks for, and fails the run."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.support.secret_scan import leaks

ROOT = Path(__file__).parents[2]
SECRET = "sandbox-" + "secret"
CONFTEST = "from tests.conftest import pytest_configure, pytest_unconfigure"
TESTS = """
import os, pathlib

SECRET = os.environ["WRITTEN_BY_A_TEST"]

def test_home():
    home = pathlib.Path(os.environ["AIRFLOW_HOME"])
    home.mkdir()
    (home / "task.log").write_text(f"password: {SECRET}")

def test_temporary_folder(tmp_path):
    (tmp_path / "report.csv").write_text(SECRET)
"""


def test_secrets_are_found_in_logs_and_in_databases(tmp_path: Path) -> None:
    """In a text, and compressed in a column, as Airflow stores things."""
    (tmp_path / "task.log").write_text(f"password: {SECRET}")
    (tmp_path / "other.log").write_text("nothing of that kind")
    database = sqlite3.connect(tmp_path / "airflow.db")
    database.execute("create table t (value blob)")
    database.execute("insert into t values (?)", (zlib.compress(SECRET.encode() * 9),))
    database.commit()
    database.close()
    assert leaks([tmp_path]) == [str(tmp_path / "airflow.db"), str(tmp_path / "task.log")]
    # The scan at the end of this run would find them, too.
    for file in tmp_path.iterdir():
        file.unlink()


@pytest.mark.parametrize(("written", "code"), [(SECRET, 1), ("nothing of that kind", 0)], ids=["secret", "harmless"])
def test_a_run_fails_if_any_of_its_processes_writes_a_secret(tmp_path: Path, written: str, code: int) -> None:
    """Into its Airflow home or a temporary folder, although every test passes."""
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_writing.py").write_text(TESTS)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TESTS_"))}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", tmp_path,
         "--basetemp", tmp_path / "temporary", tmp_path],
        cwd=ROOT, env={**inherited, "WRITTEN_BY_A_TEST": written}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in ran.stdout
    assert ran.returncode == code
    for name in ("task.log", "report.csv"):
        assert (f"/{name}" in ran.stdout) is (code == 1)
    # The scan at the end of this run would find it, too.
    shutil.rmtree(tmp_path)
