"""What cannot be searched for is refused with a sentence, and no calendar is read for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from tests.support.connections import set_connection
from tests.support.contoso import ADA, BEACON
from tests.support.plans import create_booking, find, ids

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox


def test_room_lists_of_one_name_are_not_guessed_between(tower: Sandbox) -> None:
    """The last one would win, and the other building stay open."""
    for number in (1, 2):
        tower.add_mailbox(f"list{number}@contoso.example", kind="room_list", display_name="Rooms", members=[BEACON])
    with pytest.raises(AirflowFailException, match="2 room lists are called 'Rooms'"):
        find(room_list="Rooms")


def test_a_room_that_cannot_be_read_ends_the_search(tower: Sandbox) -> None:
    """What takes place there would be missed, and nobody would know."""
    tower.add_mailbox("attic@contoso.example", kind="room", building="North Tower", cloud=False)
    with pytest.raises(AirflowFailException, match=r"attic@contoso\.example"):
        find()


class TestRefused:
    """Arguments that cannot be right end with a message, before any calendar is read."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"building": "North Twoer"}, "'North Twoer'. Did you mean 'North Tower'"),
            ({"room_list": "Attic list"}, "no room list called 'Attic list'"),
            ({"room_list": "attic@contoso.example"}, "no room list with the address attic@contoso.example"),
            ({"rooms": [ADA]}, "ada@contoso.example is not a known room. .* organizers"),
            ({"rooms": ["becaon@contoso.example"]}, "Did you mean 'beacon@contoso.example'"),
            ({"rooms": []}, "Name at least one room, room list, building or organizer"),
            ({"building": "None"}, "building"),
            ({"rooms": "['beacon@contoso.example', None]"}, "rooms contains None"),
            ({"organizers": "nobody@contoso.example"}, "nobody@contoso.example is unknown"),
            ({"start": "2030-01-07"}, "without an offset"),
            ({"timezone": "Europe/Nowhere"}, "not an IANA time zone"),
            ({"end": "2030-01-07T08:00:00Z"}, "not after start"),
            ({"end": "2030-04-07T08:00:00Z"}, "90 days long"),
            ({"scope": "everything"}, "must be dates or series"),
        ],
    )
    def test_a_slip(self, tower: Sandbox, arguments: dict[str, Any], said: str) -> None:
        """The message names the misspelt value."""
        create_booking(tower)
        with pytest.raises(AirflowFailException, match=said):
            find(**arguments)
        assert not tower.requests(path=f"{BEACON.replace('@', '%40')}/calendarView")

    def test_a_building_without_rooms(self, tower: Sandbox) -> None:
        """Nothing found must not look like nothing to do."""
        with pytest.raises(AirflowFailException, match="no building or room list"):
            find(building="South Tower")
        tower.add_mailbox("attic@contoso.example", kind="room_list", display_name="Attic", members=[])
        for where in ({"building": "Attic"}, {"room_list": "Attic"}, {"room_list": "attic@contoso.example"}):
            with pytest.raises(AirflowFailException, match=r"(?i)attic.* has no rooms"):
                find(**where)

    def test_a_room_list_is_found_by_its_name(self, tower: Sandbox) -> None:
        """As a building, too, if no room has that as its building."""
        made = create_booking(tower)
        tower.add_mailbox("floor2@contoso.example", kind="room_list", display_name="Second floor", members=[BEACON])
        for where in ({"building": "second floor"}, {"room_list": "Second Floor"}):
            assert ids(find(**where)) == {made["copies"][ADA]}

    def test_an_app_that_may_not_list_rooms(self, tower: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """The permission is named, and the way without it works for rooms that are given by address."""
        create_booking(tower)
        set_connection(monkeypatch, tower, login="sandbox-reader")
        with pytest.raises(AirflowFailException, match=r"Place\.Read\.All"):
            find(rooms=[BEACON])
        assert len(find(rooms=[BEACON], check_rooms=False)["meetings"]) == 1

    def test_a_longer_window_that_is_meant(self, tower: Sandbox) -> None:
        """Somebody who leaves has meetings for a year."""
        made = create_booking(tower, start="2030-11-07T10:00:00Z", end="2030-11-07T11:00:00Z")
        assert ids(find(organizers=ADA, end="2031-01-07T08:00:00Z", max_days=366)) == {made["copies"][ADA]}
