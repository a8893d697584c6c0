"""What a batch looks like on the wire, and what is made of answers to it, whole or broken."""

from __future__ import annotations

import json

import pytest

from airflow_graph_cancel.graph.http.batch import Part, batch_body, batch_responses
from airflow_graph_cancel.graph.http.response import Meaning, Response


def outer(*responses: object) -> Response:
    """An answer to a batch."""
    return Response(200, {"request-id": "outer"}, json.dumps({"responses": list(responses)}).encode())


def test_urls_are_relative_and_bodies_have_their_type() -> None:
    """Graph refuses absolute URLs, and parts with a body that do not say what it is."""
    body = json.loads(batch_body([Part("POST", "/users/u/events/E/cancel", b'{"Comment":"x"}'), Part("GET", "/me")]))
    assert body["requests"] == [
        {
            "id": "0",
            "method": "POST",
            "url": "/users/u/events/E/cancel",
            "headers": {"Content-Type": "application/json"},
            "body": {"Comment": "x"},
        },
        {"id": "1", "method": "GET", "url": "/me"},
    ]


def test_answers_find_their_requests_in_any_order() -> None:
    """Graph answers in any order; each part has a status and a Retry-After of its own."""
    first, second = batch_responses(
        outer({"id": "1", "status": 429, "headers": {"Retry-After": "7"}}, {"id": "0", "status": 202}), 2
    )
    assert first is not None
    assert second is not None
    assert (first.meaning, second.meaning, second.retry_after) == (Meaning.ACCEPTED, Meaning.THROTTLED, 7)


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "9", "status": 202},
        {"id": "0"},
        {"id": "0", "status": "202"},
        {"id": "0", "status": True},
        {"id": "x", "status": 202},
        {"status": 202},
        "text",
        None,
        {"id": "-1"},
    ],
    ids=str,
)
def test_an_answer_that_belongs_to_no_request_settles_none(broken: object) -> None:
    """A part without a usable answer may have been carried out: it must not pass for done, nor for refused."""
    assert batch_responses(outer(broken), 1) == [None]


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"responses": {}}', b'{"responses": null}'])
def test_an_outer_200_without_responses_answers_nothing(content: bytes) -> None:
    """Half a body, or a stranger's."""
    assert batch_responses(Response(200, {}, content), 2) == [None, None]


def test_an_outer_refusal_is_every_parts() -> None:
    """A batch that is throttled or down as a whole leaves each part where it was."""
    down = Response(503, {"retry-after": "3"})
    assert batch_responses(down, 2) == [down, down]
