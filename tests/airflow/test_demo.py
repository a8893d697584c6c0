"""The first thing that a newcomer runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

DEMO = Path(__file__).parents[2] / "example_dags" / "_demo"
sys.path.insert(0, str(DEMO))
from checking import Case, differences  # noqa: E402

BEN, ROOM = {"address": "ben@x"}, {"address": "oak@x"}
ROWS = [{"event_id": "a", "outcome": "cancelled"}, {"event_id": "c", "outcome": "changed"}]
REPORT = [
    {"record": "meeting", "event_id": "a", "ical_uid": "ua", "outcome": "cancelled", "people": "1", "still_there": ""},
    {"record": "meeting", "event_id": "c", "ical_uid": "uc", "outcome": "changed", "people": "1", "still_there": ""},
    {"record": "left", "event_id": "t", "ical_uid": "ut", "outcome": "", "people": "", "still_there": ""},
    {"record": "left", "event_id": "", "ical_uid": "ux", "outcome": "", "people": "", "still_there": ""},
]
MESSAGE = {"event_id": "a", "comment": "Closed: water", "recipients": ["ben@x", "oak@x"]}


def meeting(event_id: str) -> dict[str, Any]:
    """A meeting of Ada's with Ben in the oak room, as the local Graph records it."""
    return {
        "id": event_id,
        "iCalUId": f"u{event_id}",
        "organizer": "ada@x",
        "rooms": ["oak@x"],
        "invited": [{"address": "ada@x"}, BEN, ROOM],
    }


BEFORE = {event_id: meeting(event_id) for event_id in "actz"}
AFTER = {event_id: BEFORE[event_id] for event_id in "ctz"}
CASE = Case(
    building="Oak House",
    meetings={event_id: meeting(event_id) for event_id in "act"},
    left={"ux"},
    words=["water"],
    asked=True,
    plan={"meetings": [{"event_id": event_id} for event_id in "act"], "left": [{"iCalUId": "ux"}]},
    rows=ROWS,
    report=REPORT,
    taken_out={"t"},
    changed={"c"},
)


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
    assert "Plans, tasks, reports, calendars and messages agree" in said
    assert "1 response was lost on purpose" in said
    assert "What the attendees will read" in said


def test_the_demonstration_would_be_content() -> None:
    """What agrees is not called wrong, or the next test would prove nothing."""
    assert differences([CASE], [MESSAGE], BEFORE, AFTER) == []


@pytest.mark.parametrize(
    ("case", "messages", "after"),
    [
        ({"plan": {"meetings": CASE.plan["meetings"][:2], "left": CASE.plan["left"]}}, [MESSAGE], AFTER),
        ({"plan": {**CASE.plan, "meetings": [*CASE.plan["meetings"], {"event_id": "z"}]}}, [MESSAGE], AFTER),
        ({"plan": {**CASE.plan, "left": []}}, [MESSAGE], AFTER),
        ({"asked": False}, [MESSAGE], AFTER),
        ({"rows": ROWS[:1]}, [MESSAGE], AFTER),
        ({"rows": [*ROWS, {"event_id": "t", "outcome": "cancelled"}]}, [MESSAGE], AFTER),
        ({"report": REPORT[1:]}, [MESSAGE], AFTER),
        ({"report": [REPORT[0], *REPORT[2:]]}, [MESSAGE], AFTER),
        ({"report": REPORT[:3]}, [MESSAGE], AFTER),
        ({"report": [{**REPORT[0], "people": "2"}, *REPORT[1:]]}, [MESSAGE], AFTER),
        ({"report": [{**REPORT[0], "still_there": "There."}, *REPORT[1:]]}, [MESSAGE], AFTER),
        ({}, [], AFTER),
        ({}, [MESSAGE, MESSAGE], AFTER),
        ({}, [MESSAGE, {**MESSAGE, "event_id": "t"}], AFTER),
        ({}, [MESSAGE, {**MESSAGE, "event_id": "z"}], AFTER),
        ({}, [{**MESSAGE, "comment": "Closed"}], AFTER),
        ({}, [{**MESSAGE, "recipients": ["oak@x"]}], AFTER),
        ({}, [MESSAGE], BEFORE),
        ({}, [MESSAGE], {"c": BEFORE["c"], "t": BEFORE["t"]}),
    ],
)
def test_the_demonstration_would_notice(
    case: dict[str, Any], messages: list[dict[str, Any]], after: dict[str, Any]
) -> None:
    """Each kind of difference is found: a verdict that cannot be bad is worth nothing."""
    assert differences([replace(CASE, **case)], messages, BEFORE, after)


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


def until(condition: Callable[[], object], what: str, seconds: float = 120) -> None:
    """Wait for a condition; fail by name if it never holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)
