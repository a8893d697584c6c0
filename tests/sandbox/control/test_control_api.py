"""The control API and its client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_graph_cancel.sandbox.client import Sandbox, SandboxError
from tests.support.contoso import ADA, BEN
from tests.support.graph_client import ROOM

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office


def test_a_reset_resets_everything(graph: GraphClient, office: Office) -> None:
    """Mailboxes, settings, faults and records are gone; old ids are not found; tokens stay valid."""
    meeting = office.meet()
    graph.cancel(ADA, meeting.id)
    graph.sandbox.settings(latency=0.5, guesses={"second_cancel": "accepted"})
    graph.sandbox.add_fault("503", times=None)
    graph.sandbox.reset()
    assert graph.sandbox.ledger() == {"requests": [], "messages": [], "tokens": 0, "token_requests": []}
    assert graph.sandbox.faults() == []
    assert graph.sandbox.settings()["latency"] == 0
    assert graph.sandbox.state()["mailboxes"] == []
    type(office)(graph.sandbox).meet()
    assert graph.cancel(ADA, meeting.id).code == "ErrorItemNotFound"


def test_a_reset_can_create_the_sample_tenant(graph: GraphClient) -> None:
    """A reset to the sample fills the tenant and leaves the ledger empty."""
    graph.sandbox.reset("sample")
    state = graph.sandbox.state()
    assert len(state["mailboxes"]) > 50
    assert state["messages"] == []
    assert state["requests"] == {}


def test_the_ledger_has_the_details_of_each_request(graph: GraphClient, office: Office) -> None:
    """It has caller, path, status, ids, duration and whether anything changed."""
    meeting = office.meet()
    graph.cancel(ADA, meeting.id, client_request_id="11111111-2222-3333-4444-555555555555")
    (request,) = graph.sandbox.requests()
    fixed = {name: request[name] for name in request if name not in ("n", "at", "seconds", "request_id")}
    assert fixed == {
        "method": "POST",
        "path": f"/v1.0/users/{ADA}/events/{meeting.id}/cancel",
        "status": 202,
        "app": "sandbox-app",
        "mailbox": ADA,
        "client_request_id": "11111111-2222-3333-4444-555555555555",
        "fault": None,
        "batch": None,
        "effect": True,
    }
    assert 0 <= request["seconds"] < 1
    assert graph.sandbox.requests(status=404) == []
    graph.sandbox.clear_ledger()
    assert graph.sandbox.ledger() == {"requests": [], "messages": [], "tokens": 0, "token_requests": []}
    graph.get("/")
    assert graph.sandbox.requests()[0]["n"] > request["n"]


def test_the_ledger_has_the_details_of_each_message(graph: GraphClient, office: Office) -> None:
    """A message has the meeting's subject and times, the organizer, the comment and all recipients."""
    meeting = office.meet()
    graph.cancel(ADA, meeting.id, "The roof leaks.")
    (message,) = graph.sandbox.messages(iCalUId=meeting.uid)
    assert {name: message[name] for name in message if name not in ("at", "delivered")} == {
        "n": 1,
        "kind": "cancellation",
        "organizer": ADA,
        "iCalUId": meeting.uid,
        "event_id": meeting.id,
        "subject": "Review",
        "start": "2035-01-08T10:00:00+00:00",
        "end": "2035-01-08T11:00:00+00:00",
        "comment": "The roof leaks.",
        "occurrence": None,
        "recipients": [BEN, ROOM],
    }


def test_the_state_has_only_what_changed(graph: GraphClient, office: Office) -> None:
    """It says if nothing changed, returns only what changed, and everything after a reset."""
    meeting = office.meet()
    whole = graph.sandbox.state()
    assert not whole["partial"]
    assert len(whole["mailboxes"]) == 5
    assert graph.sandbox.state(since=whole["version"]) == {"version": whole["version"], "unchanged": True}

    graph.cancel(ADA, meeting.id)
    news = graph.sandbox.state(since=whole["version"])
    assert news["partial"]
    assert {mailbox["address"] for mailbox in news["mailboxes"]} == {ADA, BEN, ROOM}
    assert [message["event_id"] for message in news["messages"]] == [meeting.id]
    assert news["requests"] == {"202": 1}
    ben = next(mailbox for mailbox in news["mailboxes"] if mailbox["address"] == BEN)
    assert ben["cancelled"] == 1
    assert (ben["meetings"][0]["subject"], ben["meetings"][0]["is_cancelled"]) == ("Canceled: Review", True)
    assert (ben["meetings"][0]["rooms"], ben["meetings"][0]["attendees"]) == ([ROOM], 1)
    assert graph.sandbox.state(since=news["version"])["unchanged"]

    graph.sandbox.add_fault("503")
    graph.sandbox.settings(latency=0.01)
    news = graph.sandbox.state(since=news["version"])
    assert ([fault["kind"] for fault in news["faults"]], news["settings"]["latency"]) == (["503"], 0.01)
    assert news["mailboxes"] == []

    graph.sandbox.reset()
    assert not graph.sandbox.state(since=news["version"])["partial"]


@pytest.mark.parametrize(
    "properties",
    [
        {"address": ADA},
        {"address": ""},
        {"address": "x@contoso.example", "kind": "robot"},
        {"address": "x@contoso.example", "nosuch": 1},
    ],
)
def test_an_invalid_mailbox_is_explained(graph: GraphClient, office: Office, properties: dict[str, str]) -> None:
    """A taken address, an unknown kind and an unknown property are refused with a sentence."""
    with pytest.raises(SandboxError, match='"error"'):
        graph.sandbox.add_mailbox(**properties)


@pytest.mark.parametrize(
    "change",
    [
        {"start": "2035-01-08T10:00:00"},
        {"end": "2035-01-07T10:00:00Z"},
        {"calendar": "Nosuch"},
        {"recurrence": {"type": "yearly"}},
        {"recurrence": {"type": "daily", "count": 0}},
        {"recurrence": {"type": "daily", "days": 3}},
        {"nosuch": 1},
    ],
)
def test_an_invalid_event_is_explained_and_creates_nothing(
    graph: GraphClient, office: Office, change: dict[str, object]
) -> None:
    """A time without an offset, an end before the start, an unknown calendar and an unknown rule are refused."""
    with pytest.raises(SandboxError, match='"error"'):
        office.meet(**change)
    assert all(mailbox["meetings"] == [] for mailbox in graph.sandbox.state()["mailboxes"])


def test_many_can_be_created_in_one_request(graph: GraphClient, office: Office) -> None:
    """Lists of mailboxes and meetings are returned in their order; an invalid one is explained."""
    made = graph.sandbox.add_mailboxes([{"address": "eva@contoso.example"}, {"address": "finn@contoso.example"}])
    assert [each["address"] for each in made] == ["eva@contoso.example", "finn@contoso.example"]
    when = {"start": "2035-01-08T10:00:00Z", "end": "2035-01-08T11:00:00Z", "organizer": "eva@contoso.example"}
    made = graph.sandbox.create_events([{"subject": each, **when} for each in ("One", "Two")])
    subjects = {each["id"]: each["subject"] for each in graph.sandbox.meetings("EVA@contoso.example")}
    assert [subjects[each["copies"]["eva@contoso.example"]] for each in made] == ["One", "Two"]
    cases: list[tuple[list[Any], str]] = [
        ([{"subject": "x", **when, "nosuch": 1}], "nosuch"),
        (["x"], "a list of them"),
    ]
    for wrong, why in cases:
        with pytest.raises(SandboxError, match=why):
            graph.sandbox.create_events(wrong)


def test_meetings_are_listed_in_full(graph: GraphClient, office: Office) -> None:
    """The list has every copy and every date with all attendees; or those of one mailbox, if named."""
    meeting = office.meet(recurrence={"type": "weekly", "count": 2}, calendar="Projects", is_private=True)
    assert len(graph.sandbox.meetings()) == 6
    first, second = graph.sandbox.meetings(ADA)
    assert second == {
        "id": meeting.occurrences[ADA][1]["id"],
        "mailbox": ADA,
        "calendar": "Projects",
        "subject": "Review",
        "start": "2035-01-15T10:00:00+00:00",
        "end": "2035-01-15T11:00:00+00:00",
        "is_all_day": False,
        "time_zone": "UTC",
        "organizer": ADA,
        "is_organizer": True,
        "is_cancelled": False,
        "is_private": True,
        "type": "occurrence",
        "series_master_id": meeting.id,
        "original_date": "2035-01-15",
        "attendees": 1,
        "rooms": [ROOM],
        "invited": [{"address": BEN, "type": "required"}, {"address": ROOM, "type": "resource"}],
        "iCalUId": meeting.occurrences[ADA][1]["iCalUId"],
    }
    graph.cancel(ADA, first["id"])
    assert [each["is_cancelled"] for each in graph.sandbox.meetings(ROOM)] == [True, False]
    assert len(graph.sandbox.meetings(ADA)) == 1
    with pytest.raises(SandboxError, match="no mailbox"):
        graph.sandbox.meetings("nobody@contoso.example")


def test_ids_can_be_given(graph: GraphClient, office: Office) -> None:
    """A prepared feed can name a meeting, or one date of a series."""
    office.meet(ids={ADA: "AAMkAGFixedFixed="})
    office.meet(recurrence={"type": "weekly", "count": 2}, occurrence_ids={"2035-01-15": "AAMkAGFixedOccurrence="})
    for event_id in ("AAMkAGFixedFixed=", "AAMkAGFixedOccurrence="):
        assert graph.cancel(ADA, event_id).status == 202
        assert graph.cancel(ADA, event_id).code == "ErrorItemNotFound"
    assert [message["occurrence"] for message in graph.sandbox.messages()] == [None, "2035-01-15"]


def test_foreign_identifiers_stay_unchanged(graph: GraphClient, office: Office) -> None:
    """A meeting from another system keeps its iCalUId in all mailboxes."""
    meeting = office.meet(foreign_uid="abc123@fabrikam.example")
    for mailbox in (ADA, BEN):
        shown = graph.get(f"/users/{mailbox}/events/{meeting.copies[mailbox]}").body
        assert shown["iCalUId"] == "abc123@fabrikam.example"


def test_a_running_sandbox_can_be_joined(graph: GraphClient, office: Office) -> None:
    """A second client with address and CA sees the same tenant and the same connections."""
    joined = Sandbox.connect(graph.sandbox.url, graph.sandbox.ca)
    assert joined.state()["version"] == graph.sandbox.state()["version"]
    assert json.dumps(joined.connection) == json.dumps(graph.sandbox.connection)
    assert joined.connection_person == graph.sandbox.connection_person
