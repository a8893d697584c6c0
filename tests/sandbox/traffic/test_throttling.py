"""Throttling by mailbox and by application, and a 429's Retry-After."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.contoso import ADA, BEN

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office


def statuses(graph: GraphClient, *mailboxes: str, app: str = "sandbox-app") -> list[int]:
    """Read all these mailboxes at the same time."""
    return [
        reply.status
        for reply in graph.together(*(("GET", f"/users/{each}/events", None) for each in mailboxes), app=app)
    ]


def test_the_fifth_concurrent_request_on_a_mailbox_is_throttled(graph: GraphClient, office: Office) -> None:
    """Four requests are served, the others refused with the service's message and without innerError, once."""
    graph.sandbox.settings(latency=0.2)
    replies = graph.together(*[("GET", f"/users/{ADA}/events", None)] * 6)
    assert sorted(reply.status for reply in replies) == [200] * 4 + [429] * 2
    error = next(reply for reply in replies if reply.status == 429)
    assert error.code == "ApplicationThrottled"
    assert error.body["error"]["message"] == "Application is over its MailboxConcurrency limit."
    assert "innerError" not in error.body["error"]
    assert error.headers["Retry-After"] == "2"
    assert statuses(graph, *[ADA] * 4) == [200] * 4


def test_each_mailbox_has_its_own_limit_under_all_its_names(graph: GraphClient, office: Office) -> None:
    """A mailbox over its limit does not affect another; its address and its id count together."""
    graph.sandbox.settings(latency=0.2)
    mixed = statuses(graph, *[ADA] * 3, *[office.ada["id"]] * 3, *[BEN] * 4)
    assert mixed[6:] == [200] * 4
    assert sorted(mixed[:6]) == [200] * 4 + [429] * 2


def test_an_applications_limit_over_all_mailboxes(graph: GraphClient, office: Office) -> None:
    """The optional limit applies to the application over all mailboxes."""
    graph.sandbox.settings(latency=0.2, app_concurrency=3)
    assert sorted(statuses(graph, ADA, ADA, BEN, BEN)) == [200, 200, 200, 429]


def test_the_limit_can_be_set(graph: GraphClient, office: Office) -> None:
    """A limit of one allows one request at a time."""
    graph.sandbox.settings(latency=0.2, per_mailbox_concurrency=1)
    assert sorted(statuses(graph, ADA, ADA)) == [200, 429]


@pytest.mark.parametrize(
    ("form", "value"), [("integer", "2"), ("decimal", "0.249"), ("one", "1"), ("date", "GMT"), ("missing", None)]
)
def test_retry_after_in_every_observed_format(graph: GraphClient, office: Office, form: str, value: str | None) -> None:
    """It is an integer, a decimal, always one, a date, or missing."""
    graph.sandbox.settings(latency=0.1, per_mailbox_concurrency=1, guesses={"retry_after": form})
    replies = graph.together(*[("GET", f"/users/{ADA}/events", None)] * 2)
    found = next(reply for reply in replies if reply.status == 429).headers.get("Retry-After")
    if form == "date":
        assert parsedate_to_datetime(found).tzinfo
    else:
        assert found == value


def test_a_reset_forgets_requests_in_flight(graph: GraphClient, office: Office) -> None:
    """Requests in flight before a reset do not count after it."""
    graph.sandbox.settings(latency=0.1, per_mailbox_concurrency=1)
    assert sorted(statuses(graph, ADA, ADA)) == [200, 429]
    graph.sandbox.reset()
    graph.sandbox.add_mailbox(ADA)
    assert statuses(graph, *[ADA] * 4) == [200] * 4
