"""Where the service's behaviour is unknown, the sandbox can behave either way."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from airflow_graph_cancel.sandbox.client import SandboxError
from tests.support.contoso import ADA, BEN

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office


def test_the_code_of_the_organizer_only_refusal(graph: GraphClient, office: Office) -> None:
    """Only its message is documented, so the code can be any."""
    graph.sandbox.settings(guesses={"not_organizer_code": "ErrorAccessDenied"})
    reply = graph.cancel(BEN, office.meet().copies[BEN])
    assert (reply.status, reply.code) == (400, "ErrorAccessDenied")


def test_an_event_without_attendees(graph: GraphClient, office: Office) -> None:
    """The cancel sends no message, or is refused because there are no recipients."""
    refused, gone = office.meet(attendees=[], rooms=[]), office.meet(attendees=[], rooms=[])
    graph.sandbox.settings(guesses={"no_attendees": "invalid_recipients"})
    assert graph.cancel(ADA, refused.id).code == "ErrorInvalidRecipients"
    assert graph.get(f"/users/{ADA}/events/{refused.id}").status == 200
    graph.sandbox.settings(guesses={"no_attendees": "accept"})
    assert graph.cancel(ADA, gone.id).status == 202
    assert graph.get(f"/users/{ADA}/events/{gone.id}").status == 404
    assert graph.sandbox.messages() == []


def test_a_second_cancel_may_be_accepted(graph: GraphClient, office: Office) -> None:
    """It still sends no second message, and an id that never existed is still not found."""
    graph.sandbox.settings(guesses={"second_cancel": "accepted"})
    meeting = office.meet()
    assert [graph.cancel(ADA, meeting.id).status for _ in range(3)] == [202, 202, 202]
    assert graph.cancel(ADA, "AAMkAGUnknownUnknown=").status == 404
    assert len(graph.sandbox.messages()) == 1
    assert [request["effect"] for request in graph.sandbox.requests(status=202)] == [True, False, False]


def test_the_effect_may_come_later_than_the_202(graph: GraphClient, office: Office) -> None:
    """The event exists for a while; a second cancel meanwhile sends no second message."""
    graph.sandbox.settings(guesses={"effect_delay": 0.3})
    meeting = office.meet()
    assert graph.cancel(ADA, meeting.id).status == 202
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").status == 200
    assert graph.sandbox.messages() == []
    assert graph.cancel(ADA, meeting.id).status == 202
    time.sleep(0.35)
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").status == 404
    assert len(graph.sandbox.messages()) == 1
    assert [request["effect"] for request in graph.sandbox.requests(status=202)] == [True, False]


def test_filtering_by_uid(graph: GraphClient, office: Office) -> None:
    """It is refused on v1.0 except by the other guess; beta accepts it."""
    meeting = office.meet()
    wanted = "filter=" + quote(f"uid eq '{meeting.uid}'")
    path = f"/users/{ADA}/events?${wanted}"
    assert graph.get(path).code == "UnsupportedEntityExpression"
    assert [event["id"] for event in graph.get(f"/beta{path}").body["value"]] == [meeting.id]
    graph.sandbox.settings(guesses={"uid_filter": "supported"})
    assert [event["id"] for event in graph.get(path).body["value"]] == [meeting.id]


def test_an_event_addressed_through_another_calendar(graph: GraphClient, office: Office) -> None:
    """It is not found there, or by the other guess found."""
    meeting = office.meet(calendar="Projects")
    path = f"/users/{ADA}/calendar/events/{meeting.id}/cancel"
    assert graph.send("POST", path).code == "ErrorItemNotFound"
    graph.sandbox.settings(guesses={"calendar_mismatch": "accepted"})
    assert graph.send("POST", path).status == 202


def test_occurrences_by_their_oid(graph: GraphClient, office: Office) -> None:
    """``OID.<master>.<date>`` is malformed, or by the other guess cancels that date."""
    meeting = office.meet(recurrence={"type": "weekly", "count": 3})
    oid = f"OID.{meeting.id}.2035-01-15"
    assert graph.cancel(ADA, oid).code == "ErrorInvalidIdMalformed"
    graph.sandbox.settings(guesses={"occurrence_addresses": "accepted"})
    assert graph.cancel(ADA, oid).status == 202
    assert [message["occurrence"] for message in graph.sandbox.messages()] == ["2035-01-15"]
    assert graph.cancel(ADA, oid).code == "ErrorItemNotFound"


def test_a_cancelled_event_by_its_immutable_id(graph: GraphClient, office: Office) -> None:
    """It is gone, or by the other guess its immutable id finds it in Deleted Items."""
    prefer = 'IdType="ImmutableId"'
    meeting = office.meet()
    immutable = graph.get(f"/users/{ADA}/events/{meeting.id}", Prefer=prefer).body["id"]
    graph.cancel(ADA, meeting.id)
    assert graph.get(f"/users/{ADA}/events/{immutable}", Prefer=prefer).status == 404
    graph.sandbox.settings(guesses={"deleted_by_immutable_id": "found"})
    found = graph.get(f"/users/{ADA}/events/{immutable}", Prefer=prefer)
    assert (found.status, found.body["id"], found.body["isCancelled"]) == (200, immutable, True)
    assert graph.get(f"/users/{ADA}/events/{meeting.id}").status == 404


def test_sending_limits(graph: GraphClient, office: Office) -> None:
    """The 31st message in a minute is delivered a minute after the first; beyond the day's limit none is."""
    graph.sandbox.settings(guesses={"sending_limits": "on"})
    crowd = [f"guest{number}@fabrikam.example" for number in range(320)]
    meetings = [office.meet(attendees=crowd, rooms=[]) for _ in range(32)]
    assert {graph.cancel(ADA, meeting.id).status for meeting in meetings} == {202}
    messages = graph.sandbox.messages()
    sent = [datetime.datetime.fromisoformat(message["at"]) for message in messages]
    delivered = [message["delivered"] and datetime.datetime.fromisoformat(message["delivered"]) for message in messages]
    assert delivered[:30] == sent[:30]
    assert delivered[30] == sent[0] + datetime.timedelta(minutes=1)
    assert delivered[31] is None


def test_unknown_members_of_the_body(graph: GraphClient, office: Office) -> None:
    """They are ignored, or by the other guess refused."""
    meeting = office.meet()
    body = {"comment": "x", "sendResponse": True}
    path = f"/users/{ADA}/events/{meeting.id}/cancel"
    graph.sandbox.settings(guesses={"unknown_members": "reject"})
    assert graph.send("POST", path, body).status == 400
    graph.sandbox.settings(guesses={"unknown_members": "ignore"})
    assert graph.send("POST", path, body).status == 202


@pytest.mark.parametrize(
    "change",
    [
        {"latency": -1},
        {"latency": "fast"},
        {"nosuch": 1},
        {"per_mailbox_concurrency": 0},
        {"out_of_scope": "ada@contoso.example"},
        {"guesses": {"retry_after": "never"}},
        {"guesses": {"nosuch": 1}},
    ],
)
def test_invalid_settings_change_nothing(graph: GraphClient, change: dict[str, object]) -> None:
    """An invalid value is refused, and the valid ones with it do not apply either."""
    before = graph.sandbox.settings()
    with pytest.raises(SandboxError, match="error"):
        graph.sandbox.settings(**{"token_lifetime": 5, **change})
    assert graph.sandbox.settings() == before
