"""Recurring meetings: masters, occurrences, exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.contoso import ADA, BEN
from tests.support.graph_client import ROOM

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Meeting, Office

WINDOW = "startDateTime=2035-01-01T00:00:00Z&endDateTime=2035-03-01T00:00:00Z"
WEEKLY = {"type": "weekly", "days_of_week": ["monday"], "count": 4}


def view(graph: GraphClient, mailbox: str) -> list[dict[str, Any]]:
    """Return the events in a mailbox's view."""
    return list(graph.get(f"/users/{mailbox}/calendarView?{WINDOW}&$top=100").body["value"])


def ids(meeting: Meeting, mailbox: str = ADA) -> list[str]:
    """Return the ids of the occurrences in a mailbox."""
    return [occurrence["id"] for occurrence in meeting.occurrences[mailbox]]


def test_views_show_occurrences_and_lists_show_masters(graph: GraphClient, office: Office) -> None:
    """A view never holds the master, /events never an occurrence, /instances only the series."""
    meeting = office.meet(recurrence=WEEKLY)
    assert [(event["id"], event["type"], event["seriesMasterId"]) for event in view(graph, ADA)] == [
        (each, "occurrence", meeting.id) for each in ids(meeting)
    ]
    (master,) = graph.get(f"/users/{ADA}/events").body["value"]
    assert (master["id"], master["type"]) == (meeting.id, "seriesMaster")
    assert master["recurrence"]["range"]["numberOfOccurrences"] == 4
    instances = graph.get(f"/users/{ADA}/events/{meeting.id}/instances?{WINDOW}").body["value"]
    assert [event["id"] for event in instances] == ids(meeting)


def test_the_icaluid_of_an_occurrence_has_its_date_inside(graph: GraphClient, office: Office) -> None:
    """Digits 33 to 40 hold the original date, zero in the master; all mailboxes agree."""
    meeting = office.meet(recurrence=WEEKLY)
    assert meeting.uid[32:40] == "00000000"
    uids = [event["iCalUId"] for event in view(graph, ADA)]
    assert uids == [event["iCalUId"] for event in view(graph, ROOM)]
    assert [uid[32:40] for uid in uids] == ["07F30108", "07F3010F", "07F30116", "07F3011D"]
    assert {uid[:32] + "00000000" + uid[40:] for uid in uids} == {meeting.uid}


def test_cancelling_an_occurrence_cancels_that_date_only(graph: GraphClient, office: Office) -> None:
    """The date disappears from the organizer's views and is a cancelled exception elsewhere; other dates stay."""
    meeting = office.meet(recurrence=WEEKLY)
    first, second, *others = ids(meeting)
    assert graph.cancel(ADA, second, "Not this week").status == 202

    assert [event["id"] for event in view(graph, ADA)] == [first, *others]
    assert graph.get(f"/users/{ADA}/events/{second}").code == "ErrorItemNotFound"
    assert graph.cancel(ADA, second).code == "ErrorItemNotFound"
    seen = view(graph, BEN)
    assert [event["id"] for event in seen] == ids(meeting, BEN)
    assert [(event["type"], event["isCancelled"]) for event in seen] == [
        ("occurrence", False),
        ("exception", True),
        ("occurrence", False),
        ("occurrence", False),
    ]
    assert seen[1]["subject"] == "Canceled: Review"
    (message,) = graph.sandbox.messages()
    assert (message["occurrence"], message["event_id"]) == ("2035-01-15", second)
    master = graph.get(f"/users/{ADA}/events/{meeting.id}?$select=cancelledOccurrences").body
    assert master["cancelledOccurrences"] == [f"OID.{meeting.id}.2035-01-15"]
    assert "cancelledOccurrences" not in graph.get(f"/users/{ADA}/events/{meeting.id}").body


def test_cancelling_the_master_cancels_past_and_future_dates(graph: GraphClient, office: Office) -> None:
    """The whole series is cancelled, past dates too, with one message."""
    meeting = office.meet(
        start="2020-01-06T10:00:00Z", end="2020-01-06T11:00:00Z", recurrence={"type": "weekly", "count": 1000}
    )
    window = "startDateTime=2020-01-01T00:00:00Z&endDateTime=2020-02-01T00:00:00Z"
    assert graph.cancel(ADA, meeting.id).status == 202
    assert graph.get(f"/users/{ADA}/calendarView?{window}").body["value"] == []
    copies = graph.get(f"/users/{BEN}/calendarView?{window}").body["value"]
    assert copies
    assert all(event["isCancelled"] for event in copies)
    assert [message["occurrence"] for message in graph.sandbox.messages()] == [None]


def test_a_past_exception_gets_no_message(graph: GraphClient, office: Office) -> None:
    """Only the master's message is sent if the moved date is in the past."""
    past = {"start": "2020-01-06T10:00:00Z", "end": "2020-01-06T11:00:00Z"}
    meeting = office.meet(**past, recurrence={"type": "daily", "count": 3})
    moved = {"start": {"dateTime": "2020-01-07T12:00:00", "timeZone": "UTC"}}
    assert graph.send("PATCH", f"/users/{ADA}/events/{ids(meeting)[1]}", moved).status == 200
    graph.cancel(ADA, meeting.id)
    assert [message["kind"] for message in graph.sandbox.messages()] == ["update", "cancellation"]


def test_each_future_exception_gets_its_own_message(graph: GraphClient, office: Office) -> None:
    """Cancelling a master sends one message, and one more for a moved date in the future."""
    meeting = office.meet(recurrence=WEEKLY)
    moved = {"start": {"dateTime": "2035-01-16T08:00:00", "timeZone": "UTC"}}
    changed = graph.send("PATCH", f"/users/{ADA}/events/{ids(meeting)[1]}", moved)
    assert (changed.status, changed.body["type"]) == (200, "exception")
    assert view(graph, BEN)[1]["start"]["dateTime"] == "2035-01-16T08:00:00.0000000"
    expanded = graph.get(f"/users/{ADA}/events/{meeting.id}?$expand=exceptionOccurrences").body
    assert [event["id"] for event in expanded["exceptionOccurrences"]] == [ids(meeting)[1]]
    graph.cancel(ADA, meeting.id)
    sent = [(message["kind"], message["occurrence"]) for message in graph.sandbox.messages()]
    assert sent == [("update", "2035-01-15"), ("cancellation", None), ("cancellation", "2035-01-15")]


@pytest.mark.parametrize("last", ["2035-01-15", "2035-01-20"])
def test_an_earlier_end_removes_the_rest_with_an_update(graph: GraphClient, office: Office, last: str) -> None:
    """PATCH returns 200 with the event; later dates are gone everywhere; an update is sent, not a cancellation."""
    meeting = office.meet(recurrence=WEEKLY)
    rule = graph.get(f"/users/{ADA}/events/{meeting.id}").body["recurrence"]
    rule["range"] = {"type": "endDate", "startDate": "2035-01-08", "endDate": last}
    reply = graph.send("PATCH", f"/users/{ADA}/events/{meeting.id}", {"recurrence": rule})
    assert (reply.status, reply.body["recurrence"]["range"]["endDate"]) == (200, last)
    for mailbox in (ADA, BEN, ROOM):
        assert [event["id"] for event in view(graph, mailbox)] == ids(meeting, mailbox)[:2]
    assert [message["kind"] for message in graph.sandbox.messages()] == ["update"]


def test_a_series_keeps_its_local_time_across_the_clock_change(graph: GraphClient, office: Office) -> None:
    """With a time zone, local time stays ten o'clock, so UTC changes."""
    meeting = office.meet(
        start="2035-03-22T10:00:00+00:00",
        end="2035-03-22T11:00:00+00:00",
        time_zone="Europe/London",
        recurrence={"type": "weekly", "count": 2},
    )
    assert [each["start"] for each in meeting.occurrences[ADA]] == [
        "2035-03-22T10:00:00+00:00",
        "2035-03-29T09:00:00+00:00",
    ]


def test_a_meeting_may_span_the_repeated_hour(graph: GraphClient, office: Office) -> None:
    """Its length counts, although its local end is before its local start; the same for other dates of a series."""
    meeting = office.meet(
        start="2035-10-28T01:50:00+01:00",
        end="2035-10-28T01:10:00+00:00",
        time_zone="Europe/London",
        recurrence={"type": "daily", "count": 2},
    )
    assert [(each["start"], each["end"]) for each in meeting.occurrences[ADA]] == [
        ("2035-10-28T00:50:00+00:00", "2035-10-28T01:10:00+00:00"),
        ("2035-10-29T01:50:00+00:00", "2035-10-29T02:10:00+00:00"),
    ]
