"""The sample tenant: Contoso with a month of meetings around today, the same for the same seed and date.

Most of its meetings are there to be browsed and searched. The meetings in :data:`FIXTURES` are there to be cancelled:
they exist on every day, with the ids below. A feed file or a test can name them without a lookup.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass, replace
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
from airflow_graph_cancel.sandbox.sample_tenant.generator import (
    FreeBusy,
    Timing,
    ordinary_meetings,
    standing_meetings,
    weekly,
    work_days,
)
from airflow_graph_cancel.sandbox.tenant.scheduling import NewMeeting, create_event

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.store import Store


@dataclass(frozen=True)
class Fixture:
    """A meeting in North Tower that always exists, on a working day soon after today.

    :param event_id: Id of the organizer's copy: of one occurrence for the scope ``occurrence``, of the series master
        for ``series``.
    :param day: Its working day after today, 1 for the next; for a series its first date.
    :param start: London time.
    :param attendees: Display names at Contoso, or addresses.
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
        """The mailbox whose copy can be cancelled."""
        return address_of(self.organizer)

    def starts(self, today: datetime.date) -> datetime.datetime:
        """Return the start in a tenant that was built on that day, as a cancellation message quotes it."""
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
"""What the example feeds cancel: North Tower closes, so these meetings cannot take place there.

"Sales pipeline" is one occurrence of a weekly series that continues; "Analyst training" is the master of a series of
four weekly dates; "Budget planning" also books a room in a second building.
"""

MEETINGS = 400
"""Number of meetings in the tenant; a series counts once."""


def build_sample_tenant(store: Store, *, seed: int, today: datetime.date) -> None:
    """Fill an empty store with Contoso, deterministically from the seed and the date.

    :param seed: Decides who meets whom, where and when.
    :param today: The meetings are from ten days before this date to twenty days after it.
    """
    _add_mailboxes(store)
    busy = FreeBusy()
    rng = random.Random(f"{seed}/{today.isoformat()}")
    days = work_days(today - datetime.timedelta(days=10), 31)
    meetings = [_meeting(busy, fixture, today) for fixture in FIXTURES]
    meetings.extend(standing_meetings(busy, rng, days))
    meetings.extend(ordinary_meetings(busy, rng, days, MEETINGS - len(meetings)))
    for meeting in meetings:
        create_event(store, meeting)


def _meeting(busy: FreeBusy, fixture: Fixture, today: datetime.date) -> NewMeeting:
    start, length = fixture.starts(today), datetime.timedelta(minutes=fixture.minutes)
    # The weekly series began a week earlier, so there are dates before and after the one that is cancelled.
    first = start - datetime.timedelta(weeks=1) if fixture.scope == "occurrence" else start
    recurrence = None if fixture.scope == "single" else weekly([start.weekday()], 4)
    rooms = {room.name: room for building in BUILDINGS for room in building.rooms}
    meeting = busy.book(
        Timing(NORTH_TOWER, first, first + length, recurrence),
        fixture.subject,
        fixture.organizer_address,
        [name if "@" in name else address_of(name) for name in fixture.attendees],
        [rooms[name].address for name in fixture.rooms],
    )
    meeting = replace(meeting, is_private=fixture.is_private)
    if fixture.scope == "occurrence":
        return replace(meeting, occurrence_ids={start.date(): fixture.event_id})
    return replace(meeting, ids={fixture.organizer_address: fixture.event_id})


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
        store.add_mailbox(person.address, display_name=person.name)
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
