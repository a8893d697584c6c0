"""What is asked of a calendar, and what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_graph_cancel.graph.errors import ServiceUnavailableError, ThrottledError
from airflow_graph_cancel.graph.find.calendar_view import BOOKING, OWN_MEETING, read_calendar_views
from airflow_graph_cancel.graph.model.event import CalendarEvent
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA, BEN
from tests.support.fake_calendars import OPTIONS, FakeCalendars, page, shown, view_of
from tests.support.graph_responses import DENIED, THROTTLED

DAY = Window(datetime(2030, 1, 7, tzinfo=UTC), datetime(2030, 1, 8, tzinfo=UTC))


@pytest.fixture
def calendars() -> FakeCalendars:
    """Ada has a meeting of hers and one of Ben's; Ben may not be read."""
    calendars = FakeCalendars()
    calendars.show(ADA, shown("AAMk1=", ADA, isOrganizer=True), shown("AAMk2=", BEN, "12:00", "13:00"))
    calendars.refuse(BEN, DENIED)
    return calendars


def test_each_mailbox_gives_its_events_or_a_refusal(calendars: FakeCalendars) -> None:
    """A refusal of one says nothing about the others."""
    views = calendars.run(read_calendar_views(calendars.client, [BEN, ADA], DAY, OPTIONS, select=BOOKING))
    assert list(views) == [BEN, ADA]
    assert views[BEN] == DENIED
    assert ids(views[ADA]) == ["AAMk1=", "AAMk2="]


def test_meetings_of_others_can_be_left_out(calendars: FakeCalendars) -> None:
    """Of an organizer only what it organizes is looked at, so that what others sent cannot disturb."""
    calendars.show(ADA, shown("AAMk1=", ADA, isOrganizer=True), {"id": "half an event"})
    views = calendars.run(read_calendar_views(calendars.client, [ADA], DAY, OPTIONS, select=OWN_MEETING, own_only=True))
    assert ids(views[ADA]) == ["AAMk1="]
    with pytest.raises(ServiceUnavailableError):
        calendars.run(read_calendar_views(calendars.client, [ADA], DAY, OPTIONS, select=OWN_MEETING))


def test_what_may_pass_ends_the_search(calendars: FakeCalendars) -> None:
    """Half of the calendars would be half a plan."""
    calendars.answers[view_of(BEN)] = THROTTLED
    with pytest.raises(ThrottledError):
        calendars.run(read_calendar_views(calendars.client, [ADA, BEN], DAY, OPTIONS, select=BOOKING))


def test_the_request(calendars: FakeCalendars) -> None:
    """A mailbox is one segment of the path whatever it is called; the window is wide enough for whole days."""
    odd = "o'brien/x?y@contoso.example"
    calendars.answers[view_of(odd)] = page()
    calendars.run(read_calendar_views(calendars.client, [odd], DAY, OPTIONS, select=("id", "start")))
    (asked,) = calendars.asked
    path, query = urlsplit(asked).path, parse_qs(urlsplit(asked).query)
    assert path == "/users/o%27brien%2Fx%3Fy%40contoso.example/calendarView"
    assert query == {
        "startDateTime": ["2030-01-06T10:00:00Z"],
        "endDateTime": ["2030-01-08T12:00:00Z"],
        "$select": ["id,start"],
        "$top": ["200"],
    }


def test_subjects_are_not_among_what_is_always_read() -> None:
    """They are private unless somebody asks for them."""
    assert "subject" not in BOOKING + OWN_MEETING


def ids(view: object) -> list[str]:
    """The events of a view."""
    assert isinstance(view, list)
    assert all(isinstance(event, CalendarEvent) for event in view)
    return [event.event_id for event in view]
