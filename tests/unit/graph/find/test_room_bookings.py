"""What rooms are booked for: each meeting once, and none that does not take place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from airflow_graph_cancel.graph.errors import AccessDeniedError, GraphCancelError, MailboxUnavailableError
from airflow_graph_cancel.graph.find.room_bookings import Booking, read_bookings
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA, BEACON, LANTERN
from tests.support.fake_calendars import OPTIONS, FakeCalendars, shown
from tests.support.graph_responses import DENIED, NO_MAILBOX
from tests.support.meetings import DATED, MASTER

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.response import Response

MORNING = Window(datetime(2030, 1, 7, 8, tzinfo=UTC), datetime(2030, 1, 7, 12, tzinfo=UTC))


def bookings(beacon: Sequence[dict[str, object]], lantern: Sequence[dict[str, object]] = ()) -> list[Booking]:
    """What two rooms are booked for in the morning."""
    calendars = FakeCalendars()
    calendars.show(BEACON, *beacon)
    calendars.show(LANTERN, *lantern)
    return calendars.run(read_bookings(calendars.client, [BEACON, LANTERN], MORNING, OPTIONS))


def at(hour: int) -> datetime:
    """A time on that day."""
    return datetime(2030, 1, 7, hour, tzinfo=UTC)


def test_a_meeting_in_two_rooms_is_one() -> None:
    """With both rooms, in the order in which they were named."""
    found = bookings([shown("AAMkB=", ADA)], [shown("AAMkL=", ADA)])
    assert found == [Booking("uid-10:00", at(10), at(11), ADA, "singleInstance", [BEACON, LANTERN])]


@pytest.mark.parametrize(
    ("event", "hours"),
    [
        ({}, [(10, 11)]),
        ({"isCancelled": True}, []),
        ({"start": "06:00"}, [(6, 11)]),
    ],
)
def test_what_takes_place_counts(event: dict[str, Any], hours: list[tuple[int, int]]) -> None:
    """Also if it began before; what was cancelled stays in a room's calendar."""
    found = bookings([shown("AAMkB=", ADA, **event), shown("AAMkLate=", ADA, "12:00", "13:00")])
    assert [(each.start.hour, each.end.hour) for each in found] == hours


def test_a_room_that_was_booked_at_its_panel_is_its_own_organizer() -> None:
    """Whatever name stands in its calendar."""
    (found,) = bookings([shown("AAMkB=", "", isOrganizer=True)])
    assert found.organizer == BEACON


def test_dates_of_one_series_are_told_apart_by_their_time() -> None:
    """Identifiers of other calendar systems are the same for all dates."""
    weekly = {"iCalUId": "weekly-42@calendar.example"}
    found = bookings([shown("AAMk1=", ADA, **weekly), shown("AAMk2=", ADA, "11:00", "12:00", **weekly)])
    assert [each.start for each in found] == [at(10), at(11)]


@pytest.mark.parametrize(("first", "second"), [(MASTER, DATED), (DATED, MASTER)])
def test_the_identifier_that_names_the_date_wins(first: str, second: str) -> None:
    """A room that was invited to one date only may lack it."""
    (found,) = bookings([shown("AAMkB=", ADA, iCalUId=first)], [shown("AAMkL=", ADA, iCalUId=second)])
    assert (found.uid, found.rooms) == (DATED, [BEACON, LANTERN])


def test_copies_without_an_identifier_are_not_thought_to_be_one_meeting() -> None:
    """A guess could cancel the wrong one."""
    found = bookings([shown("AAMkB=", ADA, iCalUId=None)], [shown("AAMkL=", ADA, iCalUId=None)])
    assert [each.rooms for each in found] == [[BEACON], [LANTERN]]


def test_a_meeting_that_a_room_shows_twice_has_that_room_once() -> None:
    """A calendar that changes between two pages may show an event on both."""
    (found,) = bookings([shown("AAMkB=", ADA), shown("AAMkB=", ADA)])
    assert found.rooms == [BEACON]


@pytest.mark.parametrize(("refusal", "kind"), [(DENIED, AccessDeniedError), (NO_MAILBOX, MailboxUnavailableError)])
def test_a_room_that_cannot_be_read_ends_the_search(refusal: Response, kind: type[GraphCancelError]) -> None:
    """What takes place there would be missed, and nobody would know."""
    calendars = FakeCalendars()
    calendars.show(BEACON)
    calendars.refuse(LANTERN, refusal)
    with pytest.raises(kind, match=LANTERN):
        calendars.run(read_bookings(calendars.client, [BEACON, LANTERN], MORNING, OPTIONS))
