"""Start and stop the sandbox from a shell or a test suite."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_graph_cancel.sandbox.client import Sandbox, SandboxError

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = [sys.executable, "-m", "airflow_graph_cancel.sandbox", "--port", "0", "--tenant", "empty"]


def start(directory: Path, *options: str) -> tuple[subprocess.Popen[str], dict[str, object]]:
    """Start a sandbox and wait for its ready file."""
    ready = directory / "ready.json"
    ready.unlink(missing_ok=True)
    command = [*COMMAND, "--directory", str(directory), "--ready-file", str(ready), *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while not ready.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process, json.loads(ready.read_text())


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_within_a_second_despite_connections(tmp_path: Path, sign: signal.Signals) -> None:
    """Idle and hanging connections do not delay it, it exits cleanly, and it has printed how to connect."""
    process, ready = start(tmp_path, "--fault", "hang;delay=60;times=always")
    context = ssl.create_default_context(cafile=str(ready["ca"]))
    address = ("localhost", urlsplit(str(ready["url"])).port or 0)
    with (
        context.wrap_socket(socket.create_connection(address), server_hostname="localhost") as idle,
        context.wrap_socket(socket.create_connection(address), server_hostname="localhost") as hanging,
    ):
        hanging.sendall(b"GET /v1.0/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.1)
        stopped = time.monotonic()
        process.send_signal(sign)
        output = process.communicate(timeout=5)[0]
        assert time.monotonic() - stopped < 1
        assert idle.fileno() > 0
    assert process.returncode == 0
    assert "Traceback" not in output
    assert str(ready["url"]) in output
    assert str(ready["ca"]) in output
    exported = re.findall(r"export AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT=(.*)", output)
    assert [json.loads(shlex.split(line)[0]) for line in exported] == [ready["connection"], ready["connection_person"]]


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    """With --until-eof it stops when the process at its standard input ends."""
    process, _ = start(tmp_path, "--until-eof")
    with process:
        assert process.stdin
        process.stdin.close()
        assert process.wait(5) == 0


def test_the_certificate_authority_is_created_once(tmp_path: Path) -> None:
    """A second start in the same directory uses the same CA, so saved connections keep working."""
    with Sandbox.start(directory=tmp_path) as sandbox:
        before, first = sandbox.ca.read_bytes(), sandbox.connection["extra"]["verify"]
        assert sandbox.ca == tmp_path / "ca.pem"
    with Sandbox.start(directory=tmp_path) as sandbox:
        assert sandbox.ca.read_bytes() == before
        assert sandbox.connection["extra"]["verify"] == first
        assert sandbox.state()["mailboxes"] == []
    assert (tmp_path / "ca-key.pem").stat().st_mode & 0o077 == 0


def test_options_reach_the_server(tmp_path: Path) -> None:
    """Latency, faults, guesses and the person come from the command line, and are restored by a reset."""
    with Sandbox.start(
        latency=0.01,
        faults=["503;after;times=3;path=/cancel"],
        guesses={"retry_after": "missing", "effect_delay": 0.5},
        sign_in_as="ben@contoso.example",
    ) as sandbox:
        (fault,) = sandbox.faults()
        assert (fault["kind"], fault["after_effect"], fault["times"], fault["match"]["path"]) == (
            "503",
            True,
            3,
            "/cancel",
        )
        sandbox.settings(latency=1, signed_in_as=None)
        sandbox.reset()
        settings = sandbox.settings()
        assert (settings["latency"], settings["signed_in_as"]) == (0.01, "ben@contoso.example")
        assert (settings["guesses"]["retry_after"], settings["guesses"]["effect_delay"]) == ("missing", 0.5)
        assert sandbox.faults() == []


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--fault", "earthquake"], "there is no fault 'earthquake'"),
        (["--guess", "retry_after=never"], "retry_after must be one of"),
        (["--guess", "nosuch=1"], "there is no setting 'nosuch'"),
        (["--latency", "-1"], "latency must be"),
    ],
)
def test_invalid_options_are_explained(tmp_path: Path, options: list[str], sentence: str) -> None:
    """It does not start, and a sentence says why."""
    command = [*COMMAND, "--directory", str(tmp_path), *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_explained() -> None:
    """The client's error contains the server's output."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"port {port} is taken"), Sandbox.start(port=port):
            pass


def test_ready_means_ready(tmp_path: Path) -> None:
    """The ready file is complete as soon as it exists, and the server responds at once."""
    process, ready = start(tmp_path)
    try:
        assert set(ready) == {"url", "ca", "port", "pid", "connection", "connection_person"}
        assert ready["pid"] == process.pid
        assert Sandbox.connect(str(ready["url"]), str(ready["ca"])).state()["mailboxes"] == []
        assert not os.path.exists(tmp_path / "ready.part")
    finally:
        process.terminate()
        process.communicate(timeout=5)
