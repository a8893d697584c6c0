"""From buildings, room lists and names to rooms that exist.

A slip here would cancel the wrong meetings or none: a mailbox that is no room shows what a person takes part in, and a
building that is misspelt has no meetings at all. Both are refused.

Source: https://learn.microsoft.com/graph/api/place-list
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, Reply, read_many
from airflow_graph_cancel.graph.errors import AccessDeniedError, InvalidInputError
from airflow_graph_cancel.graph.http.response import Meaning

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.search import Places
    from airflow_graph_cancel.graph.http.client import GraphClient

__all__ = ["find_rooms"]

_PLACES = "places"
_ROOMS = "/places/microsoft.graph.room?$select=emailAddress,displayName,building&$top=100"
_LISTS = "/places/microsoft.graph.roomlist?$select=emailAddress,displayName&$top=100"


async def find_rooms(client: GraphClient, places: Places, options: Options) -> list[str]:
    """Return the addresses of the rooms that are meant, each once.

    :raises InvalidInputError: naming what is no room, no room list, no building, or has no rooms.
    :raises AccessDeniedError: if the app may not look rooms up.
    """
    addresses = [name for name in places.room_lists if "@" in name]
    catalogue: list[dict[str, object]] = []
    listed: dict[str, list[str]] = {}
    reads = [Read(_PLACES, _list_path(address)) for address in addresses]
    if places.buildings or (places.rooms and places.check_rooms):
        reads.append(Read(_PLACES, _ROOMS))
    replies = await read_many(client, reads, options)
    for address, reply in zip(addresses, replies, strict=False):
        if reply.refusal is not None and reply.refusal.status == 404:
            raise InvalidInputError(f"There is no room list {address}.")
        listed[address] = _addresses(_checked(reply).values)
    if len(replies) > len(addresses):
        catalogue = _checked(replies[-1]).values
    by_building = _by_building(catalogue)
    names = [name for name in places.room_lists if "@" not in name]
    unknown = [name for name in places.buildings if name.strip().casefold() not in by_building]
    if names or unknown:
        listed |= await _by_name(client, names, unknown, by_building, options)
    rooms = list(_known(places, catalogue)) if places.check_rooms else list(places.rooms)
    for name in [*places.room_lists, *unknown]:
        rooms += listed[name] or _refuse_empty(name)
    for name in places.buildings:
        if name not in unknown:
            rooms += _addresses(by_building[name.strip().casefold()]) or _refuse_empty(name)
    return list({room.casefold(): room for room in rooms}.values())


def _list_path(address: str) -> str:
    return f"/places/{quote(address, safe='')}/microsoft.graph.roomlist/rooms?$select=emailAddress&$top=100"


async def _by_name(
    client: GraphClient,
    names: list[str],
    buildings: list[str],
    by_building: Mapping[str, object],
    options: Options,
) -> dict[str, list[str]]:
    """Return the rooms of room lists that are called by their names."""
    (reply,) = await read_many(client, [Read(_PLACES, _LISTS)], options)
    lists: dict[str, list[str]] = {}
    for row in _checked(reply).values:
        lists.setdefault(str(row.get("displayName") or "").strip().casefold(), []).extend(_addresses([row]))
    for what, wanted, known in (
        ("room list", names, list(lists)),
        ("building or room list", buildings, [*by_building, *lists]),
    ):
        for name in wanted:
            if name.strip().casefold() not in lists:
                raise InvalidInputError(f"There is no {what} called {name!r}{_perhaps(name, known)}.")
            if len(found := lists[name.strip().casefold()]) != 1:
                raise InvalidInputError(
                    f"{len(found)} room lists are called {name!r} ({', '.join(found)}): give the address of the "
                    "one that is meant."
                )
    asked = [*names, *buildings]
    reads = [Read(_PLACES, _list_path(lists[name.strip().casefold()][0])) for name in asked]
    replies = await read_many(client, reads, options)
    return {name: _addresses(_checked(reply).values) for name, reply in zip(asked, replies, strict=True)}


def _known(places: Places, catalogue: list[dict[str, object]]) -> Iterable[str]:
    known = {address.casefold(): address for address in _addresses(catalogue)}
    for room in places.rooms:
        if room.casefold() not in known:
            raise InvalidInputError(
                f"{room} is no room that Graph knows{_perhaps(room, list(known))}. The meetings that a person takes "
                "part in are not meant by a room."
            )
        yield known[room.casefold()]


def _by_building(catalogue: list[dict[str, object]]) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for row in catalogue:
        if isinstance(building := row.get("building"), str) and building.strip():
            found.setdefault(building.strip().casefold(), []).append(row)
    return found


def _addresses(rows: Iterable[Mapping[str, object]]) -> list[str]:
    return [address for row in rows if isinstance(address := row.get("emailAddress"), str) and address]


def _refuse_empty(name: str) -> list[str]:
    raise InvalidInputError(
        f"{name} has no rooms. Nothing found must not look like nothing to do, so nothing was read."
    )


def _perhaps(name: str, known: list[str]) -> str:
    close = get_close_matches(name.strip().casefold(), known, n=1, cutoff=0.7)
    return f" (is {close[0]!r} meant?)" if close else ""


def _checked(reply: Reply) -> Reply:
    if reply.error is not None:
        raise reply.error
    if reply.refusal is None:
        return reply
    if reply.refusal.meaning in {Meaning.DENIED, Meaning.TOKEN_REFUSED}:
        sentence = (
            "Graph refuses to list rooms: the app needs the permission Place.Read.All with admin consent. Rooms that "
            "are given by address can be taken as they are with check_rooms=False."
        )
    else:
        sentence = "Graph did not list the rooms."
    raise AccessDeniedError(
        f"{sentence} (Graph answered {reply.refusal.status_and_code}, request-id {reply.refusal.request_id}.)",
        status=reply.refusal.status, code=reply.refusal.code, request_id=reply.refusal.request_id,
    )  # fmt: skip
