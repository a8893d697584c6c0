"""A meeting as a calendar shows it."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from airflow_graph_cancel.graph.errors import ServiceUnavailableError
from airflow_graph_cancel.graph.model.event import domain_of, has_date, parse_event, series_uid

MASTER = "040000008200E00074C5B7101A82E00800000000F862A1B2C3D4E5F6"
DATE = "040000008200E00074C5B7101A82E00807E60913F862A1B2C3D4E5F6"


def event(**more: object) -> dict[str, object]:
    """An event as Graph writes it."""
    return {
        "id": "AAMk=",
        "start": {"dateTime": "2030-01-07T10:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2030-01-07T11:00:00.0000000", "timeZone": "UTC"},
        **more,
    }


def test_an_identifier_of_a_date_leads_to_its_series() -> None:
    """Exchange writes the date into its own identifiers, and into nobody else's."""
    assert series_uid(DATE) == series_uid(MASTER) == MASTER
    assert has_date(DATE)
    assert not has_date(MASTER)
    assert series_uid("event-42@calendar.example") == "event-42@calendar.example"
    assert not has_date("event-42@calendar.example")


def test_whole_days_are_the_days_of_the_place() -> None:
    """Graph keeps them at midnight in UTC; they mean midnight where people are."""
    midnights = {
        "start": {"dateTime": "2030-01-07T00:00:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2030-01-08T00:00:00.0000000", "timeZone": "UTC"},
    }
    copy = parse_event(event(isAllDay=True, **midnights), ZoneInfo("America/New_York"))
    assert copy.when == (datetime(2030, 1, 7, 5, tzinfo=UTC), datetime(2030, 1, 8, 5, tzinfo=UTC))
    timed = parse_event(event(isAllDay=False, **midnights), ZoneInfo("America/New_York"))
    assert timed.when == (datetime(2030, 1, 7, tzinfo=UTC), datetime(2030, 1, 8, tzinfo=UTC))


def test_people_are_those_who_are_no_rooms_each_once() -> None:
    """A room reads no mail, and a name that stands twice is one person."""
    invited = [
        {"type": "required", "emailAddress": {"address": "Ben@Contoso.example"}},
        {"type": "optional", "emailAddress": {"address": "ben@contoso.example"}},
        {"type": "resource", "emailAddress": {"address": "beacon@contoso.example"}},
        {"type": "required", "emailAddress": {"address": "all@contoso.example"}},
    ]
    assert parse_event(event(attendees=invited)).people == {"ben@contoso.example", "all@contoso.example"}


@pytest.mark.parametrize(
    "broken", [{"id": None}, {"start": None}, {"end": {"dateTime": "soon"}}, {"start": {"dateTime": 7}}]
)
def test_half_an_event_is_none(broken: dict[str, object]) -> None:
    """An answer that lacks what a decision needs is not guessed at."""
    with pytest.raises(ServiceUnavailableError):
        parse_event(event(**broken))


def test_times_of_another_zone_are_understood() -> None:
    """A service that answers in its own zone is not misread as UTC."""
    start = {"dateTime": "2030-01-07T10:00:00", "timeZone": "Asia/Tokyo"}
    assert parse_event(event(start=start)).start == datetime(2030, 1, 7, 1, tzinfo=UTC)
    with pytest.raises(ServiceUnavailableError):
        parse_event(event(start={"dateTime": "2030-01-07T10:00:00", "timeZone": "Tokyo Standard Time"}))


def test_domains_are_compared_without_case() -> None:
    """And an address without one has none."""
    assert domain_of("Ben@Contoso.Example") == "contoso.example"
    assert domain_of("/o=ExchangeLabs/ou=x/cn=ben") == ""


@pytest.mark.parametrize(
    ("properties", "name", "value"),
    [
        ({"isOrganizer": True}, "is_organizer", True),
        ({"isOrganizer": "true"}, "is_organizer", False),
        ({"isCancelled": True}, "is_cancelled", True),
        ({"isCancelled": None}, "is_cancelled", False),
        ({"isAllDay": True}, "is_all_day", True),
        ({}, "is_all_day", False),
        ({"seriesMasterId": "AAMkMaster="}, "series_id", "AAMkMaster="),
        ({"seriesMasterId": None}, "series_id", None),
        ({"organizer": {"emailAddress": {"address": " ada@contoso.example "}}}, "organizer", "ada@contoso.example"),
        ({"organizer": {"emailAddress": None}}, "organizer", ""),
        ({"attendees": None}, "attendees", ()),
        ({"subject": "Talks", "changeKey": "k", "type": "occurrence"}, "subject", "Talks"),
        ({}, "subject", ""),
    ],
)
def test_each_property_is_read(properties: dict[str, object], name: str, value: object) -> None:
    """What was not selected is empty, and only Graph's own true is true."""
    assert getattr(parse_event(event(**properties)), name) == value


@pytest.mark.parametrize("zone", ["", "UTC", "tzone://Microsoft/Utc"])
def test_utc_has_several_names(zone: str) -> None:
    """Exchange writes the last one for events of some clients."""
    start = {"dateTime": "2030-01-07T10:00:00", "timeZone": zone}
    assert parse_event(event(start=start)).start == datetime(2030, 1, 7, 10, tzinfo=UTC)
