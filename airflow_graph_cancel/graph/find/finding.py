"""Search rooms and organizers for the meetings of a window: the plan of what would be cancelled. Only GET requests.

A room's calendar says when and by whom it is booked, but little else that is true: the subject is the organizer's name,
the id is the room's own, and cancelled meetings stay in it. Each organizer's calendar is therefore read as well, once,
and the events to cancel come from there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.find.organizers import read_organizers
from airflow_graph_cancel.graph.find.plan_builder import PlanBuilder
from airflow_graph_cancel.graph.find.room_bookings import read_bookings
from airflow_graph_cancel.graph.find.rooms import find_rooms
from airflow_graph_cancel.graph.model.address import check_segment
from airflow_graph_cancel.graph.model.event import domain_of
from airflow_graph_cancel.graph.model.plan import Plan, Reason

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.search import Search
    from airflow_graph_cancel.graph.http.client import GraphClient


async def find_events(client: GraphClient, search: Search, options: Options) -> Plan:
    """Return the plan.

    Costs a request for each room, each organizer and each further page of their calendars, and two or three to look up
    rooms; with the scope ``series`` one more for each series.

    :param client: sends batches and single requests.
    :param search: where, when, and which meetings.
    :param options: how many requests at a time, how long to retry, and who may stop it.
    :raises InvalidInputError: if something that was named does not exist, which must not look like an empty plan.
    :raises RefusedError: if a room, or an organizer that was named, cannot be read.
    :raises TryLaterError: if something was not read, because there is no partial plan.
    """
    made_at = datetime.now(UTC)
    _check(search)
    rooms = await find_rooms(client, search.places, options)
    bookings = await read_bookings(client, rooms, search.window, options)
    past = [booking for booking in bookings if booking.end <= made_at and not search.include_past]
    wanted = [booking for booking in bookings if booking.end > made_at or search.include_past]
    organizers = await read_organizers(
        client,
        {booking.organizer for booking in wanted if booking.organizer},
        search.window,
        options,
        named=search.organizers,
        domains=map(domain_of, rooms),
        subjects=search.with_subjects or bool(search.keep),
    )
    builder = PlanBuilder(search, organizers, rooms, made_at)
    for booking in past:
        builder.exclude(Reason.PAST, booking)
    for booking in wanted:
        builder.include(booking)
    for organizer in search.organizers:
        builder.include_all_of(organizer)
    if search.scope == "series":
        await builder.replace_dates_by_series(client, options)
    return builder.build()


def _check(search: Search) -> None:
    places = search.places
    named = {
        "rooms": places.rooms,
        "room_list": places.room_lists,
        "building": places.buildings,
        "organizers": search.organizers,
    }
    if not any(named.values()):
        raise InvalidInputError(
            "Name at least one room, room list, building or organizer: an empty search would look like nothing to do."
        )
    for argument, names in named.items():
        for name in names:
            check_segment(argument, name)
