"""Meetings as values: as an organizer's calendar has them, as a room shows them, and as a plan holds them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_graph_cancel.graph.find.room_bookings import Booking
from airflow_graph_cancel.graph.model.event import Attendee, CalendarEvent
from airflow_graph_cancel.graph.model.plan import Meeting
from tests.support.contoso import ADA, BEACON, BEN

NINE = datetime(2030, 1, 7, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DATED = "040000008200E00074C5B7101A82E00807EE0107F862A1B2C3D4E5F6"
"""An identifier of Exchange's that names one date of a series, 7 January 2030."""
MASTER = DATED[:32] + "00000000" + DATED[40:]
"""The identifier of its series."""
FOREIGN = "weekly-42@calendar.example"
"""An identifier of another calendar system, the same for all dates."""


def organizers_copy(uid: str, start: datetime = NINE, **more: Any) -> CalendarEvent:
    """A date of a series in Ada's calendar, an hour long."""
    arguments: dict[str, Any] = {
        "event_id": f"AAMk{start:%d%H}{uid[-3:]}=",
        "uid": uid,
        "change_key": "k",
        "start": start,
        "end": start + HOUR,
        "organizer": ADA,
        "is_organizer": True,
        "is_cancelled": False,
        "type": "occurrence",
        "series_id": "AAMkMaster=",
        "attendees": (Attendee(BEN, False),),
        "subject": "",
        **more,
    }
    return CalendarEvent(**arguments)


def booking(uid: str, start: datetime = NINE, kind: str = "occurrence", organizer: str = ADA) -> Booking:
    """The same as Beacon shows it."""
    return Booking(uid, start, start + HOUR, organizer, kind, [BEACON])


def planned(number: int = 1, **more: Any) -> Meeting:
    """One of many meetings of a plan, an hour long, each a minute after the one before."""
    start = NINE + timedelta(minutes=number)
    arguments: dict[str, Any] = {
        "event_id": f"AAMk{number}=",
        "user_id": ADA,
        "uid": f"uid-{number}",
        "change_key": "k1",
        "start": start,
        "end": start + HOUR,
        "rooms": (BEACON,),
        "people": 3,
        "outside": 1,
        "type": "singleInstance",
        "scope": "dates",
        **more,
    }
    return Meeting(**arguments)
