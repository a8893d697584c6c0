"""How long it takes to find a closure's meetings, beside what the service makes unavoidable."""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from typing import Any

from airflow_graph_cancel.sandbox.client import Sandbox
from bench.memory import peak_mb
from bench.results import Promise, Section

__all__ = ["finding"]

WITHIN = 1.5
MEETINGS_MADE_AT_ONCE = 500


@dataclass(frozen=True)
class Shape:
    """A closure: rooms, the organizers who booked them, and their meetings."""

    rooms: int
    organizers: int
    meetings: int
    latency: float
    concurrency: int

    @property
    def bound(self) -> float:
        """Seconds that cannot be saved.

        One look at the catalogue of rooms, then the rooms, then the organizers, each mailbox once: a round trip for as
        many as the app may ask at a time.
        """
        rounds = 1 + math.ceil(self.rooms / self.concurrency) + math.ceil(self.organizers / self.concurrency)
        return rounds * self.latency


SHAPES = (Shape(200, 800, 5_000, 0.4, 64), Shape(200, 800, 5_000, 0.4, 400))


def finding() -> Section:
    """Search the same closure with the default concurrency, and with as much as a large app may ask for."""
    taken = [_measure(shape) for shape in SHAPES]
    over = taken[0]["seconds"] / SHAPES[0].bound
    throttled = sum(took["429s"] for took in taken)
    first = SHAPES[0]
    return Section(
        f"Finding: {first.rooms} rooms, {first.organizers} organizers, {first.meetings:,} meetings, "
        f"latency {first.latency} s",
        """\
The lower bound is one request for the list of rooms, one for each room and one for each organizer, with `concurrency`
requests at a time. Far above the default of 64, this machine's processors are the limit, not the service.""",
        ("concurrency", "seconds", "lower bound", "ratio", "CPU s", "peak MB", "requests", "own 429s"),
        [
            (
                str(shape.concurrency), f"{took['seconds']:.2f}", f"{shape.bound:.2f}",
                f"{took['seconds'] / shape.bound:.2f}", f"{took['cpu']:.2f}", f"{took['peak']:.0f}",
                f"{took['requests']:.0f}", f"{took['429s']:.0f}",
            )
            for shape, took in zip(SHAPES, taken, strict=True)
        ],
        [
            Promise(f"at most {WITHIN} times the lower bound", f"{over:.2f} times", over <= WITHIN),
            Promise("no 429 of its own", f"{throttled:.0f}", not throttled),
        ],
    )  # fmt: skip


def _make(sandbox: Sandbox, shape: Shape) -> None:
    """Fill an empty tenant: a week of meetings, the same ones for each shape."""
    draw = random.Random(shape.meetings)
    rooms = [f"room{number}@contoso.example" for number in range(shape.rooms)]
    owners = [f"owner{number}@contoso.example" for number in range(shape.organizers)]
    sandbox.add_mailboxes(
        [{"address": room, "kind": "room", "building": "North Tower"} for room in rooms]
        + [{"address": owner} for owner in owners]
    )
    events = [
        {
            "organizer": owners[number % shape.organizers],
            "subject": "x",
            "start": f"2030-01-{7 + number % 5:02}T{8 + number // 5 % 10:02}:00:00Z",
            "end": f"2030-01-{7 + number % 5:02}T{8 + number // 5 % 10:02}:30:00Z",
            "attendees": draw.sample(owners, 4),
            "rooms": [draw.choice(rooms)],
        }
        for number in range(shape.meetings)
    ]
    for start in range(0, len(events), MEETINGS_MADE_AT_ONCE):
        sandbox.create_events(events[start : start + MEETINGS_MADE_AT_ONCE])


def _find(concurrency: int) -> dict[str, object]:
    """Run the operator as a task does; return what it took."""
    from airflow_graph_cancel.operators.find import GraphFindEventsOperator

    loaded = peak_mb()
    where: dict[str, Any] = {"start": "2030-01-07T00:00:00Z", "end": "2030-01-14T00:00:00Z", "concurrency": concurrency}
    plan_path = os.path.join(tempfile.mkdtemp(), "plan.json")
    # A search of one room pays for the imports.
    warm_up = GraphFindEventsOperator(task_id="warm_up", rooms="room0@contoso.example", **where)
    asyncio.run(warm_up.aexecute({}))
    operator = GraphFindEventsOperator(task_id="x", building="North Tower", plan_path=plan_path, **where)
    wall, cpu = time.monotonic(), time.process_time()
    plan = asyncio.run(operator.aexecute({}))
    return {
        "seconds": time.monotonic() - wall,
        "cpu": time.process_time() - cpu,
        "peak": peak_mb() - loaded,
        "totals": plan["totals"],
    }


def _measure(shape: Shape) -> dict[str, float]:
    """Search a tenant made for it, in a process of its own."""
    with Sandbox.start() as sandbox:
        _make(sandbox, shape)
        sandbox.settings(latency=shape.latency)
        os.environ["AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT"] = json.dumps(sandbox.connection)
        command = [sys.executable, "-W", "ignore", "-m", "bench.finding", str(shape.concurrency)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        took = json.loads(ran.stdout.splitlines()[-1])
        assert took["totals"]["meetings"] == shape.meetings, took
        requests = [each for each in sandbox.requests() if not each["path"].endswith("$batch")]
        took["429s"] = len([each for each in requests if each["status"] == 429])
        # The warm-up's are a catalogue, a room and its organizers.
        took["requests"] = len(requests)
        return dict(took)


if __name__ == "__main__":
    print(json.dumps(_find(int(sys.argv[1]))))
