"""Calendars and places that answer reads as Graph would, without a network; all else is an unknown mailbox."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.http.requests import GetRequest
from airflow_graph_cancel.graph.http.response import Response
from tests.support.contoso import BEN
from tests.support.fake_graph import FakeGraph, path_of
from tests.support.graph_responses import NO_MAILBOX, REQUEST_ID

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.requests import Request

T = TypeVar("T")
OPTIONS = Options(Backoff(retry_for=0))
"""A request that is told "later" is given up at once."""


def page(*rows: dict[str, Any]) -> Response:
    """A collection, in one page."""
    return resource({"value": list(rows)})


def resource(body: dict[str, Any]) -> Response:
    """Anything else."""
    return Response(200, {"request-id": REQUEST_ID}, json.dumps(body).encode())


def shown(event_id: str, organizer: str, start: str = "10:00", end: str = "11:00", **more: object) -> dict[str, object]:
    """An event on 7 January 2030 in a calendar view, as Graph writes it."""
    return {
        "id": event_id,
        "iCalUId": f"uid-{start}",
        "changeKey": "key",
        "start": {"dateTime": f"2030-01-07T{start}:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": f"2030-01-07T{end}:00.0000000", "timeZone": "UTC"},
        "isAllDay": False,
        "isCancelled": False,
        "isOrganizer": False,
        "organizer": {"emailAddress": {"address": organizer}},
        "type": "singleInstance",
        "seriesMasterId": None,
        "attendees": [invited(BEN)],
        "subject": "Review",
        **more,
    }


def invited(address: str, kind: str = "required") -> dict[str, object]:
    """An attendee."""
    return {"type": kind, "emailAddress": {"address": address}}


class FakeCalendars:
    """Answers by path, without its query.

    :ivar asked: the paths that were read, with their queries.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Response] = {}
        self.graph = FakeGraph(self._answer, latency=0)

    def show(self, mailbox: str, *rows: dict[str, object]) -> None:
        """Let a calendar show these events."""
        self.answers[view_of(mailbox)] = page(*rows)

    def refuse(self, mailbox: str, refusal: Response) -> None:
        """Let Graph refuse to show a calendar."""
        self.answers[view_of(mailbox)] = refusal

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end."""
        return asyncio.run(work)

    @property
    def client(self) -> GraphClient:
        """A client that reads these calendars."""
        return self.graph.client

    @property
    def asked(self) -> list[str]:
        """What was read."""
        requests = [request for sent in self.graph.sent for request in sent.requests]
        assert all(isinstance(request, GetRequest) for request in requests)
        return [request.path for request in requests if isinstance(request, GetRequest)]

    def _answer(self, request: Request) -> Response:
        # Addresses are alike whatever their case, and the tests' ids are so too.
        answers = {path.casefold(): answer for path, answer in self.answers.items()}
        return answers.get(path_of(request).casefold(), NO_MAILBOX)


def view_of(mailbox: str) -> str:
    """The path of a calendar view."""
    return f"/users/{quote(mailbox, safe='')}/calendarView"
