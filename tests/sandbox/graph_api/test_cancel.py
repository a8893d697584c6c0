"""What a cancel does, in every mailbox with a copy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.contoso import ADA, BEN, TEAM
from tests.support.graph_client import ROOM

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office

OWN_CALENDAR = {
    "/users/{u}/calendars/{c}/events/{id}/cancel": "sandbox-app",
    "/users/{u}/calendarGroups/{cg}/calendars/{c}/events/{id}/cancel": "sandbox-app",
    "/me/calendars/{c}/events/{id}/cancel": "sandbox-person",
    "/me/calendarGroups/{cg}/calendars/{c}/events/{id}/cancel": "sandbox-person",
}
FORMS = {
    "/me/events/{id}/cancel": "sandbox-person",
    "/users/{u}/events/{id}/cancel": "sandbox-app",
    "/groups/{g}/events/{id}/cancel": "sandbox-person",
    "/me/calendar/events/{id}/cancel": "sandbox-person",
    "/users/{u}/calendar/events/{id}/cancel": "sandbox-app",
    "/groups/{g}/calendar/events/{id}/cancel": "sandbox-person",
    "/me/calendarGroup/calendars/{d}/events/{id}/cancel": "sandbox-person",
    **OWN_CALENDAR,
}


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("form", FORMS)
def test_all_eleven_addresses_cancel(graph: GraphClient, office: Office, form: str, version: str) -> None:
    """Every documented way to address an event reaches it, in v1.0 and beta, and sends one message."""
    projects = office.ada["calendars"][1]
    organizer = TEAM if "{g}" in form else ADA
    meeting = office.meet(organizer=organizer, **({"calendar": "Projects"} if form in OWN_CALENDAR else {}))
    path = form.format(
        u=ADA,
        g=TEAM,
        id=meeting.id,
        c=projects["id"],
        cg=projects["group_id"],
        d=office.ada["default_calendar_id"],
    )

    reply = graph.send("POST", f"/{version}{path}", {"comment": "We are closed."}, app=FORMS[form])

    assert (reply.status, reply.body) == (202, b"")
    (message,) = graph.sandbox.messages(meeting.id)
    assert message["organizer"] == organizer
    assert message["comment"] == "We are closed."
    assert set(message["recipients"]) == {BEN, ROOM}


@pytest.mark.parametrize(
    ("body", "comment"),
    [
        ('{"comment": "a"}', "a"),
        ('{"Comment": "b"}', "b"),
        ('{"Comment": null}', None),
        ("{}", None),
        (None, None),
    ],
)
def test_the_comment_may_have_any_form_that_clients_use(
    graph: GraphClient, office: Office, body: str | None, comment: str | None
) -> None:
    """Both spellings of the parameter, null, an empty object and no body at all are accepted."""
    meeting = office.meet()
    wanted: Any = None if body is None else json.loads(body)
    reply = graph.send("POST", f"/users/{ADA}/events/{meeting.id}/cancel", wanted)
    assert reply.status == 202
    assert [message["comment"] for message in graph.sandbox.messages(meeting.id)] == [comment]


def test_the_organizers_copy_is_removed_and_a_second_cancel_is_a_404(graph: GraphClient, office: Office) -> None:
    """After the 202 the id is not found: by GET, in views, or by another cancel; no second mail is sent."""
    meeting = office.meet()
    assert graph.cancel(ADA, meeting.id).status == 202

    window = "startDateTime=2035-01-01T00:00:00Z&endDateTime=2035-02-01T00:00:00Z"
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").code == "ErrorItemNotFound"
    assert graph.get(f"/users/{ADA}/calendarView?{window}").body["value"] == []
    assert graph.get(f"/users/{ADA}/events").body["value"] == []
    again = graph.cancel(ADA, meeting.id)
    assert (again.status, again.code) == (404, "ErrorItemNotFound")
    assert len(graph.sandbox.messages()) == 1


def test_the_attendees_copy_stays_and_is_marked_as_cancelled(graph: GraphClient, office: Office) -> None:
    """Attendees keep a copy that is cancelled, prefixed, free and of high importance."""
    meeting = office.meet()
    before = graph.get(f"/users/{BEN}/events/{meeting.copies[BEN]}").body
    graph.cancel(ADA, meeting.id)
    copy = graph.get(f"/users/{BEN}/events/{meeting.copies[BEN]}").body
    assert copy["changeKey"] != before["changeKey"]
    assert copy["lastModifiedDateTime"] > before["lastModifiedDateTime"]
    shown = {name: copy[name] for name in ("subject", "isCancelled", "showAs", "importance", "isOrganizer", "type")}
    assert shown == {
        "subject": "Canceled: Review",
        "isCancelled": True,
        "showAs": "free",
        "importance": "high",
        "isOrganizer": False,
        "type": "singleInstance",
    }
    assert copy["responseStatus"]["response"] == "notResponded"


@pytest.mark.parametrize("clears", [False, True])
def test_rooms_keep_or_remove_cancelled_meetings(graph: GraphClient, office: Office, clears: bool) -> None:
    """A room's copy stays, cancelled, unless RemoveCanceledMeetings is on."""
    room = "quiet@contoso.example"
    graph.sandbox.add_mailbox(room, kind="room", remove_canceled_meetings=clears)
    meeting = office.meet(rooms=[room])
    graph.cancel(ADA, meeting.id)
    reply = graph.get(f"/users/{room}/events/{meeting.copies[room]}")
    assert reply.status == (404 if clears else 200)
    assert clears or reply.body["isCancelled"]


@pytest.mark.parametrize("holder", [BEN, ROOM])
def test_only_the_organizer_can_cancel(graph: GraphClient, office: Office, holder: str) -> None:
    """A cancel of an attendee's or a room's copy is refused with the documented message; nothing is sent."""
    meeting = office.meet()
    reply = graph.cancel(holder, meeting.copies[holder])
    assert (reply.status, reply.code) == (400, "ErrorInvalidRequest")
    assert reply.body["error"]["message"] == (
        "Your request can't be completed. You need to be an organizer to cancel a meeting."
    )
    assert graph.sandbox.messages() == []


def test_immutable_ids_are_returned_and_accepted(graph: GraphClient, office: Office) -> None:
    """With the preference, ids are immutable, the response confirms it, and such an id can be cancelled."""
    meeting = office.meet()
    prefer = 'IdType="ImmutableId"'
    reply = graph.get(f"/users/{ADA}/events/{meeting.id}", Prefer=prefer)
    immutable = reply.body["id"]
    assert reply.headers["Preference-Applied"] == "IdType=ImmutableId"
    assert immutable != meeting.id
    assert graph.cancel(ADA, immutable, Prefer=prefer).status == 202
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").status == 404


def test_a_percent_encoded_path_is_decoded_exactly_once(graph: GraphClient, office: Office) -> None:
    """``%3D`` is ``=``, while ``%253D`` is the three characters ``%3D`` and therefore not an id."""
    meeting = office.meet()
    assert graph.cancel("ada%40contoso.example", meeting.id.replace("=", "%253D")).code == "ErrorInvalidIdMalformed"
    assert graph.cancel("ada%40contoso.example", meeting.id.replace("=", "%3D")).status == 202
