"""Look up the rooms that buildings, room lists and addresses stand for.

A slip here would cancel the wrong meetings, or none: a mailbox that is not a room shows what a person takes part in,
and a building that is misspelt has no meetings at all. Both are refused.

Source: https://learn.microsoft.com/graph/api/place-list
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, Reply, read_many
from airflow_graph_cancel.graph.errors import AccessDeniedError, InvalidInputError, InvalidRequestError, RefusedError
from airflow_graph_cancel.graph.http.response import Meaning

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.search import Places
    from airflow_graph_cancel.graph.http.client import GraphClient

# Reads of places count against no mailbox; they share one queue.
_PLACES = "places"
_ROOMS = "/places/microsoft.graph.room?$select=emailAddress,displayName,building&$top=100"
_LISTS = "/places/microsoft.graph.roomlist?$select=emailAddress,displayName&$top=100"

Row = Mapping[str, object]


async def find_rooms(client: GraphClient, places: Places, options: Options) -> list[str]:
    """Return the addresses of the rooms, each once.

    :param client: sends batches and single requests.
    :raises InvalidInputError: naming what is not a room, a room list or a building, or has no rooms.
    :raises RefusedError: if the app may not look up rooms.
    """
    addresses = [name for name in places.room_lists if "@" in name]
    reads = [Read(_PLACES, _members_path(address)) for address in addresses]
    if places.buildings or (places.rooms and places.check_rooms):
        reads.append(Read(_PLACES, _ROOMS))
    replies = await read_many(client, reads, options)
    members: dict[str, list[str]] = {}
    for address, reply in zip(addresses, replies, strict=False):
        if reply.refusal is not None and reply.refusal.status == 404:
            raise InvalidInputError(f"There is no room list with the address {address}. Check the address.")
        members[address] = _addresses(_rows(reply))
    all_rooms = _rows(replies[-1]) if len(replies) > len(addresses) else []
    by_building = _by_building(all_rooms)
    names = [name for name in places.room_lists if "@" not in name]
    # A building may also be the name of a room list.
    unknown = [name for name in places.buildings if _folded(name) not in by_building]
    if names or unknown:
        members |= await _members_by_name(client, names, unknown, _buildings(all_rooms), options)
    rooms = _checked(places.rooms, all_rooms) if places.check_rooms else list(places.rooms)
    found = [(name, members[name]) for name in [*places.room_lists, *unknown]]
    found += [(name, by_building[_folded(name)]) for name in places.buildings if name not in unknown]
    for name, its_rooms in found:
        if not its_rooms:
            raise InvalidInputError(f"{name} has no rooms. Check its name, or assign rooms to it in Exchange.")
        rooms += its_rooms
    return list({room.casefold(): room for room in rooms}.values())


async def _members_by_name(
    client: GraphClient, names: list[str], buildings: list[str], known_buildings: list[str], options: Options
) -> dict[str, list[str]]:
    """Return the rooms of room lists that are given by their names."""
    (reply,) = await read_many(client, [Read(_PLACES, _LISTS)], options)
    lists: dict[str, list[str]] = {}
    rows = _rows(reply)
    list_names = [name for row in rows if isinstance(name := row.get("displayName"), str)]
    for row in rows:
        lists.setdefault(_folded(str(row.get("displayName") or "")), []).extend(_addresses([row]))
    for what, wanted, known in (
        ("room list", names, list_names),
        ("building or room list", buildings, [*known_buildings, *list_names]),
    ):
        for name in wanted:
            if _folded(name) not in lists:
                raise InvalidInputError(f"There is no {what} called {name!r}.{_suggestion(name, known)}")
            if len(found := lists[_folded(name)]) != 1:
                raise InvalidInputError(
                    f"{len(found)} room lists are called {name!r}. Pass the address of one: {', '.join(found)}."
                )
    asked = [*names, *buildings]
    reads = [Read(_PLACES, _members_path(lists[_folded(name)][0])) for name in asked]
    replies = await read_many(client, reads, options)
    return {name: _addresses(_rows(reply)) for name, reply in zip(asked, replies, strict=True)}


def _members_path(address: str) -> str:
    return f"/places/{quote(address, safe='')}/microsoft.graph.roomlist/rooms?$select=emailAddress&$top=100"


def _checked(rooms: Iterable[str], all_rooms: Iterable[Row]) -> list[str]:
    known = {address.casefold(): address for address in _addresses(all_rooms)}
    for room in rooms:
        if room.casefold() not in known:
            raise InvalidInputError(
                f"{room} is not a known room.{_suggestion(room, known.values())} For a person's meetings, use "
                "organizers; for a room that Graph does not list, pass check_rooms=False."
            )
    return [known[room.casefold()] for room in rooms]


def _buildings(rooms: Iterable[Row]) -> list[str]:
    return [building for row in rooms if isinstance(building := row.get("building"), str)]


def _by_building(all_rooms: Iterable[Row]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row in all_rooms:
        if isinstance(building := row.get("building"), str) and building.strip():
            found.setdefault(_folded(building), []).extend(_addresses([row]))
    return found


def _addresses(rows: Iterable[Row]) -> list[str]:
    return [address for row in rows if isinstance(address := row.get("emailAddress"), str) and address]


def _folded(name: str) -> str:
    return name.strip().casefold()


def _suggestion(name: str, known: Iterable[str]) -> str:
    # Without the domain, which makes all addresses of a tenant alike.
    local = {_folded(each).partition("@")[0]: each for each in known}
    close = get_close_matches(_folded(name).partition("@")[0], local, n=1, cutoff=0.7)
    return f" Did you mean {local[close[0]]!r}?" if close else " Check the spelling."


def _rows(reply: Reply) -> list[dict[str, object]]:
    if reply.error is not None:
        raise reply.error
    if (refusal := reply.refusal) is None:
        return reply.values
    kind: type[RefusedError] = InvalidRequestError
    sentence = "Graph did not list the rooms."
    if refusal.meaning in {Meaning.DENIED, Meaning.TOKEN_REFUSED}:
        kind = AccessDeniedError
        sentence = (
            "Graph refuses to list rooms: the app needs Place.Read.All with admin consent. Without it, pass rooms by "
            "address and set check_rooms=False."
        )
    raise kind(
        f"{sentence} (Graph answered {refusal.status_and_code}, request-id {refusal.request_id}.)",
        status=refusal.status, code=refusal.code, request_id=refusal.request_id,
    )  # fmt: skip
