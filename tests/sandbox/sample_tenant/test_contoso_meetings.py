"""The sample tenant is plausible, and contains the meetings that the examples name."""

from __future__ import annotations

import datetime
import functools
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from airflow_graph_cancel.sandbox.sample_tenant.contoso import BUILDINGS, DEPARTED, DOMAIN, PARTNER_DOMAIN, address_of
from airflow_graph_cancel.sandbox.sample_tenant.fixtures import FIXTURES, Fixture, build_sample_tenant
from airflow_graph_cancel.sandbox.tenant import effects
from airflow_graph_cancel.sandbox.tenant.identifiers import is_well_formed
from airflow_graph_cancel.sandbox.tenant.outbox import Outbox
from airflow_graph_cancel.sandbox.tenant.store import Store

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.entities import Meeting

SUNDAY = datetime.date(2026, 11, 22)
DAYS = [
    pytest.param(SUNDAY, id="sunday"),
    pytest.param(SUNDAY + datetime.timedelta(days=3), id="wednesday"),
    pytest.param(SUNDAY + datetime.timedelta(days=5), id="friday"),
    pytest.param(datetime.date(2027, 3, 26), id="before European summer time begins"),
    pytest.param(datetime.date(2027, 10, 29), id="before European summer time ends"),
    pytest.param(datetime.date(2027, 12, 30), id="end of year"),
]


def build(today: datetime.date = SUNDAY, seed: int = 1) -> Store:
    """Build a sample tenant that the caller may change."""
    store = Store()
    build_sample_tenant(store, seed=seed, today=today)
    return store


# Building a tenant is slow, so tests that only read share one.
sample = functools.cache(build)


def meetings(store: Store) -> list[Meeting]:
    """List every meeting once, however many copies it has."""
    found = {id(e.meeting): e.meeting for box in store.mailboxes.values() for e in box.events.values()}
    return list(found.values())


def outline(store: Store) -> list[tuple[object, ...]]:
    """Return what the seed and the date decide: who meets when and where."""
    return sorted(
        (m.subject, m.organizer.address, slot.start, slot.end, tuple(a.address for a in m.attendees))
        for m in meetings(store)
        for slot in m.slots.values()
    )


def spans(meeting: Meeting) -> list[tuple[datetime.datetime, datetime.datetime]]:
    """List start and end of a single meeting, or of every date of a series."""
    dates = [date for date in meeting.slots if date is not None or not meeting.recurrence]
    return [(meeting.slots[date].start, meeting.slots[date].end) for date in dates]


def test_seed_and_date_decide_everything() -> None:
    """The same seed and date give the same tenant; another seed or date gives another."""
    assert outline(build()) == outline(build())
    assert outline(build()) != outline(build(seed=2))
    assert outline(build()) != outline(build(SUNDAY + datetime.timedelta(days=1)))


def test_size() -> None:
    """Three buildings, fifteen rooms, sixty people and two who left, 400 meetings in a month around today."""
    store = sample()
    kinds = Counter(box.kind for box in store.mailboxes.values())
    assert kinds == {"room": 15, "user": 62, "group": 2}
    assert Counter(box.building for box in store.mailboxes.values() if box.kind == "room") == {
        "North Tower": 6,
        "Harbour House": 5,
        "Mill Lane": 4,
    }
    everything = meetings(store)
    assert len(everything) == 400
    assert sum(meeting.recurrence is not None for meeting in everything) >= 20
    # Only the fixtures' series continue after the month.
    outside = [
        m for m in everything if not m.recurrence and not -10 <= (m.slots[None].start.date() - SUNDAY).days <= 20
    ]
    assert outside == []


@pytest.mark.parametrize("today", DAYS)
def test_nobody_is_in_two_places_at_once(today: datetime.date) -> None:
    """No room is booked twice at a time, and nobody sits in two meetings."""
    taken: dict[str, list[tuple[datetime.datetime, datetime.datetime]]] = {}
    for meeting in meetings(sample(today)):
        for address in {a.address for a in (meeting.organizer, *meeting.attendees)}:
            taken.setdefault(address, []).extend(spans(meeting))
    clashes = [
        (address, first, second)
        for address, times in taken.items()
        if "everybody" not in address
        for first, second in pairwise(sorted(times))
        if second[0] < first[1]
    ]
    assert clashes == []


@pytest.mark.parametrize("today", DAYS)
def test_business_hours(today: datetime.date) -> None:
    """Every meeting in a room is on a weekday between 8 and 19 o'clock there."""
    zones = {room.address: ZoneInfo(b.time_zone) for b in BUILDINGS for room in b.rooms}
    rooms_used = Counter[str]()
    for meeting in meetings(sample(today)):
        for room in (a.address for a in meeting.attendees if a.kind == "resource"):
            rooms_used[room] += 1
            for start, end in spans(meeting):
                there = start.astimezone(zones[room])
                assert there.weekday() < 5, meeting.subject
                assert there.hour >= 8, meeting.subject
                assert end.astimezone(zones[room]).hour < 19, meeting.subject
    assert set(rooms_used) == set(zones)


def test_rooms_seat_everybody_and_most_meetings_have_one() -> None:
    """Rooms seat all attendees; some meetings have two rooms, a few none."""
    store = sample()
    rooms = Counter[int]()
    for meeting in meetings(store):
        people = [a for a in meeting.attendees if a.kind != "resource"]
        booked = [store.mailbox(a.address) for a in meeting.attendees if a.kind == "resource"]
        rooms[len(booked)] += 1
        assert all(room and room.capacity and room.capacity > len(people) for room in booked[:1])
        assert 1 <= len(people) <= 12
    assert rooms[1] > 300
    assert rooms[2] >= 10
    assert 10 <= rooms[0] <= 50


def test_unusual_meetings() -> None:
    """There are guests, organizers without a mailbox here, private meetings and foreign identifiers."""
    everything = meetings(sample())
    organizers = [meeting.organizer.address for meeting in everything]
    assert sum(address.endswith(f"@{PARTNER_DOMAIN}") for address in organizers) >= 3
    assert sum(address in {address_of(name) for name in DEPARTED} for address in organizers) >= 3
    assert sum(any(a.address.endswith(PARTNER_DOMAIN) for a in m.attendees) for m in everything) >= 10
    assert sum(meeting.is_private for meeting in everything) >= 3
    assert sum("@" in meeting.uid for meeting in everything) == 2
    assert not any(address.endswith(PARTNER_DOMAIN) for address in sample().mailboxes)


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.subject)
def test_fixtures_are_there_on_every_day(fixture: Fixture, today: datetime.date) -> None:
    """A fixture's id finds the organizer's copy of a future North Tower meeting, at the promised time."""
    assert is_well_formed(fixture.event_id)
    mailbox = sample(today).mailbox(fixture.organizer_address)
    assert mailbox is not None
    item = mailbox.items[fixture.event_id]
    meeting = item.event.meeting
    assert item.event.is_organizer
    assert (meeting.subject, item.slot.start) == (fixture.subject, fixture.starts(today))
    assert fixture.starts(today).date() > today
    assert any(a.address == f"{fixture.rooms[0].lower()}@{DOMAIN}" for a in meeting.attendees)
    scope = "single" if not meeting.recurrence else "series" if item.date is None else "occurrence"
    assert scope == fixture.scope


def test_fixtures_can_be_cancelled() -> None:
    """A cancel of each fixture sends one message; the weekly meeting keeps its dates before and after."""
    store, outbox = build(), Outbox()
    for fixture in FIXTURES:
        mailbox = store.mailbox(fixture.organizer_address)
        assert mailbox is not None
        assert effects.cancel(store, outbox, mailbox.items[fixture.event_id], "closed")
    assert [message.event_id for message in outbox.messages] == [fixture.event_id for fixture in FIXTURES]
    weekly = next(m for m in meetings(store) if m.subject == "Sales pipeline")
    mine = next(copy for copy in weekly.copies if copy.is_organizer)
    assert len(weekly.dates()) == 4
    assert len(mine.removed_dates) == 1
    assert min(weekly.dates()) < min(mine.removed_dates) < max(weekly.dates())
