"""The sample tenant: Contoso with a month of meetings around today, the same for the same seed and date.

Most of it is there to be looked at and searched. The meetings in :data:`FIXTURES` are there to be cancelled: they exist
on every day, with the ids below, so that a feed file or a test can name them without looking them up first.
"""

from __future__ import annotations

import dataclasses
import datetime
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

from airflow_graph_cancel.sandbox.sample_tenant.contoso import (
    BUILDINGS,
    DEPARTED,
    DEPARTMENTS,
    DOMAIN,
    NORTH_TOWER,
    PARTNER_DOMAIN,
    address_of,
)
from airflow_graph_cancel.sandbox.sample_tenant.diary import Diary, Meeting, work_days
from airflow_graph_cancel.sandbox.sample_tenant.generator import ordinary_meetings, standing_meetings
from airflow_graph_cancel.sandbox.tenant.scheduling import create_event

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.store import Store


@dataclass(frozen=True)
class Fixture:
    """A meeting in North Tower that is always there, on a working day soon after today.

    :param event_id: id of the organizer's copy; for the scope "occurrence" the id of that one occurrence,
        for "series" the id of the series master.
    :param day: which working day after today it falls on, 1 being the next; for a series its first date.
    :param start: London time.
    :param attendees: display names at Contoso, or whole addresses.
    """

    event_id: str
    subject: str
    organizer: str
    day: int
    start: datetime.time
    minutes: int
    rooms: tuple[str, ...]
    attendees: tuple[str, ...]
    scope: Literal["single", "occurrence", "series"] = "single"
    is_private: bool = False

    @property
    def organizer_address(self) -> str:
        """Mailbox whose copy can be cancelled."""
        return address_of(self.organizer)

    def starts(self, today: datetime.date) -> datetime.datetime:
        """Start in a tenant that was built on that day; what a cancellation message quotes."""
        day = work_days(today + datetime.timedelta(days=1), 14)[self.day - 1]
        return datetime.datetime.combine(day, self.start, ZoneInfo(NORTH_TOWER.time_zone))


GUEST = f"nils.berg@{PARTNER_DOMAIN}"
EVERYBODY_IN_NORTH_TOWER = f"north-tower-everybody@{DOMAIN}"

FIXTURES = (
    Fixture("AAMkAGNT-quarterly-business-review-0001=", "Quarterly business review", "Amara Okafor", 1,
            datetime.time(10), 90, ("Beacon",),
            ("Tomasz Wójcik", "Priya Raman", "Oliver Grant", "Marcus Bell", "Sofía Herrera", "Grace Adeyemi",
             "Ingrid Sørensen", "Sanne Visser", "Joris de Vries")),
    Fixture("AAMkAGNT-supplier-onboarding-0002=", "Supplier onboarding: Fabrikam", "Chiara Bianchi", 1,
            datetime.time(14), 60, ("Compass",), ("Daniel Mensah", "Yuki Tanaka", "Rohan Mehta", GUEST)),
    Fixture("AAMkAGNT-fire-warden-briefing-0003=", "Fire warden briefing", "Grace Adeyemi", 1,
            datetime.time(16), 30, ("Meridian",), (EVERYBODY_IN_NORTH_TOWER, "Willem Jansen")),
    Fixture("AAMkAGNT-candidate-interview-0004=", "Candidate interview, controller", "Priya Raman", 2,
            datetime.time(9, 30), 60, ("Almanac",), ("Amara Okafor", "Mateusz Nowak"), is_private=True),
    Fixture("AAMkAGNT-pipeline-weekly-0005-date=", "Sales pipeline", "Marcus Bell", 2, datetime.time(11), 60,
            ("Compass",),
            ("Sofía Herrera", "Wei Zhang", "Aisha Khan", "Björn Lindqvist", "Nadia Petrova", "Callum Fraser"),
            "occurrence"),
    Fixture("AAMkAGNT-budget-with-rotterdam-0006=", "Budget planning with Rotterdam", "Tomasz Wójcik", 2,
            datetime.time(14), 90, ("Lantern", "Anchor"),
            ("Amara Okafor", "Oliver Grant", "Sanne Visser", "Anneke Bakker", "Pedro Almeida")),
    Fixture("AAMkAGNT-contract-review-0007=", "Contract review: lease of Mill Lane", "Ingrid Sørensen", 3,
            datetime.time(10), 60, ("Sextant",), ("Sinéad O'Brien", "Daniel Mensah", "Rosa Martínez")),
    Fixture("AAMkAGNT-analyst-training-0008=", "Analyst training", "Leïla Haddad", 3,
            datetime.time(13), 120, ("Meridian",),
            ("Priya Raman", "Yuki Tanaka", "Fatima Zahra Idrissi", "Wei Zhang", "Aisha Khan", "Kwame Asante",
             "Hannah Weiss"), "series"),
    Fixture("AAMkAGNT-customer-visit-0009=", "Customer visit: Fabrikam", "Sofía Herrera", 4,
            datetime.time(9), 180, ("Beacon",),
            ("Marcus Bell", "Björn Lindqvist", "Ewa Kamińska", GUEST, f"carmen.ortega@{PARTNER_DOMAIN}")),
    Fixture("AAMkAGNT-pay-review-0010=", "Pay review", "Élise Fontaine", 5,
            datetime.time(15), 60, ("Almanac",), ("Grace Adeyemi", "Amara Okafor")),
)  # fmt: skip
"""What the example feeds cancel: North Tower closes, and these are the meetings that cannot take place there.

"Sales pipeline" is one occurrence of a weekly series that goes on; "Analyst training" is the master of a whole
series of four weekly dates; "Budget planning" holds a room in a second building as well.
"""

MEETINGS = 400
"""How many meetings the tenant has, a series counting once."""


def build_sample_tenant(store: Store, *, seed: int, today: datetime.date) -> None:
    """Fill an empty store with Contoso, deterministically from the seed and the date.

    :param seed: decides who meets whom, where and when.
    :param today: the middle of the month of meetings: ten days of past, twenty days to come.
    """
    _add_mailboxes(store)
    diary = Diary()
    rng = random.Random(f"{seed}/{today.isoformat()}")
    days = work_days(today - datetime.timedelta(days=10), 31)
    meetings = [_meeting(fixture, today) for fixture in FIXTURES]
    for meeting in meetings:
        diary.book(meeting)
    meetings.extend(standing_meetings(diary, rng, days))
    meetings.extend(ordinary_meetings(diary, rng, days, MEETINGS - len(meetings)))
    for meeting in meetings:
        _create(store, meeting)


def _meeting(fixture: Fixture, today: datetime.date) -> Meeting:
    start = fixture.starts(today)
    rooms = {room.name: room for building in BUILDINGS for room in building.rooms}
    meeting = Meeting(
        subject=fixture.subject,
        organizer=fixture.organizer_address,
        start=start,
        end=start + datetime.timedelta(minutes=fixture.minutes),
        building=NORTH_TOWER,
        attendees=tuple(name if "@" in name else address_of(name) for name in fixture.attendees),
        rooms=tuple(rooms[name].address for name in fixture.rooms),
        is_private=fixture.is_private,
        event_id=fixture.event_id,
    )
    if fixture.scope == "series":
        return dataclasses.replace(meeting, weekdays=(start.weekday(),), count=4)
    if fixture.scope == "occurrence":
        # The series began a week ago, so that there is something on either side of the date that is cancelled.
        week = datetime.timedelta(weeks=1)
        return dataclasses.replace(
            meeting,
            start=start - week,
            end=meeting.end - week,
            weekdays=(start.weekday(),),
            count=4,
            event_id=None,
            occurrence_ids={start.date(): fixture.event_id},
        )
    return meeting


def _add_mailboxes(store: Store) -> None:
    for building in BUILDINGS:
        for room in building.rooms:
            store.add_mailbox(
                address=room.address,
                display_name=room.name,
                kind="room",
                building=building.name,
                floor=room.floor,
                capacity=room.capacity,
            )
    people = [person for department in DEPARTMENTS for person in department.people]
    for person in people:
        store.add_mailbox(address=person.address, display_name=person.name, kind="user")
    for name in DEPARTED:
        store.add_mailbox(address=address_of(name), display_name=name, kind="user", cloud=False)
    store.add_mailbox(
        address=EVERYBODY_IN_NORTH_TOWER,
        display_name="Everybody in North Tower",
        kind="group",
        members=[person.address for person in people if person.building == NORTH_TOWER],
    )
    store.add_mailbox(
        address=f"data-council@{DOMAIN}",
        display_name="Data Council",
        kind="group",
        members=[person.address for person in people if person.department == "Data Platform"],
    )


def _create(store: Store, meeting: Meeting) -> None:
    create_event(
        store,
        organizer=meeting.organizer,
        subject=meeting.subject,
        start=meeting.start,
        end=meeting.end,
        attendees=list(meeting.attendees),
        rooms=list(meeting.rooms),
        body=f"Agenda and papers for {meeting.subject} are in the shared folder.",
        recurrence=meeting.recurrence,
        is_private=meeting.is_private,
        foreign_uid=meeting.foreign_uid,
        ids={meeting.organizer: meeting.event_id} if meeting.event_id else None,
        occurrence_ids=dict(meeting.occurrence_ids) or None,
        time_zone=meeting.building.time_zone,
    )
