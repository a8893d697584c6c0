"""What rooms are booked for: where a search begins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.find.calendar_view import BOOKING, read_calendar_views
from airflow_graph_cancel.graph.http.error_mapping import mailbox_refusal
from airflow_graph_cancel.graph.model.event import has_date, series_uid

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.window import Window


@dataclass(slots=True)
class Booking:
    """A meeting, or one date of a series, as the rooms show it.

    :param uid: ``iCalUId``.
    :param organizer: owner of the copy that can be cancelled; empty if the rooms do not say.
    :param type: Graph's ``type``.
    """

    uid: str
    start: datetime
    end: datetime
    organizer: str
    type: str
    rooms: list[str] = field(default_factory=list)


async def read_bookings(client: GraphClient, rooms: Iterable[str], window: Window, options: Options) -> list[Booking]:
    """Return what the rooms are booked for within the window, a meeting in several rooms once.

    Cancelled meetings, which stay in a room's calendar, are ignored.

    :param rooms: addresses.
    :raises GraphCancelError: if a room cannot be read, because its meetings would be missed.
    """
    found: dict[tuple[str, datetime], Booking] = {}
    views = await read_calendar_views(client, rooms, window, options, select=BOOKING)
    for room, view in views.items():
        if not isinstance(view, list):
            raise mailbox_refusal(room, view)
        for copy in view:
            if copy.is_cancelled or not window.overlaps(*copy.when):
                continue
            # A meeting that was booked at the room's panel is organized by the room itself.
            organizer = room if copy.is_organizer else copy.organizer
            # Without an identifier the rooms' copies cannot be told to be one meeting.
            key = series_uid(copy.uid) or copy.event_id, copy.start
            booking = found.setdefault(key, Booking(copy.uid, copy.start, copy.end, organizer, copy.type))
            if has_date(copy.uid):
                # The identifier of a room that was invited to one date only may lack the date.
                booking.uid = copy.uid
            if room not in booking.rooms:
                booking.rooms.append(room)
    return list(found.values())
