"""Contoso in January 2030: a building or a person for each of the example DAGs, which can then run at the same time."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from tests.support.contoso import ADA, BEN, CLEO, TOM

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.client import Sandbox

BUILDINGS = ("Oak House", "Elm House", "Ash House", "Yew House", "Fir House", "Bay House")
HOSTILE = "{{ conn.graph_calendar_default.password }} <b>water</b>."
ROWS = [
    {"building": "Oak House", "from": "2030-01-07T18:00", "to": "2030-01-09T07:00", "timezone": "Europe/London",
     "reason": "a water main has burst.", "reopening": "2030-01-09T07:30"},
    {"building": "Elm House", "from": "2030-01-07T20:00", "to": "2030-01-08T06:00", "timezone": "America/New_York",
     "reason": HOSTILE, "reopening": "2030-01-08T06:00"},
    {"building": "Ash House", "from": "2030-01-08T00:00", "to": "2030-01-09T00:00", "timezone": "Europe/Amsterdam",
     "reason": "the heating is replaced.", "reopening": "2030-01-09T07:00"},
    {"building": "Yew House", "from": "2030-01-08T00:00", "to": "2030-01-09T00:00", "timezone": "Europe/London",
     "reason": "it is painted.", "reopening": "2030-01-09T07:00"},
]  # fmt: skip
ANNOUNCED = {"building": "Fir House", "from": "2030-01-08T00:00", "to": "2030-01-09T00:00",
             "timezone": "Europe/London", "reason": "the power is off.", "reopening": "on Wednesday"}  # fmt: skip
WEEKLY = {"type": "weekly", "interval": 1, "days_of_week": ["tuesday"], "count": 4}


def room(building: str) -> str:
    """The one room of a building."""
    return f"{building.split()[0].lower()}@contoso.example"


def write_feeds(folder: Path) -> None:
    """Two closures as CSV and two as JSON."""
    folder.mkdir()
    with (folder / "closures.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]))
        writer.writeheader()
        writer.writerows(ROWS[:2])
    (folder / "closures.json").write_text(json.dumps(ROWS[2:]), encoding="utf-8")


def fill(sandbox: Sandbox) -> dict[str, str]:
    """Make everybody's meetings; return the ids of the organizers' copies by a name."""
    for address in (ADA, BEN, CLEO, TOM):
        sandbox.add_mailbox(address)
    for building in BUILDINGS:
        sandbox.add_mailbox(room(building), kind="room", building=building)
    dates = _series(sandbox, ADA, "2030-01-08T09:00:00Z", rooms=[room("Oak House")])
    return {
        "series": dates[""],
        "date": dates["2030-01-08"],
        "review": _single(sandbox, ADA, "2030-01-08T11:00:00Z", "Oak House"),
        "stays": _single(sandbox, ADA, "2030-01-08T13:00:00Z", "Oak House"),
        "moved": _single(sandbox, ADA, "2030-01-08T15:00:00Z", "Oak House"),
        "before": _single(sandbox, ADA, "2030-01-07T10:00:00Z", "Oak House"),
        "night": _single(sandbox, ADA, "2030-01-08T02:00:00Z", "Elm House"),
        "evening": _single(sandbox, ADA, "2030-01-07T23:00:00Z", "Elm House"),
        "rejected": _single(sandbox, ADA, "2030-01-08T10:00:00Z", "Ash House"),
        "announced": _single(sandbox, ADA, "2030-01-08T10:00:00Z", "Fir House"),
        "unanswered": _single(sandbox, ADA, "2030-01-08T10:00:00Z", "Bay House"),
        "leavers series": _series(sandbox, CLEO, "2030-02-05T09:00:00Z", subject="Sync")[""],
        "leavers meeting": _single(sandbox, CLEO, "2030-11-05T09:00:00Z"),
        "handover": _single(sandbox, CLEO, "2030-02-04T09:00:00Z", subject="Handover of the budget"),
        "leaver is guest": _single(sandbox, BEN, "2030-02-04T11:00:00Z", attendee=CLEO),
        "training 1": _single(sandbox, TOM, "2030-03-04T09:00:00Z", subject="First aid"),
        "training 2": _single(sandbox, TOM, "2030-03-05T23:30:00Z", subject="First aid"),
        "training later": _single(sandbox, TOM, "2030-03-06T09:00:00Z", subject="First aid"),
        "one training": _single(sandbox, TOM, "2030-03-11T09:00:00Z", subject="First aid"),
    }


def _single(
    sandbox: Sandbox, organizer: str, start: str, building: str = "", *, subject: str = "Review", attendee: str = BEN
) -> str:
    return str(
        _event(sandbox, organizer, start, subject, attendee, [room(building)] if building else [])["copies"][organizer]
    )


def _series(
    sandbox: Sandbox, organizer: str, start: str, *, subject: str = "Weekly", rooms: list[str] | None = None
) -> dict[str, str]:
    event = _event(sandbox, organizer, start, subject, BEN, rooms or [], recurrence=WEEKLY)
    dates = {each["start"][:10]: str(each["id"]) for each in event["occurrences"][organizer]}
    return {"": str(event["copies"][organizer]), **dates}


def _event(
    sandbox: Sandbox, organizer: str, start: str, subject: str, attendee: str, rooms: list[str], **more: object
) -> dict[str, Any]:
    end = f"{start[:11]}{int(start[11:13]):02}:{int(start[14:16]) + 29:02}:00Z"
    return sandbox.create_event(
        organizer=organizer, subject=subject, start=start, end=end, attendees=[attendee], rooms=rooms, **more
    )
