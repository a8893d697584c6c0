"""Views, lists, rooms and people."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from tests.support.contoso import ADA, BEN
from tests.support.graph_client import ROOM

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office

JANUARY = "startDateTime=2035-01-01T00:00:00Z&endDateTime=2035-02-01T00:00:00Z"


def all_pages(graph: GraphClient, path: str) -> list[list[str]]:
    """Follow nextLink unchanged; return the ids of each page."""
    pages = []
    while path:
        body = graph.get(path).body
        pages.append([event["id"] for event in body["value"]])
        path = body.get("@odata.nextLink", "").removeprefix(graph.sandbox.url)
    return pages


def test_a_view_comes_in_pages_of_ten_linked_by_an_opaque_link(graph: GraphClient, office: Office) -> None:
    """Following nextLink unchanged returns every event once, sorted by start."""
    made = [office.meet(start=f"2035-01-{day:02}T09:00:00Z", end=f"2035-01-{day:02}T10:00:00Z") for day in range(1, 24)]
    pages = all_pages(graph, f"/users/{ADA}/calendarView?{JANUARY}&$select=subject")
    assert [len(page) for page in pages] == [10, 10, 3]
    assert [event_id for page in pages for event_id in page] == [meeting.id for meeting in made]
    assert [len(page) for page in all_pages(graph, f"/users/{ADA}/calendarView?{JANUARY}&$top=15")] == [15, 8]


@pytest.mark.parametrize(
    ("window", "found"),
    [
        ("startDateTime=2035-01-08T10:30:00Z&endDateTime=2035-01-08T10:45:00Z", 1),
        ("startDateTime=2035-01-08T11:00:00Z&endDateTime=2035-01-08T12:00:00Z", 0),
        ("startDateTime=2035-01-08T09:00:00Z&endDateTime=2035-01-08T10:00:00Z", 0),
        ("startDateTime=2035-01-08T10:00:00&endDateTime=2035-01-08T10:01:00", 1),
        ("startDateTime=2035-01-08T12:00:00%2B02:00&endDateTime=2035-01-08T12:01:00%2B02:00", 1),
        ("startDateTime=2035-01-08T10:00:00%2B02:00&endDateTime=2035-01-08T10:01:00%2B02:00", 0),
    ],
)
def test_the_offsets_of_the_bounds_decide_the_window(
    graph: GraphClient, office: Office, window: str, found: int
) -> None:
    """A view holds what overlaps the window; bounds without an offset are UTC, whatever the preferred zone."""
    office.meet()
    prefer = 'outlook.timezone="Pacific Standard Time"'
    for headers in ({}, {"Prefer": prefer}):
        assert len(graph.get(f"/users/{ADA}/calendarView?{window}", **headers).body["value"]) == found


@pytest.mark.parametrize("query", ["", "?startDateTime=2035-01-01T00:00:00Z", "?startDateTime=x&endDateTime=y"])
def test_a_view_needs_both_bounds(graph: GraphClient, office: Office, query: str) -> None:
    """A missing or unreadable bound is refused."""
    reply = graph.get(f"/users/{ADA}/calendarView{query}")
    assert (reply.status, reply.code) == (400, "ErrorInvalidParameter")


def test_the_preferred_zone_changes_the_times_shown(graph: GraphClient, office: Office) -> None:
    """Times are UTC unless a zone is preferred, by its Windows or its IANA name; an unknown one is refused."""
    path = f"/users/{ADA}/events/{office.meet().id}?$select=start"
    assert graph.get(path).body["start"] == {"dateTime": "2035-01-08T10:00:00.0000000", "timeZone": "UTC"}
    for zone in ("W. Europe Standard Time", "Europe/Berlin"):
        reply = graph.get(path, Prefer=f'outlook.timezone="{zone}"')
        assert reply.body["start"] == {"dateTime": "2035-01-08T11:00:00.0000000", "timeZone": zone}
        assert reply.headers["Preference-Applied"] == f'outlook.timezone="{zone}"'
    assert graph.get(path, Prefer='outlook.timezone="Middle Earth"').status == 400


def test_a_room_shows_the_organizers_name_and_nothing_private(graph: GraphClient, office: Office) -> None:
    """In a room's copy the subject is the organizer's name, body and privacy are missing, the organizer is real."""
    meeting = office.meet(subject="Salaries", body="Secret", is_private=True)
    room = graph.get(f"/users/{ROOM}/events/{meeting.copies[ROOM]}").body
    own = graph.get(f"/users/{ADA}/events/{meeting.id}").body
    assert (room["subject"], room["body"]["content"], room["sensitivity"]) == ("Ada Okafor", "", "normal")
    assert (own["subject"], own["body"]["content"], own["sensitivity"]) == ("Salaries", "Secret", "private")
    assert room["organizer"]["emailAddress"]["address"] == ADA
    assert (room["isOrganizer"], own["isOrganizer"]) == (False, True)
    assert room["iCalUId"] == own["iCalUId"] == meeting.uid
    assert room["id"] != own["id"]


def test_the_way_from_a_room_to_the_organizers_copy(graph: GraphClient, office: Office) -> None:
    """The iCalUId from the room's view finds the organizer's copy by $filter, and this copy can be cancelled."""
    meeting = office.meet()
    (seen,) = graph.get(f"/users/{ROOM}/calendarView?{JANUARY}").body["value"]
    wanted = quote(f"iCalUId eq '{seen['iCalUId']}'")
    organizer = seen["organizer"]["emailAddress"]["address"]
    (own,) = graph.get(f"/users/{organizer}/events?$filter={wanted}").body["value"]
    assert own["id"] == meeting.id
    assert graph.cancel(organizer, own["id"]).status == 202
    (seen,) = graph.get(f"/users/{ROOM}/calendarView?{JANUARY}").body["value"]
    assert seen["isCancelled"]


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("subject eq 'Review'", 1),
        ("subject eq 'O''Neill'", 0),
        ("start/dateTime ge '2035-01-08T00:00' and isCancelled eq false", 1),
        ("start/dateTime ge '2035-01-09T00:00'", 0),
        (f"organizer/emailAddress/address ne '{ADA}'", 0),
    ],
)
def test_events_can_be_filtered(graph: GraphClient, office: Office, expression: str, found: int) -> None:
    """Comparisons joined by ``and`` work."""
    office.meet()
    assert len(graph.get(f"/users/{ADA}/events?$filter={quote(expression)}").body["value"]) == found


@pytest.mark.parametrize("expression", ["subject", "startswith(subject,'R')", "nosuch eq 'x'"])
def test_other_filters_are_refused_rather_than_ignored(graph: GraphClient, office: Office, expression: str) -> None:
    """An unsupported filter gets a 400, never an unfiltered list."""
    office.meet()
    assert graph.get(f"/users/{ADA}/events?$filter={quote(expression)}").status == 400


def test_select_leaves_only_what_was_asked_for(graph: GraphClient, office: Office) -> None:
    """$select keeps the id and the named properties."""
    body = graph.get(f"/users/{ADA}/events/{office.meet().id}?$select=subject,isCancelled").body
    assert set(body) == {"@odata.etag", "id", "subject", "isCancelled"}


def test_calendars_and_their_events(graph: GraphClient, office: Office) -> None:
    """An event is listed in its own calendar only, and calendars in their own group only."""
    meeting = office.meet(calendar="Projects")
    main, projects, _ = office.ada["calendars"]
    listed = {each["name"]: each for each in graph.get(f"/users/{ADA}/calendars").body["value"]}
    assert set(listed) == {"Calendar", "Projects", "Travel"}
    assert listed["Calendar"]["isDefaultCalendar"]
    assert graph.get(f"/users/{ADA}/calendar").body["id"] == main["id"]
    groups = graph.get(f"/users/{ADA}/calendarGroups").body["value"]
    assert [each["name"] for each in groups] == ["My Calendars", "Work"]
    (only,) = graph.get(f"/users/{ADA}/calendarGroups/{projects['group_id']}/calendars").body["value"]
    assert only["id"] == projects["id"]
    for name, found in (("calendar", 0), (f"calendars/{projects['id']}", 1)):
        assert len(graph.get(f"/users/{ADA}/{name}/events").body["value"]) == found
        assert len(graph.get(f"/users/{ADA}/{name}/calendarView?{JANUARY}").body["value"]) == found
    assert graph.get(f"/users/{ADA}/calendars/{projects['id']}/events/{meeting.id}").status == 200
    assert graph.get(f"/users/{ADA}/calendar/events/{meeting.id}").code == "ErrorItemNotFound"


def test_a_calendar_is_in_its_own_group_only(graph: GraphClient, office: Office) -> None:
    """A calendar, and an event in it, is not found through a group that does not hold the calendar."""
    meeting = office.meet(calendar="Projects")
    main, projects, _ = office.ada["calendars"]
    path = f"/users/{ADA}/calendarGroups/{main['group_id']}/calendars/{projects['id']}"
    for wrong in (path, f"/users/{ADA}/calendarGroup/calendars/{projects['id']}", f"{path}/events/{meeting.id}"):
        assert graph.get(wrong).code == "ErrorItemNotFound"
    right = f"/users/{ADA}/calendarGroups/{projects['group_id']}/calendars/{projects['id']}"
    assert graph.get(f"{right}/events/{meeting.id}").status == 200


def test_rooms_and_room_lists(graph: GraphClient, office: Office) -> None:
    """A building is a room list with an e-mail address; rooms can be filtered by building."""
    graph.sandbox.add_mailbox("cellar@contoso.example", kind="room", building="South Wing")
    rooms = graph.get("/places/microsoft.graph.room").body["value"]
    assert {room["emailAddress"] for room in rooms} == {ROOM, "cellar@contoso.example"}
    lists = graph.get("/places/microsoft.graph.roomlist").body["value"]
    assert {each["displayName"]: each["emailAddress"] for each in lists}["North Tower"] == "north-tower@contoso.example"
    (atrium,) = graph.get("/places/north-tower@contoso.example/microsoft.graph.roomlist/rooms").body["value"]
    assert (atrium["displayName"], atrium["floorNumber"], atrium["capacity"]) == ("Atrium", 3, 12)
    by_building = quote("building eq 'South Wing'")
    (cellar,) = graph.get(f"/places/microsoft.graph.room?$filter={by_building}").body["value"]
    assert cellar["emailAddress"] == "cellar@contoso.example"
    assert graph.get("/places/microsoft.graph.room", app="sandbox-reader").status == 403


def test_room_lists_can_be_made(graph: GraphClient, office: Office) -> None:
    """A room without a building can be in several lists; a list is neither a person nor a calendar."""
    graph.sandbox.add_mailbox("cellar@contoso.example", kind="room")
    for name, members in (("Loud", [ROOM, "cellar@contoso.example", BEN]), ("Cold", ["cellar@contoso.example"])):
        address = f"{name.lower()}@contoso.example"
        graph.sandbox.add_mailbox(address, display_name=name, kind="room_list", members=members)
    lists = {each["displayName"] for each in graph.get("/places/microsoft.graph.roomlist").body["value"]}
    assert lists == {"North Tower", "Loud", "Cold"}
    for name, expected in (("LOUD", [ROOM, "cellar@contoso.example"]), ("cold", ["cellar@contoso.example"])):
        rooms = graph.get(f"/places/{name}@contoso.example/microsoft.graph.roomlist/rooms").body["value"]
        assert [room["emailAddress"] for room in rooms] == expected
    assert rooms[0]["building"] is None
    assert graph.get("/places/nosuch@contoso.example/microsoft.graph.roomlist/rooms").status == 404
    assert graph.get(f"/users/loud@contoso.example/calendarView?{JANUARY}").code == "ErrorInvalidUser"
    assert "loud@contoso.example" not in str(graph.get("/users").body)
    assert "loud@contoso.example" not in str(graph.get("/groups").body)


def test_the_rooms_of_a_building_come_in_pages(graph: GraphClient, office: Office) -> None:
    """nextLink keeps the filter, including quotes in a name; rooms of two domains are one building."""
    for number in range(5):
        domain = "rooms.example" if number % 2 else "contoso.example"
        graph.sandbox.add_mailbox(f"room{number}@{domain}", kind="room", building="St. John's Yard")
    path, found = "/places/microsoft.graph.room?$top=2&$filter=" + quote("building eq 'St. John''s Yard'"), []
    while path:
        body = graph.get(path).body
        found.append([room["emailAddress"] for room in body["value"]])
        path = body.get("@odata.nextLink", "").removeprefix(graph.sandbox.url)
    assert [len(page) for page in found] == [2, 2, 1]
    assert len({room for page in found for room in page}) == 5
    lists = graph.get("/places/microsoft.graph.roomlist").body["value"]
    assert [each["displayName"] for each in lists] == ["North Tower", "St. John's Yard"]


def test_people_and_groups(graph: GraphClient, office: Office) -> None:
    """Users are found by address in any case and by id; groups are not users."""
    ada = graph.get("/users/ADA@contoso.example").body
    assert graph.get(f"/users/{ada['id']}").body == ada
    assert {each["mail"] for each in graph.get("/users").body["value"]} >= {ADA, BEN, ROOM}
    assert [each["mail"] for each in graph.get("/groups").body["value"]] == ["team@contoso.example"]
    assert graph.get("/users/nobody@contoso.example").code == "Request_ResourceNotFound"


@pytest.mark.parametrize("organizer", ["guest@fabrikam.example", "leaver@contoso.example"])
def test_organizers_from_outside_and_those_who_left(graph: GraphClient, office: Office, organizer: str) -> None:
    """The room names them, but their mailbox cannot be opened, so their meetings cannot be cancelled."""
    graph.sandbox.add_mailbox("leaver@contoso.example", cloud=False)
    meeting = office.meet(organizer=organizer)
    seen = graph.get(f"/users/{ROOM}/events/{meeting.copies[ROOM]}").body
    assert seen["organizer"]["emailAddress"]["address"] == organizer
    expected = "ErrorInvalidUser" if "fabrikam" in organizer else "MailboxNotEnabledForRESTAPI"
    assert graph.get(f"/users/{organizer}/events").code == expected
