"""Create, change and delete events through Graph itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.contoso import ADA, BEN
from tests.support.graph_client import ROOM

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office

WINDOW = "startDateTime=2035-01-01T00:00:00Z&endDateTime=2035-03-01T00:00:00Z"


def body(**changes: Any) -> dict[str, Any]:
    """Return a create request."""
    return {
        "subject": "Planning",
        "body": {"contentType": "HTML", "content": "Bring numbers."},
        "start": {"dateTime": "2035-01-08T10:00:00", "timeZone": "W. Europe Standard Time"},
        "end": {"dateTime": "2035-01-08T11:00:00", "timeZone": "W. Europe Standard Time"},
        "attendees": [
            {"emailAddress": {"address": BEN, "name": "Ben"}, "type": "required"},
            {"emailAddress": {"address": ROOM}, "type": "resource"},
        ],
        **changes,
    }


def test_a_created_event_reaches_everybody_and_can_be_cancelled(graph: GraphClient, office: Office) -> None:
    """POST creates copies for attendees and rooms; the returned id can be cancelled."""
    made = graph.send("POST", f"/users/{ADA}/events", body())
    assert made.status == 201
    assert made.body["start"]["dateTime"] == "2035-01-08T09:00:00.0000000"
    for mailbox, subject in ((BEN, "Planning"), (ROOM, "Ada Okafor")):
        (copy,) = graph.get(f"/users/{mailbox}/calendarView?{WINDOW}").body["value"]
        assert (copy["subject"], copy["iCalUId"]) == (subject, made.body["iCalUId"])
    assert graph.cancel(ADA, made.body["id"]).status == 202
    (message,) = graph.sandbox.messages(made.body["id"])
    assert message["recipients"] == [BEN, ROOM]


def test_a_created_series(graph: GraphClient, office: Office) -> None:
    """A recurrence in Graph's own format creates all dates."""
    rule = {
        "pattern": {"type": "weekly", "interval": 2, "daysOfWeek": ["monday", "thursday"]},
        "range": {"type": "endDate", "startDate": "2035-01-08", "endDate": "2035-01-25"},
    }
    made = graph.send("POST", f"/users/{ADA}/events", body(recurrence=rule)).body
    assert made["type"] == "seriesMaster"
    seen = graph.get(f"/users/{BEN}/calendarView?{WINDOW}").body["value"]
    assert [event["start"]["dateTime"][:10] for event in seen] == [
        "2035-01-08",
        "2035-01-11",
        "2035-01-22",
        "2035-01-25",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"start": None},
        {"end": {"dateTime": "2035-01-07T10:00:00", "timeZone": "UTC"}},
        {"attendees": [{"type": "required"}]},
        {"recurrence": {"pattern": {"type": "relativeYearly"}, "range": {"type": "noEnd"}}},
    ],
)
def test_an_invalid_event_is_refused(graph: GraphClient, office: Office, change: dict[str, Any]) -> None:
    """A refused create leaves nothing behind."""
    assert graph.send("POST", f"/users/{ADA}/events", body(**change)).status == 400
    assert graph.get(f"/users/{ADA}/events").body["value"] == []


def test_delete_by_the_organizer_is_a_cancel_without_a_comment(graph: GraphClient, office: Office) -> None:
    """DELETE returns 204 and sends a cancellation without a comment."""
    meeting = office.meet()
    assert graph.send("DELETE", f"/users/{ADA}/events/{meeting.id}").status == 204
    (message,) = graph.sandbox.messages(meeting.id)
    assert (message["kind"], message["comment"]) == ("cancellation", None)
    assert graph.get(f"/users/{BEN}/events/{meeting.copies[BEN]}").body["isCancelled"]


def test_delete_by_an_attendee_removes_only_their_copy(graph: GraphClient, office: Office) -> None:
    """An attendee's DELETE cancels nothing."""
    meeting = office.meet()
    assert graph.send("DELETE", f"/users/{BEN}/events/{meeting.copies[BEN]}").status == 204
    assert graph.get(f"/users/{BEN}/events/{meeting.copies[BEN]}").status == 404
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").status == 200
    assert graph.sandbox.messages() == []


def test_an_update_is_sent_and_shown_everywhere(graph: GraphClient, office: Office) -> None:
    """A new subject reaches the attendee's copy; an update is sent, not a cancellation."""
    meeting = office.meet()
    assert graph.send("PATCH", f"/users/{ADA}/events/{meeting.id}", {"subject": "Retro"}).body["subject"] == "Retro"
    assert graph.get(f"/users/{BEN}/events/{meeting.copies[BEN]}").body["subject"] == "Retro"
    assert [message["kind"] for message in graph.sandbox.messages()] == ["update"]
    assert graph.send("PATCH", f"/users/{BEN}/events/{meeting.copies[BEN]}", {"subject": "x"}).status == 403
