"""What an app can reach, without changing anything: what is told of each mailbox, and what is compared."""

from __future__ import annotations

import base64
import json

import pytest

from airflow_graph_cancel.graph.access import AccessReport, check_access
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import AccessDeniedError, InvalidInputError
from tests.support.fake_graph import Answer, FakeGraph, mailbox_of
from tests.support.graph_responses import BROKEN, DENIED, NO_MAILBOX, REQUEST_ID, TOKEN_REFUSED, event
from tests.support.virtual_clock import virtual_clock

READABLE = event()


def check(
    answers: dict[str, Answer], wanted: list[str], unwanted: list[str] | None = None, *, roles: tuple[str, ...] = ()
) -> tuple[AccessReport, FakeGraph]:
    """Check with a token of these roles; each mailbox is answered so."""
    payload = base64.urlsafe_b64encode(json.dumps({"roles": roles}).encode()).decode().rstrip("=")
    graph = FakeGraph(lambda request: answers[mailbox_of(request)], token=f"e30.{payload}.")
    with virtual_clock() as clock:
        report = clock.run(check_access(graph.client, wanted, unwanted or [], Options(Backoff(retry_for=0))))
    return report, graph


@pytest.mark.parametrize(
    ("answer", "readable", "writable", "says"),
    [
        (READABLE, "yes", "unknown", "Test-ServicePrincipalAuthorization"),
        (DENIED, "no", "no", "may not be read"),
        (TOKEN_REFUSED, "no", "no", "may not be read"),
        (NO_MAILBOX, "unknown", "unknown", "unknown in this tenant"),
        (BROKEN, "unknown", "unknown", "503"),
        (None, "unknown", "unknown", "lost"),
    ],
)
def test_each_mailbox_is_told_as_far_as_it_is_known(answer: Answer, readable: str, writable: str, says: str) -> None:
    """A refusal means no; a mailbox that is down or does not exist leaves it unknown."""
    report, _ = check({"ada": answer}, ["ada"])
    (access,) = report.mailboxes
    assert (access.mailbox, access.readable, access.writable) == ("ada", readable, writable)
    assert says in access.message
    assert access.request_id == (REQUEST_ID if answer is not None else None)


@pytest.mark.parametrize(
    ("roles", "writable"),
    [
        (("Calendars.ReadWrite",), "yes"),
        (("Calendars.ReadWrite.Shared",), "yes"),
        (("Calendars.Read",), "unknown"),
        ((), "unknown"),
    ],
)
def test_a_right_to_write_shows_in_the_token(roles: tuple[str, ...], writable: str) -> None:
    """RBAC for Applications grants one that does not."""
    report, _ = check({"ada": READABLE}, ["ada"], roles=roles)
    assert report.mailboxes[0].writable == writable


def test_the_permissions_that_matter_are_listed() -> None:
    """In order, without those that have nothing to do with calendars."""
    report, _ = check({}, [], roles=("User.Read.All", "Place.Read.All", "Group.Read.All", "Calendars.ReadWrite"))
    assert report.permissions == ("Calendars.ReadWrite", "Group.Read.All", "Place.Read.All")


def test_what_should_be_reached_and_what_should_not() -> None:
    """Each list is compared by itself; a mailbox of which nothing is known is not reached, nor wrongly reached."""
    answers: dict[str, Answer] = {"ada": READABLE, "ben": DENIED, "cleo": READABLE, "dan": DENIED, "eve": BROKEN}
    report, graph = check(answers, ["ada", "ben", "eve", "ada"], ["cleo", "dan", "eve"])
    assert report.not_reached == ("ben", "eve")
    assert report.reached_wrongly == ("cleo",)
    assert [access.mailbox for access in report.mailboxes] == ["ada", "ben", "eve", "cleo", "dan"]
    assert [what for what, _ in graph.log].count("GET") == 5


def test_mailboxes_are_read_in_batches() -> None:
    """As many as Graph works on at a time; only their calendar's id."""
    names = [f"mailbox{number}" for number in range(20)]
    _, graph = check(dict.fromkeys(names, READABLE), names)
    assert [len(sent.requests) for sent in graph.sent] == [4] * 5
    assert {path for what, path in graph.log if what == "GET"} == {f"/users/{name}/calendar" for name in names}


@pytest.mark.parametrize("names", [[""], [".."], ["None"], ["ada", "a\nb"]])
def test_an_invalid_mailbox_is_refused_before_anything_is_read(names: list[str]) -> None:
    """Both lists are checked, and the message names the list."""
    with pytest.raises(InvalidInputError, match="mailboxes"):
        check({}, names)
    with pytest.raises(InvalidInputError, match="must_not_reach"):
        check({}, [], names)


def test_an_app_that_cannot_sign_in_is_an_error() -> None:
    """There is nothing to report then."""
    graph = FakeGraph(lambda _: READABLE, login=AccessDeniedError("Sign-in failed."))
    with virtual_clock() as clock, pytest.raises(AccessDeniedError):
        clock.run(check_access(graph.client, ["ada"], [], Options()))


def test_a_report_is_plain_json() -> None:
    """The report survives a JSON round trip, as XCom requires."""
    report, _ = check({"ada": READABLE}, ["ada"], ["ada"], roles=("Calendars.ReadWrite",))
    found = json.loads(json.dumps(report.as_dict()))
    assert found == report.as_dict()
    assert (found["permissions"], found["reached_wrongly"], found["not_reached"]) == (
        ["Calendars.ReadWrite"],
        ["ada"],
        [],
    )
    assert found["mailboxes"][0].keys() == {"mailbox", "readable", "writable", "message", "request_id"}
