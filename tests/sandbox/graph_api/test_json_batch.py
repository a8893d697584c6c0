"""``$batch``: limits, order, dependencies, and the responses in the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.contoso import ADA

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office, Reply

JSON = {"Content-Type": "application/json"}


def cancel(number: int, event_id: str, **changes: Any) -> dict[str, Any]:
    """Return a cancel as a request of a batch; None removes a member."""
    url = f"/users/{ADA}/events/{event_id}/cancel"
    step = {
        "id": str(number),
        "method": "POST",
        "url": url,
        "body": {"comment": f"{number}"},
        "headers": JSON,
        **changes,
    }
    return {name: value for name, value in step.items() if value is not None}


def send(graph: GraphClient, *steps: dict[str, Any], **options: Any) -> Reply:
    """Send a batch."""
    return graph.send("POST", "/$batch", {"requests": list(steps)}, **options)


def by_id(reply: Reply) -> dict[str, dict[str, Any]]:
    """Return the responses of a batch by the id of their request."""
    assert reply.status == 200, reply.body
    return {response["id"]: response for response in reply.body["responses"]}


def test_twenty_cancels_in_one_request(graph: GraphClient, office: Office) -> None:
    """Each request has its own response, not in the order of the requests; each meeting is cancelled once."""
    meetings = [office.meet() for _ in range(20)]
    reply = send(graph, *(cancel(number, meeting.id) for number, meeting in enumerate(meetings)))
    answers = by_id(reply)
    assert {answers[str(number)]["status"] for number in range(20)} == {202}
    assert [response["id"] for response in reply.body["responses"]] != [str(number) for number in range(20)]
    assert {message["event_id"]: message["comment"] for message in graph.sandbox.messages()} == {
        meeting.id: str(number) for number, meeting in enumerate(meetings)
    }
    requests = graph.sandbox.requests()
    outer = next(request for request in requests if request["path"] == "/v1.0/$batch")
    inner = [request for request in requests if request["batch"] == outer["n"]]
    assert len(inner) == 20
    assert all(request["effect"] and request["mailbox"] == ADA for request in inner)
    assert not outer["effect"]


def test_a_failure_affects_only_its_request(graph: GraphClient, office: Office) -> None:
    """An unknown id gets its own 404 and error body; the other requests succeed."""
    meeting = office.meet()
    answers = by_id(send(graph, cancel(1, meeting.id), cancel(2, "AAMkAGUnknownUnknown="), cancel(3, "None")))
    assert {number: answer["status"] for number, answer in answers.items()} == {"1": 202, "2": 404, "3": 400}
    assert answers["2"]["body"]["error"]["code"] == "ErrorItemNotFound"
    assert "body" not in answers["1"]
    assert answers["1"]["headers"]["request-id"] != answers["2"]["headers"]["request-id"]


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"id": str(n), "method": "GET", "url": "/me"} for n in range(21)],
        [{"id": "1", "method": "GET", "url": "/me"}, {"id": "1", "method": "GET", "url": "/me"}],
        [{"method": "GET", "url": "/me"}],
        [{"id": "1", "method": "GET"}],
        [{"id": "1", "method": "GET", "url": "/me", "dependsOn": ["2"]}],
    ],
    ids=["empty", "too many", "same id twice", "no id", "no url", "depends on nothing"],
)
def test_a_malformed_batch_is_refused_as_a_whole(graph: GraphClient, steps: list[dict[str, Any]]) -> None:
    """The batch gets a 400, and none of its requests is carried out."""
    assert send(graph, *steps).status == 400


@pytest.mark.parametrize(
    "change",
    [
        {"headers": None},
        {"body": None},
        {"url": "https://graph.microsoft.com/v1.0/users/ada@contoso.example/events"},
        {"url": "/v1.0/users/ada@contoso.example/events"},
        {"url": "/$batch"},
    ],
    ids=["no content type", "no body", "absolute url", "url with version", "nested"],
)
def test_a_malformed_request_fails_alone(graph: GraphClient, office: Office, change: dict[str, Any]) -> None:
    """A body needs its content type, a url is relative to the version, batches do not nest."""
    good, bad = office.meet(), office.meet()
    answers = by_id(send(graph, cancel(1, good.id), cancel(2, bad.id, **change)))
    assert (answers["1"]["status"], answers["2"]["status"]) == (202, 400)
    assert [message["event_id"] for message in graph.sandbox.messages()] == [good.id]


def test_requests_that_depend_on_a_failure_are_not_carried_out(graph: GraphClient, office: Office) -> None:
    """``dependsOn`` keeps the order; a request that depends on a failed one gets a 424."""
    graph.sandbox.settings(latency=0.02)
    first, second, third = office.meet(), office.meet(), office.meet()
    answers = by_id(
        send(
            graph,
            cancel(1, first.id),
            cancel(2, "AAMkAGUnknownUnknown=", dependsOn=["1"]),
            cancel(3, second.id, dependsOn=["2"]),
            cancel(4, third.id, dependsOn=["1"]),
        )
    )
    assert {number: answer["status"] for number, answer in answers.items()} == {"1": 202, "2": 404, "3": 424, "4": 202}
    assert answers["3"]["body"]["error"]["code"] == "FailedDependency"


def test_four_run_at_a_time_so_one_batch_does_not_throttle_itself(graph: GraphClient, office: Office) -> None:
    """Eight requests for one mailbox take twice the latency, and none is throttled."""
    graph.sandbox.settings(latency=0.1)
    meetings = [office.meet() for _ in range(8)]
    answers = by_id(send(graph, *(cancel(number, meeting.id) for number, meeting in enumerate(meetings))))
    assert {answer["status"] for answer in answers.values()} == {202}
    (outer,) = graph.sandbox.requests(path="$batch")
    assert 0.2 <= outer["seconds"] < 0.4


def test_a_second_batch_on_the_same_mailbox_is_throttled_request_by_request(graph: GraphClient, office: Office) -> None:
    """Two concurrent batches have eight requests in flight: four get a 429, each with its own Retry-After."""
    graph.sandbox.settings(latency=0.2)
    meetings = [office.meet() for _ in range(8)]
    bodies = [[cancel(n, meeting.id) for n, meeting in enumerate(half)] for half in (meetings[:4], meetings[4:])]
    replies = graph.together(*(("POST", "/$batch", {"requests": body}) for body in bodies))
    answers = [answer for reply in replies for answer in by_id(reply).values()]
    throttled = [answer for answer in answers if answer["status"] == 429]
    assert len(throttled) == 4
    assert all(answer["headers"]["Retry-After"] == "2" for answer in throttled)
    assert {answer["body"]["error"]["code"] for answer in throttled} == {"ApplicationThrottled"}
    assert len(graph.sandbox.messages()) == 4


def test_the_stricter_guess_throttles_the_surplus_of_a_batch(graph: GraphClient, office: Office) -> None:
    """As observed by some: of six requests for one mailbox in a batch, two are throttled at once."""
    graph.sandbox.settings(guesses={"batch_surplus": "throttled"})
    meetings = [office.meet() for _ in range(6)]
    answers = by_id(send(graph, *(cancel(number, meeting.id) for number, meeting in enumerate(meetings))))
    assert sorted(answer["status"] for answer in answers.values()) == [202] * 4 + [429] * 2
    assert len(graph.sandbox.messages()) == 4


@pytest.mark.parametrize(("after", "sent"), [(False, 1), (True, 2)])
def test_faults_apply_to_single_requests_of_a_batch(graph: GraphClient, office: Office, after: bool, sent: int) -> None:
    """A fault with a path applies within the batch, before or after the effect; a connection fault never does."""
    meetings = [office.meet(), office.meet()]
    graph.sandbox.add_fault("reset", match={"path": "/cancel$"})
    graph.sandbox.add_fault("503", after_effect=after, retry_after="9", match={"event_id": meetings[1].id})
    answers = by_id(send(graph, *(cancel(number, meeting.id) for number, meeting in enumerate(meetings))))
    assert (answers["0"]["status"], answers["1"]["status"]) == (202, 503)
    assert answers["1"]["headers"]["Retry-After"] == "9"
    assert len(graph.sandbox.messages()) == sent
    assert [fault["kind"] for fault in graph.sandbox.faults()] == ["reset"]


def test_a_fault_without_a_path_applies_to_the_whole_batch(graph: GraphClient, office: Office) -> None:
    """The response to the batch can be lost although all its requests were carried out."""
    meeting = office.meet()
    graph.sandbox.add_fault("504", after_effect=True)
    assert send(graph, cancel(1, meeting.id)).status == 504
    assert len(graph.sandbox.messages(meeting.id)) == 1


def test_requests_of_a_batch_are_refused_like_any_other(graph: GraphClient, office: Office) -> None:
    """The batch's token applies to all its requests."""
    meeting = office.meet()
    answers = by_id(send(graph, cancel(1, meeting.id), app="sandbox-reader"))
    assert answers["1"]["status"] == 403
    assert send(graph, cancel(1, meeting.id), app=None).status == 401
