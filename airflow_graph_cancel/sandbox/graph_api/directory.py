"""People, groups, calendars, rooms and room lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from airflow_graph_cancel.sandbox.graph_api.odata import page
from airflow_graph_cancel.sandbox.traffic.messages import Response, access_denied, directory_object_not_found

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.call import Call
    from airflow_graph_cancel.sandbox.tenant.entities import Calendar, Json, Mailbox
    from airflow_graph_cancel.sandbox.tenant.store import Store


def service(call: Call) -> Response:
    """Answer the root of a version."""
    names = ("users", "groups", "places", "me")
    return Response(200, {"value": [{"name": name, "kind": "EntitySet", "url": name} for name in names]})


def users(call: Call) -> Response:
    """Answer ``GET /users``: people and rooms. The service requires a separate permission for this."""
    found = [mailbox for mailbox in call.state.store.mailboxes.values() if mailbox.kind in ("user", "room")]
    return page(call.request, found, _directory_object)


def groups(call: Call) -> Response:
    """Answer ``GET /groups``."""
    return page(call.request, call.state.store.of_kind("group"), _directory_object)


def mailbox(call: Call) -> Response:
    """Answer ``GET /me``, ``/users/{u}`` or ``/groups/{g}``."""
    return Response(200, _directory_object(call.mailbox))


def calendar(call: Call) -> Response:
    """Answer a single calendar."""
    found = call.calendar() or call.mailbox.default_calendar
    return Response(200, _calendar(call.mailbox, found))


def calendars(call: Call) -> Response:
    """Answer the calendars of a mailbox or of one of its calendar groups."""
    group = call.calendar_group()
    found = [each for each in call.mailbox.calendars.values() if group in (None, each.group_id)]
    return page(call.request, found, lambda each: _calendar(call.mailbox, each))


def calendar_groups(call: Call) -> Response:
    """Answer the calendar groups of a mailbox."""
    found = list(call.mailbox.calendar_groups.items())
    return page(call.request, found, _calendar_group)


def calendar_group(call: Call) -> Response:
    """Answer a single calendar group."""
    group_id = call.calendar_group() or call.mailbox.default_calendar.group_id
    return Response(200, _calendar_group((group_id, call.mailbox.calendar_groups[group_id])))


def rooms(call: Call) -> Response:
    """Answer all rooms, or those of a room list, which its e-mail address identifies."""
    _may_read_places(call)
    found = call.state.store.of_kind("room")
    if call.address.place is not None:
        lists = _room_lists(call.state.store)
        if call.address.place.lower() not in lists:
            raise directory_object_not_found(call.address.place)
        found = lists[call.address.place.lower()].rooms
    return page(call.request, found, _room)


def room_lists(call: Call) -> Response:
    """Answer the room lists: one for each building, and those that were created."""
    _may_read_places(call)
    found = list(_room_lists(call.state.store).values())
    return page(call.request, found, _room_list)


def _may_read_places(call: Call) -> None:
    if "Place.Read.All" not in call.caller.permissions:
        raise access_denied()


class _RoomList(NamedTuple):
    address: str
    name: str
    rooms: list[Mailbox]


def _room_lists(store: Store) -> dict[str, _RoomList]:
    """Return the room lists by address; a building's list is in the domain of its first room."""
    buildings: dict[str, _RoomList] = {}
    for room in store.of_kind("room"):
        if room.building:
            slug = re.sub(r"[^a-z0-9]+", "-", room.building.lower()).strip("-")
            address = f"{slug}@{room.address.partition('@')[2]}"
            buildings.setdefault(room.building, _RoomList(address, room.building, [])).rooms.append(room)
    lists = {each.address: each for each in buildings.values()}
    for made in store.of_kind("room_list"):
        members = [store.mailbox(member) for member in made.members]
        rooms = [member for member in members if member and member.kind == "room"]
        lists[made.address.lower()] = _RoomList(made.address, made.display_name, rooms)
    return lists


def _directory_object(mailbox: Mailbox) -> Json:
    found: Json = {"id": mailbox.id, "displayName": mailbox.display_name, "mail": mailbox.address}
    if mailbox.kind == "group":
        return {**found, "groupTypes": ["Unified"], "mailEnabled": True}
    return {**found, "userPrincipalName": mailbox.address}


def _calendar(mailbox: Mailbox, calendar: Calendar) -> Json:
    return {
        "id": calendar.id,
        "name": calendar.name,
        "color": "auto",
        "isDefaultCalendar": calendar.is_default,
        "canEdit": True,
        "canViewPrivateItems": True,
        "owner": {"name": mailbox.display_name, "address": mailbox.address},
    }


def _calendar_group(row: tuple[str, str]) -> Json:
    return {"id": row[0], "name": row[1]}


def _room(mailbox: Mailbox) -> Json:
    return {
        "id": mailbox.id,
        "emailAddress": mailbox.address,
        "displayName": mailbox.display_name,
        "building": mailbox.building,
        "floorNumber": mailbox.floor,
        "floorLabel": None if mailbox.floor is None else str(mailbox.floor),
        "capacity": mailbox.capacity,
        "bookingType": "standard",
        "label": None,
        "tags": [],
    }


def _room_list(row: _RoomList) -> Json:
    return {"id": row.address, "emailAddress": row.address, "displayName": row.name}
