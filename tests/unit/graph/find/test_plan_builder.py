"""Each meeting once: to be cancelled, or excluded for a reason that an approver understands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from airflow_graph_cancel.graph.errors import ServiceUnavailableError, ThrottledError
from airflow_graph_cancel.graph.find.organizers import Organizers
from airflow_graph_cancel.graph.find.plan_builder import PlanBuilder
from airflow_graph_cancel.graph.find.search import Search
from airflow_graph_cancel.graph.http.response import Response
from airflow_graph_cancel.graph.model.event import Attendee, CalendarEvent
from airflow_graph_cancel.graph.model.plan import Plan, Reason
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA, BEACON, BEN, LANTERN, NILS
from tests.support.fake_calendars import OPTIONS, FakeCalendars, invited, page, resource, shown
from tests.support.graph_responses import GONE, THROTTLED
from tests.support.meetings import DATED, FOREIGN, HOUR, MASTER, NINE, booking, organizers_copy

MORNING = Window(NINE, NINE + 3 * HOUR)
LONG_BEFORE = NINE - 24 * HOUR


def builder(*copies: CalendarEvent, made_at: Any = LONG_BEFORE, **search: Any) -> PlanBuilder:
    """A plan in the making, for three hours in the morning."""
    organizers = Organizers({ADA: list(copies)}, {}, frozenset({"contoso.example"}))
    return PlanBuilder(Search(MORNING, **search), organizers, [LANTERN], made_at)


def all_of_ada(*copies: CalendarEvent, **arguments: Any) -> Plan:
    """The plan for everything that Ada organizes."""
    making = builder(*copies, **arguments)
    making.include_all_of(ADA)
    return making.build()


def reasons(plan: Plan) -> list[Reason]:
    """Why meetings are excluded; nothing else is in the plan."""
    assert not plan.meetings
    return [each.reason for each in plan.excluded]


def people(*addresses: str) -> tuple[Attendee, ...]:
    """Attendees that are not rooms."""
    return tuple(Attendee(address, False) for address in addresses)


@pytest.mark.parametrize(
    ("properties", "search", "reason"),
    [
        ({"is_cancelled": True}, {}, Reason.CANCELLED),
        ({}, {"made_at": NINE + HOUR}, Reason.PAST),
        ({}, {"made_at": NINE + HOUR - timedelta(seconds=1)}, None),
        ({}, {"made_at": NINE + HOUR, "include_past": True}, None),
        ({"subject": "Fire drill"}, {"keep": ("*drill*",)}, Reason.KEPT),
        ({}, {"keep": ("ada@*",)}, Reason.KEPT),
        ({"organizer": "ada.okafor@contoso.example"}, {"keep": ("ada@*",)}, Reason.KEPT),
        ({"organizer": "ada.okafor@contoso.example"}, {"keep": ("*okafor@*",)}, Reason.KEPT),
        ({"attendees": ()}, {}, Reason.NOBODY),
        ({"attendees": ()}, {"min_people": 1}, Reason.NOBODY),
        ({"attendees": (Attendee(BEACON, True),)}, {}, None),
        ({"attendees": (Attendee(BEACON, True),)}, {"min_people": 1}, Reason.TOO_FEW),
        ({"attendees": people(BEN, NILS)}, {"min_people": 3}, Reason.TOO_FEW),
        ({"attendees": people(BEN, NILS)}, {"min_people": 2}, None),
        ({"is_cancelled": True}, {"made_at": NINE + HOUR, "keep": ("*",)}, Reason.CANCELLED),
        ({"attendees": ()}, {"made_at": NINE + HOUR, "keep": ("*",)}, Reason.PAST),
    ],
)
def test_why_a_meeting_is_excluded(properties: dict[str, Any], search: dict[str, Any], reason: Reason | None) -> None:
    """The first reason that holds, in the order in which it concerns an approver."""
    plan = all_of_ada(organizers_copy(DATED, **properties), **search)
    assert [each.reason for each in plan.excluded] == ([] if reason is None else [reason])
    assert len(plan.meetings) == (reason is None)


def test_a_meeting_says_what_its_cancellation_needs() -> None:
    """The organizer's own id and mailbox, and the rooms that were searched or invited."""
    copy = organizers_copy(DATED, attendees=(*people(BEN, NILS), Attendee(BEACON, True)), subject="Talks")
    (meeting,) = all_of_ada(copy, with_subjects=True).meetings
    assert (meeting.event_id, meeting.user_id, meeting.uid, meeting.change_key) == (copy.event_id, ADA, DATED, "k")
    assert (meeting.start, meeting.end, meeting.rooms) == (NINE, NINE + HOUR, (BEACON,))
    assert (meeting.people, meeting.outside, meeting.scope, meeting.dates) == (2, 1, "dates", 1)
    assert meeting.subject == "Talks"


def test_subjects_are_left_out_unless_asked_for() -> None:
    """Everybody who sees the run would read them."""
    (meeting,) = all_of_ada(organizers_copy(DATED, subject="Talks", series_id=None)).meetings
    assert (meeting.subject, meeting.dates) == (None, 0)


def test_what_was_moved_out_of_the_window_is_not_cancelled() -> None:
    """The room does not know yet; the organizer's calendar is what counts."""
    away = builder(organizers_copy(DATED, NINE + 5 * HOUR))
    away.include(booking(DATED))
    plan = away.build()
    assert reasons(plan) == [Reason.NOT_FOUND]


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
    sorting = builder(organizers_copy(DATED, attendees=invited))
    sorting.include(booking(DATED))
    (meeting,) = sorting.build().meetings
    assert (meeting.people, meeting.outside) == (3, 1)


def test_an_alias_does_not_make_two_of_one() -> None:
    """Found by its room and, under another spelling of the mailbox, by its organizer."""
    there = organizers_copy(DATED)
    both = Organizers({ADA: [there], "ada.l@contoso.example": [there]}, {}, frozenset({"contoso.example"}))
    sorting = PlanBuilder(Search(MORNING), both, (), LONG_BEFORE)
    sorting.include(booking(DATED))
    sorting.include_all_of("ada.l@contoso.example")
    (meeting,) = sorting.build().meetings
    assert meeting.user_id == ADA


def test_a_meeting_of_a_series_by_another_system_is_told_apart_by_its_time() -> None:
    """Two dates of one identifier are two meetings; so are two copies without any."""
    for uid in (FOREIGN, ""):
        first, second = organizers_copy(uid, event_id="AAMk1="), organizers_copy(uid, NINE + HOUR, event_id="AAMk2=")
        assert len(all_of_ada(first, second).meetings) == 2


def test_what_its_organizer_shows_overrules_what_a_room_showed() -> None:
    """Found by its room it was not, found by its organizer it is: cancelled once, with both rooms."""
    sorting = builder(organizers_copy(DATED, attendees=(*people(BEN), Attendee(LANTERN, True))))
    sorting.exclude(Reason.NOT_FOUND, booking(MASTER))
    sorting.include_all_of(ADA)
    plan = sorting.build()
    assert not plan.excluded
    assert plan.meetings[0].rooms == (BEACON, LANTERN)


def test_a_meeting_outside_of_the_window_is_no_part_of_the_plan() -> None:
    """Calendars are asked for a little more than the window."""
    plan = all_of_ada(organizers_copy(DATED, NINE + 3 * HOUR))
    assert (plan.meetings, plan.excluded) == ([], [])


def test_the_plan_is_in_the_order_of_time() -> None:
    """Both what is cancelled and what is not; at the same time by organizer, whatever its case."""
    hours = [organizers_copy(f"uid-{hour}", NINE + hour * HOUR, is_cancelled=hour < 2) for hour in (2, 1, 2.5, 0)]
    plan = all_of_ada(*hours)
    assert [each.start for each in plan.excluded] == [NINE, NINE + HOUR]
    assert [each.start for each in plan.meetings] == [NINE + 2 * HOUR, NINE + 2.5 * HOUR]
    spelt = ("Ben@contoso.example", ADA)
    copies = [organizers_copy(f"uid-{owner}", organizer=owner, is_cancelled=gone) for owner in spelt for gone in (0, 1)]
    plan = all_of_ada(*(replace(copy, uid=f"{copy.uid}{copy.is_cancelled}") for copy in copies))
    assert [each.user_id for each in plan.meetings] == [ADA, "Ben@contoso.example"]
    assert [each.organizer for each in plan.excluded] == [ADA, "Ben@contoso.example"]


def test_an_organizer_without_an_address_is_called_as_the_first_room_has_it() -> None:
    """Graph cannot look up a mailbox by Exchange's legacy address."""
    copy = organizers_copy(DATED, organizer="/o=ExchangeLabs/cn=ada")
    both = Organizers({ADA: [copy], "ada.l@contoso.example": [copy]}, {}, frozenset({"contoso.example"}))
    sorting = PlanBuilder(Search(MORNING), both, (), LONG_BEFORE)
    sorting.include(booking(DATED))
    sorting.include_all_of("ada.l@contoso.example")
    (meeting,) = sorting.build().meetings
    assert meeting.user_id == ADA


class TestWholeSeries:
    """Dates become their master, which stands for past dates too."""

    DATES = (organizers_copy(FOREIGN, NINE + HOUR), organizers_copy(FOREIGN))

    def widened(
        self, *copies: CalendarEvent, master: Response | dict[str, object] | None = None, **search: Any
    ) -> Plan:
        """The plan, with the series of Ada as Graph shows it."""
        calendars = FakeCalendars()
        attendees = [invited(BEN), invited(NILS), invited(LANTERN), invited(BEACON, "resource"), invited(ADA)]
        found: dict[str, Any] = {
            "iCalUId": FOREIGN,
            "type": "seriesMaster",
            "attendees": attendees,
            "subject": "Weekly",
        }
        if not isinstance(master, Response):
            master = resource(shown("AAMkMaster=", ADA, **{**found, **(master or {})}))
        calendars.answers[f"/users/{ADA.replace('@', '%40')}/events/AAMkMaster%3D"] = master
        making = builder(*copies, **search)
        making.include_all_of(ADA)
        calendars.run(making.replace_dates_by_series(calendars.client, OPTIONS))
        self.asked = calendars.asked
        return making.build()

    def test_all_dates_are_one_row(self) -> None:
        """With the master's id and people, from the first date within the window on."""
        (meeting,) = self.widened(*self.DATES).meetings
        assert (meeting.event_id, meeting.change_key, meeting.type) == ("AAMkMaster=", "key", "seriesMaster")
        assert (meeting.scope, meeting.dates, meeting.start) == ("series", 2, NINE)
        assert (meeting.people, meeting.outside, meeting.subject) == (2, 1, None)
        assert len(self.asked) == 1

    def test_the_rooms_of_all_dates_count(self) -> None:
        """A series may move from one room to another."""
        first, second = (
            organizers_copy(FOREIGN, NINE + number * HOUR, attendees=(*people(BEN), Attendee(room, True)))
            for number, room in enumerate((BEACON, LANTERN))
        )
        (meeting,) = self.widened(second, first).meetings
        assert meeting.rooms == (BEACON, LANTERN)

    def test_its_subject_is_shown_if_asked_for(self) -> None:
        """The subject is the series master's."""
        (meeting,) = self.widened(*self.DATES, with_subjects=True).meetings
        assert meeting.subject == "Weekly"

    def test_meetings_that_do_not_recur_stay(self) -> None:
        """No series master is read for them."""
        alone = organizers_copy("uid-1", series_id=None)
        assert [meeting.event_id for meeting in self.widened(alone).meetings] == [alone.event_id]
        assert not self.asked

    def test_meetings_without_an_identifier_stay(self) -> None:
        """Two at the same time are still two."""
        alone = [organizers_copy("", series_id=None, event_id=f"AAMk{number}=") for number in (1, 2)]
        plan = self.widened(*self.DATES, *alone)
        assert {meeting.event_id for meeting in plan.meetings} == {"AAMkMaster=", "AAMk1=", "AAMk2="}

    @pytest.mark.parametrize("properties", [{"is_cancelled": True}, {"attendees": ()}])
    def test_a_date_that_is_excluded_for_another_reason_does_not_keep_its_series(self, properties: Any) -> None:
        """Only what somebody wants to keep does."""
        plan = self.widened(*self.DATES, organizers_copy(FOREIGN, NINE + 2 * HOUR, **properties))
        assert [meeting.scope for meeting in plan.meetings] == ["series"]
        assert len(plan.excluded) == 1

    @pytest.mark.parametrize(
        ("master", "search", "reason"),
        [
            (GONE, {}, Reason.NOT_FOUND),
            ({"subject": "Fire drill"}, {"keep": ("*drill*",)}, Reason.KEPT),
            ({}, {"keep": ("*audit*",)}, Reason.KEPT),
        ],
    )
    def test_all_dates_are_excluded_together(self, master: Any, search: dict[str, Any], reason: Reason) -> None:
        """A series is cancelled as a whole or not at all: one date that is kept keeps it."""
        audit = organizers_copy(FOREIGN, NINE + 2 * HOUR, subject="Audit by the regulator")
        plan = self.widened(*self.DATES, audit, master=master, **search)
        assert reasons(plan) == [reason] * 3
        assert all(each.event_id for each in plan.excluded)

    @pytest.mark.parametrize(
        ("master", "kind"),
        [(THROTTLED, ThrottledError), (page(), ServiceUnavailableError), ({"id": None}, ServiceUnavailableError)],
    )
    def test_a_master_that_was_not_read_ends_the_search(self, master: Any, kind: type[Exception]) -> None:
        """Its dates alone are not what was asked for."""
        with pytest.raises(kind):
            self.widened(*self.DATES, master=master)
