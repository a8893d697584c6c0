"""The closures in the demonstration, in the format of the facility system's feeds."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

# The sample tenant always has these on the first and second working day after today.
FIRST_DAY, SECOND_DAY = "AAMkAGNT-supplier-onboarding-0002=", "AAMkAGNT-candidate-interview-0004="


@dataclass(frozen=True)
class Closure:
    """A building that is closed from ``start`` until ``end``, in its local time."""

    building: str
    start: datetime
    end: datetime
    timezone: str
    reason: str
    reopening: datetime

    @property
    def span(self) -> tuple[datetime, datetime]:
        """Start and end with their time zone."""
        zone = ZoneInfo(self.timezone)
        return self.start.replace(tzinfo=zone), self.end.replace(tzinfo=zone)

    def as_row(self) -> dict[str, str]:
        """Return the feed's columns."""
        times = {"from": self.start, "to": self.end, "reopening": self.reopening}
        texts = {name: each.isoformat(timespec="minutes") for name, each in times.items()}
        return {"building": self.building, "timezone": self.timezone, "reason": self.reason, **texts}


def closures(sandbox: Sandbox) -> list[Closure]:
    """Return three closures: a long one, one in another time zone, and one on a day without meetings."""
    starts = {meeting["id"]: datetime.fromisoformat(meeting["start"]).date() for meeting in sandbox.meetings()}
    first, second = starts[FIRST_DAY], starts[SECOND_DAY]
    sunday = second + timedelta(days=6 - second.weekday())
    return [
        Closure("North Tower", _at(first, 12), _at(second, 12), "Europe/London",
                "a water main has burst on Mill Street.", _at(second, 13)),
        Closure("Mill Lane", _at(second, 13), _at(second, 18), "America/New_York",
                "the lifts are being inspected.", _at(second + timedelta(days=1), 7)),
        Closure("Harbour House", _at(sunday, 0), _at(sunday + timedelta(days=1), 0), "Europe/Amsterdam",
                "the heating is replaced.", _at(sunday + timedelta(days=1), 7)),
    ]  # fmt: skip


def write(folder: Path, wanted: list[Closure]) -> None:
    """Write the first closure as CSV and the others as JSON."""
    folder.mkdir(parents=True)
    rows = [closure.as_row() for closure in wanted]
    with (folder / "closures.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerow(rows[0])
    (folder / "closures.json").write_text(json.dumps(rows[1:], indent=2), encoding="utf-8")


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour))
