"""The sandbox can create everything that makes an organizer's copy hard to find."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from airflow_graph_cancel.sandbox.client import SandboxError
from tests.support.contoso import ADA, BEN

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office

ROOM, SIDE_ROOM = "atrium@contoso.example", "cellar@contoso.example"
JANUARY = "startDateTime=2035-01-01T00:00:00Z&endDateTime=2035-02-01T00:00:00Z"
WEEKLY = {"type": "weekly", "days_of_week": ["monday"], "count": 4}
LEGACY = "/o=ExchangeLabs/ou=Group (FYDIBOHF23)/cn=Recipients/cn=7f-ada"
WHOLE_DAY = {"is_all_day": True, "start": "2035-01-08T00:00:00-05:00", "end": "2035-01-09T00:00:00-05:00"}


def view(graph: GraphClient, mailbox: str, window: str = JANUARY, **headers: Any) -> list[dict[str, Any]]:
    """Return the events in a mailbox's view."""
    return list(graph.get(f"/users/{mailbox}/calendarView?{window}&$top=100", **headers).body["value"])


@pytest.fixture
def side_room(office: Office) -> str:
    """A second room."""
    office.sandbox.add_mailbox(SIDE_ROOM, kind="room", building="South Wing")
    return SIDE_ROOM


# All-day events


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Tokyo Standard Time"])
def test_all_day_events_start_at_midnight_in_every_zone(graph: GraphClient, office: Office, zone: str) -> None:
    """The date is the same and the time is midnight in every time zone."""
    office.meet(**WHOLE_DAY)
    (event,) = view(graph, ROOM, Prefer=f'outlook.timezone="{zone}"')
    assert event["isAllDay"]
    assert event["start"] == {"dateTime": "2035-01-08T00:00:00.0000000", "timeZone": zone}
    assert event["end"] == {"dateTime": "2035-01-09T00:00:00.0000000", "timeZone": zone}


def test_an_all_day_series_keeps_its_midnights_across_the_clock_change(graph: GraphClient, office: Office) -> None:
    """A day of 23 hours is an all-day event too."""
    office.meet(
        is_all_day=True,
        start="2035-03-24T00:00:00+00:00",
        end="2035-03-25T00:00:00+00:00",
        time_zone="Europe/London",
        recurrence={"type": "daily", "count": 3},
    )
    window = "startDateTime=2035-03-20T00:00:00Z&endDateTime=2035-03-30T00:00:00Z"
    days = [(each["start"]["dateTime"], each["end"]["dateTime"]) for each in view(graph, ADA, window)]
    midnight = "2035-03-{}T00:00:00.0000000".format
    assert days == [(midnight(day), midnight(day + 1)) for day in (24, 25, 26)]


@pytest.mark.parametrize(
    ("guess", "offset", "asked", "found"),
    [
        # The day is the eighth in the event's zone, in UTC, or in the reader's zone.
        ("own_zone", "-05:00", "Asia/Tokyo", ["2035-01-08T05:00Z", "2035-01-09T04:59Z"]),
        ("utc", "-05:00", "Asia/Tokyo", ["2035-01-08T00:00Z", "2035-01-08T23:59Z"]),
        ("asked_zone", "-05:00", "Asia/Tokyo", ["2035-01-07T15:00Z", "2035-01-08T14:59Z"]),
        ("own_zone", "+09:00", "America/New_York", ["2035-01-07T15:00Z", "2035-01-08T14:59Z"]),
        ("utc", "+09:00", "America/New_York", ["2035-01-08T00:00Z", "2035-01-08T23:59Z"]),
        ("asked_zone", "+09:00", "America/New_York", ["2035-01-08T05:00Z", "2035-01-09T04:59Z"]),
    ],
)
def test_the_zone_in_which_a_window_finds_all_day_events_is_a_guess(
    graph: GraphClient, office: Office, guess: str, offset: str, asked: str, found: list[str]
) -> None:
    """The first and the last minute find the event; the minutes before and after do not."""
    graph.sandbox.settings(guesses={"all_day_window": guess})
    office.meet(is_all_day=True, start=f"2035-01-08T00:00:00{offset}", end=f"2035-01-09T00:00:00{offset}")
    for minute, beyond in zip(found, (-1, 1), strict=True):
        for step, count in ((0, 1), (beyond, 0)):
            moment = _shifted(minute, step)
            window = f"startDateTime={moment}&endDateTime={_shifted(moment, 1)}"
            seen = view(graph, ROOM, window, Prefer=f'outlook.timezone="{asked}"')
            assert len(seen) == count, (moment, seen)


def _shifted(minute: str, minutes: int) -> str:
    moment = datetime.datetime.fromisoformat(minute) + datetime.timedelta(minutes=minutes)
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def test_an_all_day_event_must_start_at_midnight(graph: GraphClient, office: Office) -> None:
    """Neither the control API nor Graph accepts an all-day event that starts at nine."""
    with pytest.raises(SandboxError, match="midnight"):
        office.meet(is_all_day=True)
    times = {name: {"dateTime": "2035-01-08T09:00:00", "timeZone": "UTC"} for name in ("start", "end")}
    times["end"]["dateTime"] = "2035-01-08T10:00:00"
    assert graph.send("POST", f"/users/{ADA}/events", {"subject": "x", "isAllDay": True, **times}).status == 400
    for name, day in (("start", "08"), ("end", "09")):
        times[name]["dateTime"] = f"2035-01-{day}T00:00:00"
    assert graph.send("POST", f"/users/{ADA}/events", {"subject": "x", "isAllDay": True, **times}).body["isAllDay"]


# How the organizer is named


@pytest.mark.parametrize(
    "spelt",
    [
        "ADA@Contoso.example",
        "a.okafor@contoso.example",
        LEGACY,
    ],
)
def test_the_organizers_address_may_be_spelt_differently(graph: GraphClient, office: Office, spelt: str) -> None:
    """Attendees and rooms see the other spelling; the organizer's copy has the mailbox's address."""
    office.meet(organizer_elsewhere=spelt)
    for mailbox, address in ((ROOM, spelt), (BEN, spelt), (ADA, ADA)):
        (event,) = view(graph, mailbox)
        assert event["organizer"]["emailAddress"] == {"name": "Ada Okafor", "address": address}


def test_a_mailbox_can_be_addressed_by_an_alias(graph: GraphClient, office: Office) -> None:
    """It is the same mailbox, with the same ids and the same ledger entries; by the other guess it is unknown."""
    graph.sandbox.add_mailbox("dora@contoso.example", aliases=["d.kaya@contoso.example", "dora@old.example"])
    meeting = office.meet(organizer="dora@contoso.example")
    assert graph.get(f"/users/D.KAYA@contoso.example/events/{meeting.id}").status == 200
    assert graph.sandbox.requests()[-1]["mailbox"] == "dora@contoso.example"
    for properties in (
        {"address": "dora@old.example"},
        {"address": "eva@old.example", "aliases": ["DORA@old.example"]},
    ):
        with pytest.raises(SandboxError, match="taken"):
            graph.sandbox.add_mailbox(**properties)
    graph.sandbox.settings(guesses={"alias_addresses": "unknown"})
    assert graph.get(f"/users/dora@old.example/events/{meeting.id}").code == "ErrorInvalidUser"
    assert graph.get(f"/users/dora@contoso.example/events/{meeting.id}").status == 200


def test_a_legacy_address_is_unknown(graph: GraphClient, office: Office) -> None:
    """Graph knows no user by Exchange's own form of an address."""
    assert graph.get(f"/users/{quote(LEGACY, safe='')}/events").code == "ErrorInvalidUser"


def test_the_organizer_may_be_among_the_attendees(graph: GraphClient, office: Office) -> None:
    """There is still one copy in that mailbox, and the organizer gets no mail."""
    meeting = office.meet(attendees=[ADA, BEN])
    (own,) = view(graph, ADA)
    assert own["isOrganizer"]
    assert [each["emailAddress"]["address"] for each in own["attendees"]] == [ADA, BEN, ROOM]
    graph.cancel(ADA, meeting.id)
    assert graph.sandbox.messages()[0]["recipients"] == [BEN, ROOM]


def test_a_room_may_be_invited_as_a_person(graph: GraphClient, office: Office) -> None:
    """It behaves as a room, although its type is not resource."""
    office.meet(attendees=[{"address": ROOM, "type": "required"}, {"address": BEN, "type": "optional"}], rooms=[])
    (seen,) = view(graph, ROOM)
    assert seen["subject"] == "Ada Okafor"
    assert [each["type"] for each in seen["attendees"]] == ["required", "optional"]
    with pytest.raises(SandboxError, match="an attendee must be"):
        office.meet(attendees=[{"name": "x"}])


def test_a_room_may_be_the_organizer(graph: GraphClient, office: Office) -> None:
    """A booking at the door: the room's copy is the organizer's, shows the subject, and can be cancelled."""
    meeting = office.meet(organizer=ROOM, rooms=[], subject="Booked at the door")
    (own,) = view(graph, ROOM)
    assert (own["isOrganizer"], own["subject"]) == (True, "Booked at the door")
    assert graph.cancel(ROOM, meeting.copies[ROOM]).status == 202
    assert view(graph, ROOM) == []


# Dates of a series that are different


def test_a_series_can_be_created_with_exceptions(graph: GraphClient, office: Office) -> None:
    """A date can be moved, even past midnight, and renamed; its ids keep the original date; no update is sent."""
    meeting = office.meet(
        recurrence=WEEKLY,
        exceptions={
            "2035-01-15": {"start": "2035-01-16T23:30:00-05:00", "end": "2035-01-17T00:30:00-05:00"},
            "2035-01-22": {"subject": "Review, the long one", "end": "2035-01-22T15:00:00Z"},
        },
    )
    first, moved, longer, _ = view(graph, ADA)
    assert (first["type"], moved["type"], longer["type"]) == ("occurrence", "exception", "exception")
    assert (moved["start"]["dateTime"], moved["end"]["dateTime"]) == (
        "2035-01-17T04:30:00.0000000",
        "2035-01-17T05:30:00.0000000",
    )
    assert (longer["subject"], longer["end"]["dateTime"]) == ("Review, the long one", "2035-01-22T15:00:00.0000000")
    assert [moved["id"], longer["id"]] == [each["id"] for each in meeting.occurrences[ADA][1:3]]
    assert moved["iCalUId"][32:40] == "07F3010F"
    assert graph.sandbox.messages() == []


@pytest.mark.parametrize(
    "exceptions",
    [
        {"2035-01-16": {}},
        {"2035-01-15": {"nosuch": 1}},
        {"2035-01-15": {"end": "2035-01-14T00:00:00Z"}},
        {"2035-01-15": {"rooms": 3}},
        {"soon": {}},
    ],
)
def test_an_invalid_exception_creates_nothing(graph: GraphClient, office: Office, exceptions: dict[str, Any]) -> None:
    """An unknown date, an unknown key and an end before the start are refused."""
    with pytest.raises(SandboxError, match='"error"'):
        office.meet(recurrence=WEEKLY, exceptions=exceptions)
    assert view(graph, ADA) == []


@pytest.mark.parametrize(("guess", "dated"), [("dated", True), ("clean", False)])
def test_a_room_that_is_invited_to_one_date_has_no_series(
    graph: GraphClient, office: Office, side_room: str, guess: str, dated: bool
) -> None:
    """Its copy has no series, and the organizer's iCalUId of that date or, by the other guess, of the series."""
    graph.sandbox.settings(guesses={"orphan_uid": guess})
    meeting = office.meet(recurrence=WEEKLY, exceptions={"2035-01-15": {"rooms": [side_room]}})
    (orphan,) = view(graph, side_room)
    second = view(graph, ADA)[1]
    assert (orphan["type"], orphan["seriesMasterId"]) == ("exception", None)
    assert orphan["iCalUId"] == (second["iCalUId"] if dated else meeting.uid)
    assert orphan["start"] == second["start"]
    assert [each["emailAddress"]["address"] for each in second["attendees"]] == [BEN, ROOM, side_room]
    assert second["type"] == "exception"
    listed = graph.get(f"/users/{side_room}/events").body["value"]
    assert [each["id"] for each in listed] == [orphan["id"]] == [meeting.occurrences[side_room][0]["id"]]
    filtered = quote(f"iCalUId eq '{orphan['iCalUId']}'")
    assert [each["id"] for each in graph.get(f"/users/{side_room}/events?$filter={filtered}").body["value"]] == [
        orphan["id"]
    ]


def test_an_orphan_follows_its_date_and_the_whole_series(graph: GraphClient, office: Office, side_room: str) -> None:
    """A cancel of another date leaves it; a cancel of its date or of the series marks it and notifies the room."""
    exceptions = {"2035-01-15": {"rooms": [side_room]}}
    for cancelled, flagged in ((2, False), (1, True), (None, True)):
        graph.sandbox.clear_ledger()
        meeting = office.meet(recurrence=WEEKLY, exceptions=exceptions)
        event_id = meeting.id if cancelled is None else meeting.occurrences[ADA][cancelled]["id"]
        assert graph.cancel(ADA, event_id).status == 202
        copy = graph.get(f"/users/{side_room}/events/{meeting.copies[side_room]}").body
        assert copy["isCancelled"] is flagged
        told = [side_room in message["recipients"] for message in graph.sandbox.messages()]
        assert told == ([False, True] if cancelled is None else [flagged])
    graph.sandbox.settings(guesses={"no_attendees": "invalid_recipients"})
    lonely = office.meet(attendees=[], rooms=[], recurrence=WEEKLY, exceptions=exceptions)
    first, second, *_ = lonely.occurrences[ADA]
    assert graph.cancel(ADA, first["id"]).code == "ErrorInvalidRecipients"
    assert graph.cancel(ADA, second["id"]).status == 202


def test_an_orphan_is_removed_with_its_date(graph: GraphClient, office: Office, side_room: str) -> None:
    """It is moved with its date and removed with it; a date that stays keeps it."""
    for date, left in (("2035-01-15", 1), ("2035-01-29", 0)):
        meeting = office.meet(recurrence=WEEKLY, exceptions={date: {"rooms": [side_room]}})
        number = 1 if date == "2035-01-15" else 3
        later = {"start": {"dateTime": f"{date}T12:00:00", "timeZone": "UTC"}}
        moved = meeting.occurrences[ADA][number]["id"]
        assert graph.send("PATCH", f"/users/{ADA}/events/{moved}", later).status == 200
        path = f"/users/{side_room}/events/{meeting.copies[side_room]}"
        assert graph.get(path).body["start"]["dateTime"] == f"{date}T12:00:00.0000000"
        rule = graph.get(f"/users/{ADA}/events/{meeting.id}").body["recurrence"]
        rule["range"] = {"type": "endDate", "startDate": "2035-01-08", "endDate": "2035-01-20"}
        assert graph.send("PATCH", f"/users/{ADA}/events/{meeting.id}", {"recurrence": rule}).status == 200
        assert (graph.get(path).status == 200) is bool(left)


# Leftovers


def test_a_meeting_that_was_cancelled_earlier(graph: GraphClient, office: Office) -> None:
    """The organizer's copy is gone, the others are marked as cancelled, and the ledger has no message."""
    meeting = office.meet(cancelled=True)
    assert view(graph, ADA) == []
    assert [each["isCancelled"] for each in view(graph, ROOM)] == [True]
    assert graph.cancel(ADA, meeting.id).code == "ErrorItemNotFound"
    series = office.meet(recurrence=WEEKLY, cancelled=["2035-01-15"])
    assert [each["id"] for each in view(graph, ADA)] == [
        each["id"] for number, each in enumerate(series.occurrences[ADA]) if number != 1
    ]
    assert [each["isCancelled"] for each in view(graph, BEN) if each["seriesMasterId"]] == [False, True, False, False]
    assert graph.sandbox.messages() == []
    for change, why in (
        ({"cancelled": ["2035-01-16"]}, "no date 2035-01-16"),
        ({"cancelled": True, "organizer": "guest@fabrikam.example"}, "no mailbox"),
    ):
        with pytest.raises(SandboxError, match=why):
            office.meet(recurrence=WEEKLY, **change)


def test_rooms_keep_cancelled_meetings_by_default(graph: GraphClient, office: Office) -> None:
    """RemoveCanceledMeetings is off by default, as in Exchange."""
    graph.sandbox.add_mailbox("tidy@contoso.example", kind="room", remove_canceled_meetings=True)
    office.meet(rooms=[ROOM, "tidy@contoso.example"], cancelled=True)
    assert [len(view(graph, room)) for room in (ROOM, "tidy@contoso.example")] == [1, 0]


def test_only_some_copies_may_be_marked_as_cancelled(graph: GraphClient, office: Office, side_room: str) -> None:
    """A room that was removed from a meeting keeps a cancelled copy, while the meeting takes place."""
    meeting = office.meet(cancelled_in=[side_room])
    assert [each["isCancelled"] for each in view(graph, side_room)] == [True]
    (own,) = view(graph, ADA)
    assert not own["isCancelled"]
    assert side_room not in str(own["attendees"])
    assert graph.cancel(ADA, meeting.id).status == 202
    with pytest.raises(SandboxError, match="no mailbox"):
        office.meet(cancelled_in=["nobody@contoso.example"])


def test_the_organizers_copy_may_be_marked_as_cancelled(graph: GraphClient, office: Office) -> None:
    """The room's copy does not show it yet; another cancel sends no message."""
    meeting = office.meet(cancelled_in=[ADA])
    assert [each["isCancelled"] for each in (*view(graph, ADA), *view(graph, ROOM))] == [True, False]
    assert graph.cancel(ADA, meeting.id).status == 202
    assert graph.sandbox.messages() == []


def test_a_participant_may_have_no_copy(graph: GraphClient, office: Office) -> None:
    """An organizer who deleted their copy, a room that declined: the other copies do not show it."""
    lost = office.meet(no_copy_in=[ADA])
    assert ADA not in lost.copies
    assert (view(graph, ADA), len(view(graph, ROOM))) == ([], 1)
    declined = office.meet(no_copy_in=[ROOM])
    (own,) = view(graph, ADA)
    assert own["id"] == declined.id
    assert ROOM in str(own["attendees"])
    assert len(view(graph, ROOM)) == 1


@pytest.mark.parametrize("recurrence", [None, WEEKLY])
def test_a_rooms_own_copy_can_be_deleted(graph: GraphClient, office: Office, recurrence: dict[str, Any] | None) -> None:
    """A room's DELETE removes that meeting or date from the room; the meeting stays, and no message is sent."""
    meeting = office.meet(recurrence=recurrence)
    before = len(view(graph, ROOM))
    event_id = meeting.occurrences[ROOM][1]["id"] if recurrence else meeting.copies[ROOM]
    assert graph.send("DELETE", f"/users/{ROOM}/events/{event_id}").status == 204
    assert len(view(graph, ROOM)) == before - 1
    assert len(view(graph, ADA)) == before
    assert graph.sandbox.messages() == []


# Windows and change keys


def test_a_window_is_half_open(graph: GraphClient, office: Office) -> None:
    """A meeting that ends at its start or starts at its end is outside; one without length counts at its start."""
    spans = ["09:00 10:00", "09:59 10:01", "10:00 10:00", "10:30 10:30", "10:59 11:01", "11:00 11:00", "11:00 12:00"]
    for number, (start, end) in enumerate(map(str.split, spans)):
        office.meet(subject=str(number), start=f"2035-01-08T{start}:00Z", end=f"2035-01-08T{end}:00Z")
    window = "startDateTime=2035-01-08T10:00:00Z&endDateTime=2035-01-08T11:00:00Z"
    assert [each["subject"] for each in view(graph, ADA, window)] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(("guess", "changed"), [("series", [True, True, True]), ("date", [True, False, False])])
def test_a_cancelled_date_changes_the_keys_of_the_others(
    graph: GraphClient, office: Office, guess: str, changed: list[bool]
) -> None:
    """In Exchange a series is one item, so all its dates get another change key; by the other guess only the master."""
    graph.sandbox.settings(guesses={"change_key": guess})
    meeting = office.meet(recurrence=WEEKLY)
    watched = [meeting.id, meeting.occurrences[ADA][0]["id"], meeting.occurrences[ADA][3]["id"]]

    def keys() -> list[str]:
        found = [graph.get(f"/users/{ADA}/events/{event_id}").body for event_id in watched]
        assert all(each["@odata.etag"] == f'W/"{each["changeKey"]}"' for each in found)
        return [each["changeKey"] for each in found]

    before = keys()
    assert keys() == before
    graph.cancel(ADA, meeting.occurrences[ADA][1]["id"])
    assert [old != new for old, new in zip(before, keys(), strict=True)] == changed


def test_each_copy_has_its_own_change_key(graph: GraphClient, office: Office) -> None:
    """The room's copy and the organizer's copy have different change keys."""
    office.meet()
    assert view(graph, ADA)[0]["changeKey"] != view(graph, ROOM)[0]["changeKey"]


def test_a_foreign_series_has_one_icaluid_for_all_its_dates(graph: GraphClient, office: Office) -> None:
    """Its dates differ only by their start."""
    office.meet(recurrence=WEEKLY, foreign_uid="feed-7@fabrikam.example")
    assert {each["iCalUId"] for each in view(graph, ROOM)} == {"feed-7@fabrikam.example"}
    assert len({each["start"]["dateTime"] for each in view(graph, ROOM)}) == 4


# Calendars that cannot be reached


def test_a_view_without_a_calendar_shows_the_default_calendar(graph: GraphClient, office: Office) -> None:
    """A meeting in another calendar is not in it, except by the other guess; by its id it is found."""
    meeting = office.meet(calendar="Projects")
    assert view(graph, ADA) == graph.get(f"/users/{ADA}/events").body["value"] == []
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").status == 200
    graph.sandbox.settings(guesses={"unnamed_calendar": "all"})
    assert [each["id"] for each in view(graph, ADA)] == [meeting.id]
    assert [each["id"] for each in graph.get(f"/users/{ADA}/events").body["value"]] == [meeting.id]


def test_a_room_may_be_unreachable(graph: GraphClient, office: Office) -> None:
    """It is on premises, or outside the application's scope."""
    graph.sandbox.add_mailbox("vault@contoso.example", kind="room", cloud=False)
    assert graph.get(f"/users/vault@contoso.example/calendarView?{JANUARY}").code == "MailboxNotEnabledForRESTAPI"
    graph.sandbox.settings(out_of_scope=[ROOM])
    assert graph.get(f"/users/{ROOM}/calendarView?{JANUARY}", app="sandbox-scoped").code == "ErrorAccessDenied"
    assert graph.sandbox.connection_as("sandbox-scoped")["login"] == "sandbox-scoped"


def test_organizers_may_be_out_of_scope(graph: GraphClient, office: Office) -> None:
    """The room can be read; its organizer cannot, by any address."""
    graph.sandbox.add_mailbox("dora@contoso.example", aliases=["d.kaya@contoso.example"])
    graph.sandbox.settings(out_of_scope=["dora@contoso.example"])
    office.meet(organizer="dora@contoso.example", organizer_elsewhere="d.kaya@contoso.example")
    (seen,) = graph.get(f"/users/{ROOM}/calendarView?{JANUARY}", app="sandbox-scoped").body["value"]
    address = seen["organizer"]["emailAddress"]["address"]
    assert graph.get(f"/users/{address}/calendarView?{JANUARY}", app="sandbox-scoped").code == "ErrorAccessDenied"
