"""The first thing that a newcomer runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.support.waiting import until

DEMO = Path(__file__).parents[2] / "example_dags" / "_demo"


def test_the_demonstration_ends_well() -> None:
    """Plans, tasks, reports, calendars and messages agree, and it says so."""
    demo = subprocess.Popen([sys.executable, str(DEMO)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        shown, _ = demo.communicate()
    finally:
        # A test that is stopped for its time must not leave an Airflow behind.
        demo.send_signal(signal.SIGINT)
        demo.wait(60)
    assert demo.returncode == 0, shown[-6000:]
    said = " ".join(shown.split())
    assert "Plans, tasks, reports, calendars and messages agree." in said
    assert "Every approved meeting that had not changed was cancelled once" in said
    assert "1 response was lost on purpose" in said
    assert "What the attendees will read" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demonstration_leaves_nothing_behind(number: signal.Signals) -> None:
    """Ctrl-C or a kill in the middle of Airflow's start ends every process that it had begun."""
    demo = subprocess.Popen([sys.executable, str(DEMO)], stdout=subprocess.PIPE, start_new_session=True)
    process = psutil.Process(demo.pid)
    until(lambda: any("scheduler" in part for each in family(process) for part in each), "the scheduler is there")
    begun = process.children(recursive=True)
    os.kill(demo.pid, number)
    said, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert said.endswith(b"Stopped.\n")
    assert len(begun) > 2
    assert not [each for each in begun if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def family(process: psutil.Process) -> list[list[str]]:
    """The command lines of everything that a process has begun."""
    found = []
    for each in process.children(recursive=True):
        try:
            found.append(each.cmdline())
        except psutil.NoSuchProcess:
            continue
    return found
