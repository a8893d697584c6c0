"""The last test of a run: no secret of the tests in anything that was written: logs, XComs, reports, databases."""

from __future__ import annotations

import os
import re
import sqlite3
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SECRETS = re.compile(
    rb"sandbox-secret|sandbox-refresh-[\w-]+|wrong-secret-value|s3cret-of-the-tests"
    # Tokens of the local Graph's login, by what the header of a JWT begins with; Airflow's own are HS512.
    rb"|eyJhbGciOiJ(?:IUzI1Ni|SUzI1Ni)[\w-]+\.[\w-]+"
)
# Written by tests on purpose, as a person or a platform would: keys, tokens, programs; and the local Graph's ready
# file, whose purpose is to tell its own secret.
BY_HAND = {".pem", ".pfx", ".py", ".pyc", ".cfg"}
BY_NAME = {"token", "ready.json"}


def written(folders: Iterable[Path]) -> Iterator[Path]:
    """Every file below these folders that the code under test may have written."""
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink() and file.suffix not in BY_HAND and file.name not in BY_NAME:
                yield file


def found(file: Path) -> set[bytes]:
    """The secrets in a file, also in compressed columns of a database."""
    data = file.read_bytes()
    seen = set(SECRETS.findall(data))
    if data.startswith(b"SQLite format 3\0"):
        for value in _values(file):
            seen |= set(SECRETS.findall(value))
    return seen


def _values(database: Path) -> Iterator[bytes]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        for (table,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            for row in connection.execute(f'select * from "{table}"'):
                for value in row:
                    data = value.encode() if isinstance(value, str) else value
                    if isinstance(data, bytes):
                        yield data
                        if data[:1] == b"\x78":
                            try:
                                yield zlib.decompress(data)
                            except zlib.error:
                                continue
    finally:
        connection.close()


def test_the_scan_would_find_one(tmp_path: Path) -> None:
    """In a log, and in a database in the form in which Airflow stores things."""
    (tmp_path / "task.log").write_text("password: sandbox-secret")
    database = sqlite3.connect(tmp_path / "airflow.db")
    database.execute("create table t (value blob)")
    database.execute("insert into t values (?)", (zlib.compress(b"sandbox-secret" * 9),))
    database.commit()
    database.close()
    assert [file.name for file in sorted(written([tmp_path])) if found(file)] == ["airflow.db", "task.log"]
    # It lies below the folder that is scanned at the end.
    for file in tmp_path.iterdir():
        file.unlink()


@pytest.mark.last
def test_no_secret_is_in_anything_written(tmp_path_factory: pytest.TempPathFactory) -> None:
    """During the whole run of the tests, wherever it went."""
    leaks = {
        str(file): sorted(secrets)
        for file in written([Path(os.environ["AIRFLOW_HOME"]), tmp_path_factory.getbasetemp()])
        if (secrets := found(file))
    }
    assert list(leaks) == []
