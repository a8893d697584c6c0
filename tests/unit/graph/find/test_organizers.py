"""Which of an organizer's meetings a booking is: the right one, or none and why."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_graph_cancel.graph.errors import GraphCancelError, MailboxUnavailableError, ThrottledError
from airflow_graph_cancel.graph.find.organizers import Organizers, read_organizers
from airflow_graph_cancel.graph.http.response import Response
from airflow_graph_cancel.graph.model.event import CalendarEvent
from airflow_graph_cancel.graph.model.plan import Reason
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA, BEN, NILS
from tests.support.fake_calendars import OPTIONS, FakeCalendars, shown
from tests.support.graph_responses import DENIED, NO_MAILBOX, THROTTLED
from tests.support.meetings import DATED, FOREIGN, HOUR, MASTER, NINE, booking, organizers_copy

MORNING = Window(NINE, NINE + 3 * HOUR)


def organizers(*copies: CalendarEvent, refused: dict[str, Response] | None = None) -> Organizers:
    """Ada's calendar."""
    return Organizers({ADA: list(copies)}, refused or {}, frozenset({"contoso.example"}))


def test_the_same_date_of_the_same_series() -> None:
    """Exchange's identifier names the date, whatever neighbours there are."""
    there = organizers_copy(DATED)
    assert (
        organizers(organizers_copy(DATED.replace("07EE0107", "07EE0108"), NINE), there).copy_of(booking(DATED)) is there
    )


def test_a_date_that_its_room_still_shows_at_the_old_time() -> None:
    """The identifier is enough: the organizer has moved that very date."""
    moved = organizers_copy(DATED, NINE + HOUR)
    assert organizers(moved).copy_of(booking(DATED)) is moved


def test_an_identifier_without_a_date_is_not_enough() -> None:
    """All dates of a foreign series have the same: the one at that time, or none."""
    monday, tuesday = organizers_copy(FOREIGN), organizers_copy(FOREIGN, NINE + 24 * HOUR)
    assert organizers(monday, tuesday).copy_of(booking(FOREIGN)) is monday
    assert organizers(tuesday).copy_of(booking(FOREIGN)) is Reason.NOT_FOUND


def test_a_room_that_was_invited_to_one_date_only() -> None:
    """Its copy may have another form of the identifier: the same series at the same time."""
    there = organizers_copy(DATED)
    assert organizers(there).copy_of(booking(MASTER)) is there
    assert organizers(organizers_copy(DATED, NINE + HOUR)).copy_of(booking(MASTER)) is Reason.NOT_FOUND


@pytest.mark.parametrize("uid", ["", "other@calendar.example"])
def test_never_by_time_alone(uid: str) -> None:
    """Ada has other meetings at that time, one without an identifier."""
    ada = organizers(organizers_copy(DATED), organizers_copy(""))
    assert ada.copy_of(booking(uid)) is Reason.NOT_FOUND


def test_two_that_could_be_it_are_none() -> None:
    """A guess would be the wrong meeting half of the time."""
    assert (
        organizers(organizers_copy(FOREIGN), organizers_copy(FOREIGN, event_id="AAMkTwin=")).copy_of(booking(FOREIGN))
        is Reason.NOT_FOUND
    )


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
    found = organizers(refused={organizer.casefold(): answer}).copy_of(booking(DATED, organizer=organizer))
    assert found is reason


def read(calendars: FakeCalendars, *addresses: str, **arguments: object) -> Organizers:
    """The organizers' calendars in the morning."""
    chosen: dict[str, Any] = {"named": (), "domains": (), "subjects": False, **arguments}
    return calendars.run(read_organizers(calendars.client, addresses, MORNING, OPTIONS, **chosen))


@pytest.fixture
def calendars() -> FakeCalendars:
    """Ada organizes one meeting and goes to another; Ben is out of scope; nobody knows Nils."""
    calendars = FakeCalendars()
    calendars.show(ADA, shown("AAMk1=", ADA, isOrganizer=True, iCalUId=DATED), shown("AAMk2=", BEN, "12:00", "13:00"))
    calendars.refuse(BEN, DENIED)
    return calendars


def test_each_calendar_is_read_once(calendars: FakeCalendars) -> None:
    """However the organizer's address is spelt, and only what it organizes is kept."""
    found = read(calendars, ADA, ADA.title(), named=[ADA.upper()])
    assert len(calendars.asked) == 1
    assert [copy.event_id for copy in found.own("Ada@Contoso.Example")] == ["AAMk1="]


def test_why_a_calendar_was_not_read_is_kept(calendars: FakeCalendars) -> None:
    """The other organizers' meetings are still found."""
    found = read(calendars, ADA, BEN.upper(), NILS, domains=["Contoso.example", ""])
    assert isinstance(found.copy_of(booking(DATED, NINE + HOUR)), CalendarEvent)
    assert found.copy_of(booking(DATED, organizer=BEN.title())) is Reason.OUT_OF_SCOPE
    assert found.copy_of(booking(DATED, organizer=NILS)) is Reason.EXTERNAL
    assert found.copy_of(booking(DATED, organizer="cyd@contoso.example")) is Reason.NOT_FOUND


def test_domains_are_those_of_rooms_and_of_calendars_that_were_read(calendars: FakeCalendars) -> None:
    """Of a calendar that was not read nobody knows whose tenant it is in."""
    assert read(calendars, ADA, NILS, domains=["rooms.example", ""]).domains == {"contoso.example", "rooms.example"}
    calendars.show("/o=ExchangeLabs/cn=cyd")
    assert read(calendars, "/o=ExchangeLabs/cn=cyd").domains == set()


@pytest.mark.parametrize("subjects", [False, True])
def test_subjects_are_read_only_if_somebody_asks(calendars: FakeCalendars, subjects: bool) -> None:
    """Subjects are private, so they are requested only on demand."""
    read(calendars, ADA, subjects=subjects)
    assert ("subject" in calendars.asked[0]) is subjects


@pytest.mark.parametrize(
    ("answer", "named", "kind"),
    [
        (NO_MAILBOX, True, MailboxUnavailableError),
        (THROTTLED, True, ThrottledError),
        (THROTTLED, False, ThrottledError),
    ],
)
def test_what_keeps_the_plan_from_being_whole_ends_the_search(
    calendars: FakeCalendars, answer: Response, named: bool, kind: type[GraphCancelError]
) -> None:
    """A refusal of somebody who was named, and what may pass of anybody."""
    calendars.refuse(NILS, answer)
    with pytest.raises(kind, match=f"(?i){NILS}"):
        read(calendars, ADA, *([] if named else [NILS]), named=[NILS.title()] if named else [])
