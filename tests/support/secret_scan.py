"""A pytest plugin: after the last test, look for the tests' secrets in everything that the run wrote.

Logs, XComs, reports, databases: what any of the run's processes wrote below Airflow's homes and pytest's temporary
folders. A secret in one of these files fails the run.
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

SECRETS = re.compile(
    rb"sandbox-secret|sandbox-refresh-[\w-]+|wrong-secret-value|s3cret-of-the-tests"
    # Tokens of the local Graph's login, by what the header of a JWT begins with; Airflow's own are HS512.
    rb"|eyJhbGciOiJ(?:IUzI1Ni|SUzI1Ni)[\w-]+\.[\w-]+"
)
# Written by tests on purpose, as a person or a platform would: keys, tokens, programs; and the local Graph's ready
# file, whose purpose is to tell its own secret.
BY_HAND = {".pem", ".pfx", ".py", ".pyc", ".cfg"}
BY_NAME = {"token", "ready.json"}

FOLDERS = pytest.StashKey[list[Path]]()
"""What to scan, besides pytest's temporary folders."""
_LEAKS = pytest.StashKey[list[str]]()


def written(folders: Iterable[Path]) -> Iterator[Path]:
    """Return every file below these folders that the code under test may have written."""
    for folder in folders:
        for file in folder.rglob("*"):
            if file.is_file() and not file.is_symlink() and file.suffix not in BY_HAND and file.name not in BY_NAME:
                yield file


def found(file: Path) -> set[bytes]:
    """Return the secrets in a file, also those in compressed columns of a database."""
    data = file.read_bytes()
    seen = set(SECRETS.findall(data))
    if data.startswith(b"SQLite format 3\0"):
        for value in _values(file):
            seen |= set(SECRETS.findall(value))
    return seen


def leaks(folders: Iterable[Path]) -> list[str]:
    """Return the files below these folders that hold a secret."""
    return sorted(str(file) for file in written(folders) if found(file))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Scan, in the process that controls the run, when all others have ended."""
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    temporary: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    config.stash[_LEAKS] = leaks([*config.stash.get(FOLDERS, []), temporary.getbasetemp()])
    if config.stash[_LEAKS]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the files that hold a secret."""
    if files := config.stash.get(_LEAKS, []):
        terminalreporter.section("SECRETS WERE WRITTEN", red=True, bold=True)
        for file in files:
            terminalreporter.line(f"FAILED: a secret of the tests is in {file}")


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
