"""From a search to a plan, with the calendars of rooms and organizers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_graph_cancel.graph.errors import AccessDeniedError, InvalidInputError, MailboxUnavailableError
from airflow_graph_cancel.graph.find.finding import find_events
from airflow_graph_cancel.graph.find.search import Places, Search
from airflow_graph_cancel.graph.model.plan import Plan, Reason
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA, BEACON, BEN, NILS
from tests.support.fake_calendars import OPTIONS, FakeCalendars, resource, shown, view_of
from tests.support.graph_responses import DENIED

DAY = Window(datetime(2030, 1, 7, tzinfo=UTC), datetime(2030, 1, 8, tzinfo=UTC))
IN_BEACON = Places(rooms=(BEACON,), check_rooms=False)


@pytest.fixture
def calendars() -> FakeCalendars:
    """Beacon with a meeting of Ada's, one of Nils's whom nobody knows, and one whose organizer it does not show."""
    calendars = FakeCalendars()
    calendars.show(
        BEACON,
        shown("AAMkRoom1=", ADA),
        shown("AAMkRoom2=", NILS, "11:00", "12:00"),
        shown("AAMkRoom3=", "", "12:00", "13:00"),
    )
    calendars.show(ADA, shown("AAMkAda1=", ADA, isOrganizer=True), shown("AAMkBen=", BEN, "09:00", "10:00"))
    return calendars


def find(calendars: FakeCalendars, **search: Any) -> Plan:
    """The plan for Beacon on one day."""
    arguments: dict[str, Any] = {"window": DAY, "places": IN_BEACON, **search}
    return calendars.run(find_events(calendars.client, Search(**arguments), OPTIONS))


def reasons(plan: Plan) -> dict[str, Reason]:
    """Why bookings are excluded, by organizer."""
    return {each.organizer: each.reason for each in plan.excluded}


def test_what_takes_place_in_a_room_is_found_in_its_organizers_calendar(calendars: FakeCalendars) -> None:
    """And what cannot be cancelled there is excluded with the reason."""
    plan = find(calendars)
    (meeting,) = plan.meetings
    assert (meeting.event_id, meeting.user_id, meeting.rooms) == ("AAMkAda1=", ADA, (BEACON,))
    assert reasons(plan) == {NILS: Reason.EXTERNAL, "": Reason.NOT_FOUND}
    assert plan.window == DAY
    assert abs(plan.made_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_each_calendar_is_read_once_and_nothing_else(calendars: FakeCalendars) -> None:
    """The room, and the organizers that it names."""
    find(calendars)
    assert sorted(path.partition("?")[0] for path in calendars.asked) == sorted(map(view_of, [BEACON, ADA, NILS]))


def test_an_organizer_is_searched_wherever_the_meeting_takes_place(calendars: FakeCalendars) -> None:
    """Together with rooms, each meeting once; meetings of others in that calendar are none of it."""
    calendars.show(
        ADA, shown("AAMkAda1=", ADA, isOrganizer=True), shown("AAMkAda2=", ADA, "15:00", "16:00", isOrganizer=True)
    )
    assert [each.event_id for each in find(calendars, organizers=(ADA,)).meetings] == ["AAMkAda1=", "AAMkAda2="]
    alone = find(calendars, places=Places(), organizers=(ADA,))
    assert [(each.event_id, each.rooms) for each in alone.meetings] == [("AAMkAda1=", ()), ("AAMkAda2=", ())]


def test_what_is_over_is_excluded_without_a_look_at_its_organizer(calendars: FakeCalendars) -> None:
    """Unless somebody wants it: then it is sorted like all others."""
    past = {"start": {"dateTime": "2020-01-07T10:00:00"}, "end": {"dateTime": "2020-01-07T11:00:00"}}
    window = Window(datetime(2020, 1, 7, tzinfo=UTC), datetime(2020, 1, 8, tzinfo=UTC))
    calendars.show(BEACON, {**shown("AAMkRoom1=", ADA, iCalUId="uid"), **past})
    calendars.show(ADA, {**shown("AAMkAda1=", ADA, iCalUId="uid", isOrganizer=True), **past})
    assert reasons(find(calendars, window=window)) == {ADA: Reason.PAST}
    assert len(calendars.asked) == 1
    assert [each.event_id for each in find(calendars, window=window, include_past=True).meetings] == ["AAMkAda1="]


@pytest.mark.parametrize(("scope", "found"), [("dates", "AAMkAda1="), ("series", "AAMkMaster=")])
def test_the_scope_decides_what_a_date_of_a_series_stands_for(calendars: FakeCalendars, scope: str, found: str) -> None:
    """That date, or the whole of its series."""
    date = {"type": "occurrence", "seriesMasterId": "AAMkMaster="}
    calendars.show(ADA, shown("AAMkAda1=", ADA, isOrganizer=True, **date))
    master = shown("AAMkMaster=", ADA, isOrganizer=True, type="seriesMaster")
    calendars.answers["/users/ada%40contoso.example/events/AAMkMaster%3D"] = resource(master)
    assert [each.event_id for each in find(calendars, scope=scope).meetings] == [found]


@pytest.mark.parametrize(
    ("search", "subjects"), [({}, False), ({"with_subjects": True}, True), ({"keep": ("*drill*",)}, True)]
)
def test_subjects_are_read_only_where_they_are_needed(
    calendars: FakeCalendars, search: dict[str, Any], subjects: bool
) -> None:
    """From organizers, if the plan shows them or a pattern looks at them; never from rooms."""
    find(calendars, **search)
    asked = {path.partition("?")[0]: "subject" in path for path in calendars.asked}
    assert asked == {view_of(BEACON): False, view_of(ADA): subjects, view_of(NILS): subjects}


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({"places": Places()}, "Name at least one room, room list, building or organizer"),
        ({"places": Places(rooms=("..",))}, "rooms must not be"),
        ({"places": Places(room_lists=("",))}, "room_list is empty"),
        ({"places": Places(buildings=("North\nTower",))}, "building contains a control character"),
        ({"organizers": ("None",)}, "organizers is None"),
    ],
)
def test_a_search_for_nothing_is_refused_before_anything_is_read(
    calendars: FakeCalendars, search: dict[str, Any], said: str
) -> None:
    """Otherwise an empty plan would look like a building without meetings."""
    with pytest.raises(InvalidInputError, match=said):
        find(calendars, **search)
    assert not calendars.graph.log


def test_somebody_who_was_named_must_be_readable(calendars: FakeCalendars) -> None:
    """An organizer that only a room names may be out of scope; one that was searched for may not."""
    calendars.refuse(NILS, DENIED)
    assert reasons(find(calendars))[NILS] is Reason.OUT_OF_SCOPE
    with pytest.raises(AccessDeniedError, match=NILS):
        find(calendars, organizers=(NILS,))
    calendars.refuse(BEACON, DENIED)
    with pytest.raises(AccessDeniedError, match=BEACON):
        find(calendars)
    with pytest.raises(MailboxUnavailableError, match="nobody@"):
        find(calendars, places=Places(), organizers=("nobody@contoso.example",))
