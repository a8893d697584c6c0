"""``python -m airflow_graph_cancel.login``: a person signs in once, and the connection that comes of it works."""

from __future__ import annotations

import asyncio
import json
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from airflow_graph_cancel.hooks.graph_event import GraphEventHook
from tests.support.contoso import ADA

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.client import Sandbox


def start(sandbox: Sandbox, *more: str) -> subprocess.Popen[str]:
    """Start the command against the sandbox."""
    options = {
        "client-id": "sandbox-public",
        "tenant-id": sandbox.connection["extra"]["tenant_id"],
        "authority": sandbox.url,
        "base-url": sandbox.url,
        "verify": str(sandbox.ca),
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return subprocess.Popen(
        [sys.executable, "-m", "airflow_graph_cancel.login", *arguments, *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def code_of(process: subprocess.Popen[str]) -> str:
    """Wait for the code that a person types into the browser."""
    assert process.stderr
    for line in process.stderr:
        if found := re.search(r"code ([A-Z0-9]{6,12})\b", line):
            return found[1]
    raise AssertionError("no code was shown")


def use(text: str, event_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Use the connection that was printed, with the network of the test."""
    monkeypatch.setenv("AIRFLOW_CONN_PRINTED", text)
    return str(asyncio.run(GraphEventHook("printed").cancel_event(event_id, "Closed.")).outcome)


def test_the_connection_that_is_printed_works(sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On standard output there is the connection and nothing else."""
    with start(sandbox) as process:
        sandbox.approve_sign_in(code_of(process), ADA)
        printed, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert json.loads(printed)["extra"]["credential"] == "refresh_token"
    assert use(printed, event_id, monkeypatch) == "cancelled"
    assert json.loads(printed)["extra"]["refresh_token"] not in said


def test_a_file_is_for_its_owner_alone(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is in it is as secret as a password; also if the file was there before, for everybody."""
    file = tmp_path / "person.json"
    file.write_text("old")
    file.chmod(0o644)
    with start(sandbox, "--output", str(file)) as process:
        sandbox.approve_sign_in(code_of(process), ADA)
        printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (0, ""), said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert use(file.read_text(), event_id, monkeypatch) == "cancelled"
    # The secret of this test does not outlive it.
    file.unlink()


def test_a_person_who_says_no(sandbox: Sandbox, event_id: str) -> None:
    """Ends with a sentence and no connection."""
    with start(sandbox) as process:
        sandbox.decline_sign_in(code_of(process))
        printed, said = process.communicate(timeout=60)
    assert (process.returncode, printed) == (1, "")
    assert "Sign-in failed" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--client-id", "nobody"), "Sign-in failed: AADSTS700016"),
        (("--authority", "https://localhost:9"), "could not be used"),
        (("--tenant-id", "nope"), "could not be used"),
    ],
)
def test_what_cannot_work(sandbox: Sandbox, more: tuple[str, str], said: str) -> None:
    """The command ends with one sentence instead of a traceback."""
    with start(sandbox, *more) as process:
        printed, error = process.communicate(timeout=60)
    assert (process.returncode, printed) == (1, "")
    assert said in error
    assert "Traceback" not in error
