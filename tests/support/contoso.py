"""The people, rooms and times that most tests are about, and how they come into the local Graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_graph_cancel.sandbox.client import Sandbox

ADA, BEN, CLEO, CYD, DEE, TOM = (f"{name}@contoso.example" for name in ("ada", "ben", "cleo", "cyd", "dee", "tom"))
TEAM = "team@contoso.example"
BEACON, LANTERN, PILOT = (f"{name}@contoso.example" for name in ("beacon", "lantern", "pilot"))
GUEST, NILS = "guest@fabrikam.example", "nils@fabrikam.example"

WHEN: dict[str, Any] = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}
"""The hour of a meeting, unless a test says otherwise."""
NOT_HERE = "AAMkAGNotHere12345="
"""An id as Graph makes them, of no event."""

Rows = list[dict[str, str]]
"""Events as the operators take them: ``event_id`` and ``user_id``."""


def organizer(number: int) -> str:
    """Return the address of one of many organizers."""
    return f"organizer{number}@contoso.example"


def create_meeting(sandbox: Sandbox, organizer: str = ADA, **changes: object) -> dict[str, Any]:
    """Create a meeting of Ada with Ben, with some of it changed; return what the control API says of it."""
    meeting = {"subject": "Review", "attendees": [BEN], **WHEN, **changes}
    return dict(sandbox.create_event(organizer=organizer, **meeting))


def meet(sandbox: Sandbox, organizer: str = ADA, **changes: object) -> str:
    """Create a meeting and return the id of its organizer's copy."""
    return str(create_meeting(sandbox, organizer, **changes)["copies"][organizer])


def row_of(sandbox: Sandbox, organizer: str = ADA, **changes: object) -> dict[str, str]:
    """Create a meeting and return it as a row for an operator."""
    return {"event_id": meet(sandbox, organizer, **changes), "user_id": organizer}


def rows_in(sandbox: Sandbox, counts: Mapping[str, int], **changes: object) -> Rows:
    """Create so many meetings with a guest in each of these new mailboxes; return them as rows."""
    sandbox.add_mailboxes([{"address": owner} for owner in counts])
    meeting = {"subject": "Planning", "attendees": [GUEST], **WHEN, **changes}
    return [
        {"event_id": str(event["copies"][owner]), "user_id": owner}
        for owner, count in counts.items()
        for event in sandbox.create_events([{"organizer": owner, **meeting}] * count)
    ]


def rows_of(sandbox: Sandbox, *counts: int, **changes: object) -> Rows:
    """Create so many meetings with a guest for each of some organizers in turn; return them as rows."""
    return rows_in(sandbox, {organizer(number): count for number, count in enumerate(counts)}, **changes)


def fill_tower(sandbox: Sandbox) -> None:
    """Add Ada, Ben and Cyd, the rooms Beacon and Lantern in North Tower, and Pilot in Harbour House."""
    sandbox.add_mailboxes([{"address": address} for address in (ADA, BEN, CYD)])
    for address, building in ((BEACON, "North Tower"), (LANTERN, "North Tower"), (PILOT, "Harbour House")):
        sandbox.add_mailbox(address, kind="room", building=building)
