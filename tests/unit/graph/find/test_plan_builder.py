"""Which of an organizer's meetings a booking is: the right one, or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_graph_cancel.graph.find.organizers import Organizers
from airflow_graph_cancel.graph.find.plan_builder import PlanBuilder
from airflow_graph_cancel.graph.find.room_bookings import Booking
from airflow_graph_cancel.graph.find.search import Search
from airflow_graph_cancel.graph.http.response import Response
from airflow_graph_cancel.graph.model.event import Attendee, CalendarEvent
from airflow_graph_cancel.graph.model.plan import Reason
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA

NINE = datetime(2030, 1, 7, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DATED = "040000008200E00074C5B7101A82E00807EE0107F862A1B2C3D4E5F6"
MASTER = DATED[:32] + "00000000" + DATED[40:]
FOREIGN = "weekly-42@calendar.example"


def copy(uid: str, start: datetime = NINE, **more: Any) -> CalendarEvent:
    """The organizer's copy."""
    arguments: dict[str, Any] = {
        "event_id": f"AAMk{start:%d%H}{uid[-3:]}=",
        "uid": uid,
        "change_key": "k",
        "start": start,
        "end": start + HOUR,
        "organizer": ADA,
        "is_organizer": True,
        "is_cancelled": False,
        "type": "occurrence",
        "series_id": "AAMkMaster=",
        "attendees": (Attendee("ben@contoso.example", False),),
        "subject": "",
        **more,
    }
    return CalendarEvent(**arguments)


def booking(uid: str, start: datetime = NINE, kind: str = "occurrence", organizer: str = ADA) -> Booking:
    """What a room shows."""
    return Booking(uid, start, start + HOUR, organizer, kind, ["beacon@contoso.example"])


def organizers(*copies: CalendarEvent, absent: dict[str, Response] | None = None) -> Organizers:
    """Ada's calendar."""
    return Organizers({ADA: list(copies)}, absent or {}, frozenset({"contoso.example"}))


def test_the_same_date_of_the_same_series() -> None:
    """Exchange's identifier names the date, whatever neighbours there are."""
    there = copy(DATED)
    assert organizers(copy(DATED.replace("07EE0107", "07EE0108"), NINE), there).copy_of(booking(DATED)) is there


def test_a_date_that_its_room_still_shows_at_the_old_time() -> None:
    """The identifier is enough: the organizer has moved that very date."""
    moved = copy(DATED, NINE + HOUR)
    assert organizers(moved).copy_of(booking(DATED)) is moved


def test_an_identifier_without_a_date_is_not_enough() -> None:
    """All dates of a foreign series have the same: the one at that time, or none."""
    monday, tuesday = copy(FOREIGN), copy(FOREIGN, NINE + 24 * HOUR)
    assert organizers(monday, tuesday).copy_of(booking(FOREIGN)) is monday
    assert organizers(tuesday).copy_of(booking(FOREIGN)) is Reason.NOT_FOUND


def test_a_room_that_was_invited_to_one_date_only() -> None:
    """Its copy may have another form of the identifier: the same series at the same time."""
    there = copy(DATED)
    assert organizers(there).copy_of(booking(MASTER)) is there
    assert organizers(copy(DATED, NINE + HOUR)).copy_of(booking(MASTER)) is Reason.NOT_FOUND


@pytest.mark.parametrize("uid", ["", "other@calendar.example"])
def test_never_by_time_alone(uid: str) -> None:
    """Ada has another meeting at that time."""
    assert organizers(copy(DATED)).copy_of(booking(uid)) is Reason.NOT_FOUND


def test_two_that_could_be_it_are_none() -> None:
    """A guess would be the wrong meeting half of the time."""
    assert organizers(copy(FOREIGN), copy(FOREIGN, event_id="AAMkTwin=")).copy_of(booking(FOREIGN)) is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("organizer", "status", "code", "reason"),
    [
        ("nils@fabrikam.example", 404, "ErrorInvalidUser", Reason.EXTERNAL),
        ("nils@fabrikam.example", 404, "ResourceNotFound", Reason.EXTERNAL),
        ("leaver@contoso.example", 404, "ErrorInvalidUser", Reason.MAILBOX),
        ("leaver@contoso.example", 404, "MailboxNotEnabledForRESTAPI", Reason.MAILBOX),
        ("nils@fabrikam.example", 404, "MailboxNotEnabledForRESTAPI", Reason.MAILBOX),
        ("/o=exchangelabs/cn=ada", 404, "ErrorInvalidUser", Reason.MAILBOX),
        ("board@contoso.example", 403, "ErrorAccessDenied", Reason.OUT_OF_SCOPE),
        ("odd@contoso.example", 400, "BadRequest", Reason.NOT_FOUND),
    ],
)
def test_why_a_calendar_could_not_be_read(organizer: str, status: int, code: str, reason: Reason) -> None:
    """What an approver can do about it differs."""
    answer = Response(status, {"request-id": "1"}, body={"error": {"code": code, "message": ""}})
    found = organizers(absent={organizer.casefold(): answer}).copy_of(booking(DATED, organizer=organizer))
    assert found is reason


def builder(*copies: CalendarEvent) -> PlanBuilder:
    """A plan in the making for two hours in the morning."""
    return PlanBuilder(Search(Window(NINE, NINE + 2 * HOUR)), organizers(*copies), (), NINE - 24 * HOUR)


def test_what_was_moved_out_of_the_window_is_not_cancelled() -> None:
    """The room does not know yet; the organizer's calendar is what counts."""
    away = builder(copy(DATED, NINE + 5 * HOUR))
    away.include(booking(DATED))
    plan = away.build()
    assert (plan.meetings, [each.reason for each in plan.excluded]) == ([], [Reason.NOT_FOUND])


def test_people_outside_are_those_of_other_domains() -> None:
    """An old Exchange address is somebody within, a group is one, rooms and the organizer are none."""
    invited = (
        Attendee("Ben@Contoso.example", False),
        Attendee("/o=ExchangeLabs/cn=cyd", False),
        Attendee("nils@fabrikam.example", False),
        Attendee("beacon@contoso.example", True),
        Attendee(ADA.upper(), False),
        Attendee("", False),
    )
    sorting = builder(copy(DATED, attendees=invited))
    sorting.include(booking(DATED))
    (meeting,) = sorting.build().meetings
    assert (meeting.people, meeting.outside) == (3, 1)


def test_an_alias_does_not_make_two_of_one() -> None:
    """Found by its room and, under another spelling of the mailbox, by its organizer."""
    there = copy(DATED)
    both = Organizers({ADA: [there], "ada.l@contoso.example": [there]}, {}, frozenset({"contoso.example"}))
    sorting = PlanBuilder(Search(Window(NINE, NINE + 2 * HOUR)), both, (), NINE - 24 * HOUR)
    sorting.include(booking(DATED))
    sorting.include_all_of("ada.l@contoso.example")
    (meeting,) = sorting.build().meetings
    assert meeting.user_id == ADA
