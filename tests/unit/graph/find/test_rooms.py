"""Buildings, room lists and addresses become rooms, and no name is silently ignored."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    GraphCancelError,
    InvalidInputError,
    InvalidRequestError,
    ServiceUnavailableError,
)
from airflow_graph_cancel.graph.find.rooms import find_rooms
from airflow_graph_cancel.graph.find.search import Places
from tests.support.contoso import BEACON, LANTERN, PILOT
from tests.support.fake_calendars import OPTIONS, FakeCalendars, page
from tests.support.graph_responses import BROKEN, DENIED, MALFORMED, NO_MAILBOX, TOKEN_REFUSED

FLOOR = "floor2@contoso.example"
ROOMS, LISTS = "/places/microsoft.graph.room", "/places/microsoft.graph.roomlist"


def members_of(address: str) -> str:
    """The path of a room list's rooms."""
    return f"/places/{address.replace('@', '%40')}/microsoft.graph.roomlist/rooms"


def place(address: object, building: object = None, **more: object) -> dict[str, object]:
    """A room or a room list."""
    return {"emailAddress": address, "building": building, **more}


@pytest.fixture
def tower() -> FakeCalendars:
    """Two rooms in North Tower, one of them on the list of the second floor; one in Harbour House; an empty list."""
    calendars = FakeCalendars()
    calendars.answers = {
        ROOMS: page(
            place(BEACON, "North Tower"), place(LANTERN, " north tower"), place(PILOT, "Harbour House"),
            place("nowhere@contoso.example"), place(None, "Ghost House"), place("blank@contoso.example", "  "),
            place("", "North Tower"), place("Quiet@Contoso.example"),
        ),
        LISTS: page(
            place(FLOOR, displayName="Second floor"), place("attic@contoso.example", displayName="Attic"),
            place("a@contoso.example", displayName="Rooms"), place("b@contoso.example", displayName="rooms "),
            place("tower@contoso.example", displayName="North Tower"), place("odd@contoso.example"),
        ),
        members_of(FLOOR): page(place(LANTERN)),
        members_of("attic@contoso.example"): page(),
        members_of("tower@contoso.example"): page(place(PILOT)),
    }  # fmt: skip
    return calendars


def found(calendars: FakeCalendars, **places: Any) -> list[str]:
    """The rooms that these names stand for."""
    return calendars.run(find_rooms(calendars.client, Places(**places), OPTIONS))


@pytest.mark.parametrize(
    ("places", "rooms"),
    [
        ({"rooms": (BEACON,)}, [BEACON]),
        ({"rooms": (BEACON.upper(),)}, [BEACON]),
        ({"rooms": (BEACON, BEACON.title())}, [BEACON]),
        ({"rooms": ("quiet@contoso.example",)}, ["Quiet@Contoso.example"]),
        ({"rooms": ("Anything@contoso.example",), "check_rooms": False}, ["Anything@contoso.example"]),
        ({"rooms": ("Any@contoso.example", "any@contoso.example"), "check_rooms": False}, ["any@contoso.example"]),
        ({"buildings": ("NORTH TOWER ",)}, [BEACON, LANTERN]),
        ({"buildings": ("Second Floor",)}, [LANTERN]),
        ({"room_lists": (FLOOR,)}, [LANTERN]),
        ({"room_lists": (" second floor",)}, [LANTERN]),
        ({"buildings": ("North Tower",), "room_lists": ("North Tower",)}, [PILOT, BEACON, LANTERN]),
        ({"rooms": (PILOT,), "room_lists": (FLOOR,), "buildings": ("North Tower",)}, [PILOT, LANTERN, BEACON]),
        ({}, []),
    ],
)
def test_names_stand_for_rooms(tower: FakeCalendars, places: dict[str, Any], rooms: list[str]) -> None:
    """Each room once, however often and in whatever way it is named."""
    assert found(tower, **places) == rooms


@pytest.mark.parametrize(
    ("places", "reads"),
    [
        ({}, []),
        ({"rooms": (BEACON,), "check_rooms": False}, []),
        ({"rooms": (BEACON,)}, [ROOMS]),
        ({"buildings": ("North Tower",)}, [ROOMS]),
        ({"room_lists": (FLOOR,)}, [members_of(FLOOR)]),
        ({"room_lists": ("Second floor",)}, [LISTS, members_of(FLOOR)]),
        ({"buildings": ("Second floor",)}, [ROOMS, LISTS, members_of(FLOOR)]),
    ],
)
def test_only_what_is_needed_is_read(tower: FakeCalendars, places: dict[str, Any], reads: list[str]) -> None:
    """Rooms that are given by address can do without the permission to list places."""
    found(tower, **places)
    assert [path.partition("?")[0] for path in tower.asked] == reads


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"rooms": ("ada@contoso.example",)}, "^ada@contoso.example is not a known room. Check the spelling. For a"),
        ({"rooms": ("becaon@contoso.example",)}, "not a known room. Did you mean 'beacon@contoso.example'?"),
        ({"rooms": ("beacon@contoso.exmaple",)}, "not a known room. Did you mean 'beacon@contoso.example'?"),
        ({"buildings": ("North Twoer",)}, "no building or room list called 'North Twoer'. Did you mean 'North Tower'?"),
        ({"buildings": ("Secnd floor",)}, "called 'Secnd floor'. Did you mean 'Second floor'?"),
        ({"buildings": ("South",)}, "no building or room list called 'South'. Check the spelling. Nothing was sent."),
        ({"room_lists": ("Harbour House",)}, "no room list called 'Harbour House'. Check the spelling. Nothing"),
        ({"room_lists": ("none@contoso.example",)}, "no room list with the address none@contoso.example"),
        ({"room_lists": ("ROOMS",)}, "2 room lists are called 'ROOMS'. Pass the address of one: a@contoso.example, b@"),
        ({"room_lists": ("Attic",)}, "Attic has no rooms"),
        ({"room_lists": ("attic@contoso.example",)}, "attic@contoso.example has no rooms"),
        ({"buildings": ("attic",)}, "attic has no rooms"),
        ({"buildings": ("Ghost House",)}, "Ghost House has no rooms"),
    ],
)  # fmt: skip
def test_a_slip_is_named(tower: FakeCalendars, places: dict[str, Any], said: str) -> None:
    """A plan without the meetings of a misspelt building would look like a building without meetings."""
    with pytest.raises(InvalidInputError, match=said.replace("?", r"\?")):
        found(tower, **places)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (DENIED, AccessDeniedError, "needs Place.Read.All with admin consent.* check_rooms=False.* 403 ErrorAccessDen"),
        (TOKEN_REFUSED, AccessDeniedError, "needs Place.Read.All"),
        (MALFORMED, InvalidRequestError, "Graph did not list the rooms. .Graph answered 400 ErrorInvalidIdMalformed"),
        (BROKEN, ServiceUnavailableError, "503"),
    ],
)
@pytest.mark.parametrize(
    ("path", "places"),
    [
        (ROOMS, {"rooms": (BEACON,)}),
        (LISTS, {"room_lists": ("Second floor",)}),
        (members_of(FLOOR), {"room_lists": (FLOOR,)}),
        (members_of(FLOOR), {"room_lists": ("Second floor",)}),
    ],
)
def test_what_was_not_listed_ends_the_search(
    tower: FakeCalendars, path: str, places: dict[str, Any], answer: Any, kind: type[GraphCancelError], said: str
) -> None:
    """The permission is named if it is missing, and the way without it."""
    tower.answers[path] = answer
    with pytest.raises(kind, match=said) as refused:
        found(tower, **places)
    assert refused.value.request_id == answer.request_id


def test_a_list_that_is_gone_since_its_name_was_looked_up(tower: FakeCalendars) -> None:
    """Its 404 is not taken for an unknown address, which nobody gave."""
    tower.answers[members_of(FLOOR)] = NO_MAILBOX
    with pytest.raises(InvalidRequestError, match="Graph did not list the rooms"):
        found(tower, room_lists=("Second floor",))
