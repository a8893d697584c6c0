"""What rooms are booked for: where a search begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.http.error_mapping import mailbox_refusal
from airflow_graph_cancel.graph.model.event import has_date, parse_event, series_uid, view_path

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.window import Window

__all__ = ["Booking", "read_bookings"]

# No subject: a room puts the organizer's name there.
_SELECT = (
    "id", "iCalUId", "start", "end", "isAllDay", "isCancelled", "isOrganizer", "organizer", "type", "seriesMasterId",
)  # fmt: skip


@dataclass(slots=True)
class Booking:
    """A meeting, or one date of a series, as the rooms that it takes place in show it.

    :param uid: ``iCalUId``.
    :param organizer: whose copy is the one that can be cancelled; empty if the rooms do not say.
    :param type: Graph's ``type``.
    """

    uid: str
    start: datetime
    end: datetime
    organizer: str
    type: str
    rooms: list[str] = field(default_factory=list)


async def read_bookings(client: GraphClient, rooms: Sequence[str], window: Window, options: Options) -> list[Booking]:
    """Return what the rooms are booked for within the window, a meeting in several rooms once.

    Cancelled meetings, which stay in a room's calendar, are passed over.

    :param rooms: addresses.
    :raises GraphCancelError: if a room cannot be read: what takes place there would be missed.
    """
    reads = [Read(room, view_path(room, window, _SELECT)) for room in rooms]
    found: dict[tuple[str, datetime], Booking] = {}
    for room, reply in zip(rooms, await read_many(client, reads, options), strict=True):
        if reply.error is not None:
            raise reply.error
        if reply.refusal is not None:
            raise mailbox_refusal(room, reply.refusal)
        for row in reply.values:
            copy = parse_event(row, window.zone)
            if copy.is_cancelled or not window.overlaps(*copy.when):
                continue
            # Booked at its panel: the room itself is the organizer.
            organizer = room if copy.is_organizer else copy.organizer
            # The same date in several rooms; without an identifier it is nobody's copy but this room's.
            key = series_uid(copy.uid) or copy.event_id, copy.start
            booking = found.setdefault(key, Booking(copy.uid, copy.start, copy.end, organizer, copy.type))
            if has_date(copy.uid):
                # A room that was invited to one date only may not have it in its identifier.
                booking.uid = copy.uid
            if room not in booking.rooms:
                booking.rooms.append(room)
    return list(found.values())
