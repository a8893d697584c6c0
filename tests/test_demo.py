"""The first thing that a newcomer runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[1] / "example_dags" / "_demo"
sys.path.insert(0, str(DEMO))
import cancelling  # noqa: E402


def test_the_demonstration_ends_well() -> None:
    """Tasks, calendars and messages agree, and it says so."""
    shown = subprocess.run([sys.executable, str(DEMO)], capture_output=True, text=True, check=False)
    assert shown.returncode == 0, shown.stdout[-3000:]
    assert "agree" in shown.stdout
    assert "1 answer was lost on purpose" in " ".join(shown.stdout.split())


def test_the_demonstration_would_notice() -> None:
    """Each kind of difference is found: a verdict that cannot be bad is worth nothing."""
    feed = [{"event_id": "a", "reason": "water"}]
    rows = [{"event_id": "a", "outcome": "cancelled"}]
    message = {"event_id": "a", "comment": "Closed: water"}
    before = {"a": {"id": "a"}, "b": {"id": "b"}}
    good = {"messages": [message]}
    assert cancelling.differences(feed, rows, good, before, {"b": before["b"]}) == []
    for broken in (
        (feed, [], good, before, {"b": {}}),
        (feed, rows, {"messages": []}, before, {"b": {}}),
        (feed, rows, {"messages": [message, message]}, before, {"b": {}}),
        (feed, rows, {"messages": [{**message, "comment": "Closed"}]}, before, {"b": {}}),
        (feed, rows, {"messages": [message, {**message, "event_id": "b"}]}, before, {"b": {}}),
        (feed, rows, good, before, before),
        (feed, rows, good, before, {}),
        (feed, rows, good, {}, {}),
    ):
        assert cancelling.differences(*broken)
