"""From rooms and a window to the organizers' copies: the plan of what would be cancelled. Reads only.

A room's calendar says when and by whom it is booked, and little else that is true: its subject is the organizer's
name, its id is the room's own, and cancelled meetings stay in it. So each organizer's calendar is read as well, once,
and what is cancelled is taken from there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.find.organizers import read_organizers
from airflow_graph_cancel.graph.find.plan_builder import PlanBuilder
from airflow_graph_cancel.graph.find.room_bookings import read_bookings
from airflow_graph_cancel.graph.find.rooms import find_rooms
from airflow_graph_cancel.graph.find.series import whole_series
from airflow_graph_cancel.graph.model.address import check_segment
from airflow_graph_cancel.graph.model.event import domain_of
from airflow_graph_cancel.graph.model.plan import Plan, Reason

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.search import Search
    from airflow_graph_cancel.graph.http.client import GraphClient

__all__ = ["find_events"]


async def find_events(client: GraphClient, search: Search, options: Options) -> Plan:
    """Return the plan.

    Costs a request for each room, each organizer and each further page of their calendars, and two for the catalogue
    of rooms; with the scope ``series`` one more for each series.

    :param client: sends batches and single requests, only GETs here.
    :param options: how to go about it.
    :raises InvalidInputError: if something that was named is not there: nothing found must not look like nothing to do.
    :raises RefusedError: if a room, or a mailbox that was named, cannot be read.
    :raises TryLaterError: if something was not read: half a plan is none.
    """
    made_at = datetime.now(UTC)
    _check(search)
    rooms = await find_rooms(client, search.places, options)
    bookings = await read_bookings(client, rooms, search.window, options)
    over = [not search.include_past and booking.end <= made_at for booking in bookings]
    wanted = [booking for booking, past in zip(bookings, over, strict=True) if not past]
    organizers = await read_organizers(
        client,
        {booking.organizer for booking in wanted if booking.organizer},
        search.window,
        options,
        named=search.organizers,
        domains=map(domain_of, rooms),
        subjects=search.with_subjects or bool(search.keep),
    )
    draft = PlanBuilder(search, organizers, rooms, made_at)
    for booking, past in zip(bookings, over, strict=True):
        draft.leave(Reason.PAST, booking) if past else draft.take(booking)
    for organizer in search.organizers:
        draft.take_all_of(organizer)
    if search.scope == "series":
        await whole_series(client, draft, options)
    return draft.plan()


def _check(search: Search) -> None:
    places = search.places
    named = (*places.rooms, *places.room_lists, *places.buildings, *search.organizers)
    if not named:
        raise InvalidInputError(
            "No room, room list, building or organizer is named. Nothing found must not look like nothing to do, so "
            "nothing was read."
        )
    for argument, names in (
        ("rooms", places.rooms),
        ("room_list", places.room_lists),
        ("building", places.buildings),
        ("organizers", search.organizers),
    ):
        for name in names:
            check_segment(argument, name)
