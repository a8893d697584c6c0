"""What a cancellation would do, and whether it would do too much; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from airflow_graph_cancel.graph.cancel.inputs import CancelInput
from airflow_graph_cancel.graph.cancel.preview import check_limits, preview_event, preview_events, read_event
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    EventMissingError,
    GraphCancelError,
    InvalidInputError,
    ServiceUnavailableError,
    StoppedError,
    ThrottledError,
)
from airflow_graph_cancel.graph.http.requests import GetRequest
from airflow_graph_cancel.graph.http.response import Response
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from tests.support.fake_graph import Answer, FakeGraph, path_of
from tests.support.graph_responses import (
    ADA,
    BROKEN,
    CANCELLED_COPY,
    DATE_GONE,
    DENIED,
    EVENT_ID,
    GONE,
    GUEST_COPY,
    REQUEST_ID,
    THROTTLED,
    TOKEN_REFUSED,
    event,
)
from tests.support.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.bulk import BulkResult

ADDRESS = EventAddress(EVENT_ID, ADA)
ONCE = Options(Backoff(retry_for=0))
PERSON, ROOM = {"type": "required"}, {"type": "resource"}
MEETING = event(type="singleInstance", attendees=[PERSON, {"type": "optional"}, ROOM])


def preview(*answers: Answer, options: Options = ONCE) -> tuple[CancelResult, FakeGraph]:
    """Preview one event, answered so."""
    script = list(answers)
    graph = FakeGraph(lambda _: script.pop(0))
    with virtual_clock() as clock:
        return clock.run(preview_event(graph.client, ADDRESS, options)), graph


def previews(*answers: Answer) -> BulkResult:
    """Preview as many events."""
    inputs = [CancelInput(EventAddress(f"E{number}", f"user{number}")) for number in range(len(answers))]
    scripts = {each.address.path: answer for each, answer in zip(inputs, answers, strict=True)}
    graph = FakeGraph(lambda request: scripts[path_of(request)])
    with virtual_clock() as clock:
        return clock.run(preview_events(graph.client, inputs, ONCE))


PREDICTED = [
    (MEETING, "One meeting with 3 attendees would be cancelled"),
    (event(type="seriesMaster", attendees=[PERSON]), "whole series, past dates too"),
    (event(type="occurrence", attendees=[]), "One date of a series with 0 attendees"),
    (event(type="exception"), "One date of a series with 0 attendees"),
    (event(type=7, attendees="x"), "One meeting with 0 attendees"),
    (CANCELLED_COPY, "cancelled already"),
    (GUEST_COPY, "not_organizer"),
    (GONE, "missing"),
    (DATE_GONE, "missing"),
]


@pytest.mark.parametrize(("answer", "says"), PREDICTED)
def test_each_prediction(answer: Response, says: str) -> None:
    """One event alone and in bulk: the same words, and that nothing was sent."""
    alone, graph = preview(answer)
    in_bulk = previews(answer).results[0]
    for result in (alone, in_bulk):
        assert result.outcome is Outcome.PREVIEW
        assert "Nothing was sent" in result.message
        assert says in result.message
        assert (result.request_id, result.attempts) == (REQUEST_ID, 0)
    assert all(isinstance(request, GetRequest) for sent in graph.sent for request in sent.requests)


@pytest.mark.parametrize(
    ("answer", "kind"), [(DENIED, AccessDeniedError), (THROTTLED, ThrottledError), (None, ServiceUnavailableError)]
)
def test_only_what_prevents_reading_is_an_error(answer: Answer, kind: type[GraphCancelError]) -> None:
    """Alone it is raised; in bulk it is that event's outcome."""
    with pytest.raises(kind):
        preview(answer)
    result = previews(answer, MEETING)
    assert result.row(0).outcome is kind.outcome
    assert result.row(1).outcome is Outcome.PREVIEW
    assert (0 in result.left) is (kind is not AccessDeniedError)


def test_an_empty_answer_predicts_nothing() -> None:
    """It is left, as if it had not been read."""
    result = previews(Response(200, {"request-id": REQUEST_ID}, b'{"value": []}'))
    assert isinstance(result.left[0], ServiceUnavailableError)


def test_people_are_counted_once_for_each_message() -> None:
    """Rooms are not people; a copy that would not be cancelled adds none."""
    result = previews(
        MEETING,
        event(attendees=[PERSON, "x", None, {"type": "resource"}]),
        event(isCancelled=True, attendees=[PERSON]),
        event(isOrganizer=False, attendees=[PERSON]),
        event(attendees=None),
        GONE,
    )
    assert result.people == 3


def test_a_look_that_fails_is_repeated() -> None:
    """As for a cancellation, within the budget."""
    result, graph = preview(THROTTLED, BROKEN, None, MEETING, options=Options())
    assert result.outcome is Outcome.PREVIEW
    assert len(graph.sent) == 4


def test_a_stop_is_obeyed_before_a_look() -> None:
    """Also while waiting for the next."""
    with pytest.raises(StoppedError):
        preview(options=Options(stopped=lambda: True))


def test_an_event_is_read_as_graph_writes_it() -> None:
    """All of it, or the properties that are asked for; a missing one is an error here."""
    graph = FakeGraph(lambda _: MEETING)
    with virtual_clock() as clock:
        assert clock.run(read_event(graph.client, ADDRESS, ONCE)) == MEETING.json
        clock.run(read_event(graph.client, ADDRESS, ONCE, ("id", "subject")))
        with pytest.raises(EventMissingError):
            clock.run(read_event(FakeGraph(lambda _: GONE).client, ADDRESS, ONCE))
    assert [sent.requests for sent in graph.sent] == [
        [GetRequest(ADDRESS.path)],
        [GetRequest(f"{ADDRESS.path}?$select=id,subject")],
    ]


def limits(
    *people: object, max_meetings: int | None = None, max_people: int | None = None, answer: Answer = MEETING
) -> FakeGraph:
    """Check the limits for events whose rows say so many people."""
    inputs = [
        CancelInput(EventAddress(f"E{number}", "ada"), row={} if count is None else {"people": count})
        for number, count in enumerate(people)
    ]
    graph = FakeGraph(lambda _: answer)
    with virtual_clock() as clock:
        clock.run(check_limits(graph.client, inputs, ONCE, max_meetings=max_meetings, max_people=max_people))
    return graph


def test_no_limits_read_nothing() -> None:
    """They are there for who wants them."""
    assert limits(None, None).log == []


def test_as_many_meetings_as_allowed_and_no_more() -> None:
    """Refused before anything is read."""
    assert limits(None, None, max_meetings=2).log == []
    with pytest.raises(InvalidInputError, match="3 events are more than max_meetings=2"):
        limits(None, None, None, max_meetings=2)
    with pytest.raises(InvalidInputError, match=r"^1 event is more than max_meetings=0\. If that is intended"):
        limits(None, max_meetings=0)


def test_people_come_from_the_rows_if_all_of_them_say() -> None:
    """A plan has them; nothing is read."""
    assert limits(3, 4, max_people=7).log == []
    with pytest.raises(InvalidInputError, match="8 people would get a message, more than max_people=7") as caught:
        limits(4, 4, max_people=7)
    assert str(caught.value).endswith("Nothing was sent.")


@pytest.mark.parametrize("unsaid", [None, "4", 4.0])
def test_people_are_read_from_graph_if_any_row_does_not_say(unsaid: object) -> None:
    """A feed's rows have none; two of the meeting's attendees are people."""
    graph = limits(100, unsaid, max_people=4)
    assert [what for what, _ in graph.log] == ["sign in", "GET", "GET"]
    with pytest.raises(InvalidInputError, match="4 people"):
        limits(0, unsaid, max_people=3)


@pytest.mark.parametrize(("answer", "kind"), [(THROTTLED, ThrottledError), (BROKEN, ServiceUnavailableError)])
def test_people_that_cannot_be_counted_now_keep_everything_back(answer: Answer, kind: type[GraphCancelError]) -> None:
    """The guard fails shut, and the task is tried again."""
    with pytest.raises(kind):
        limits(None, max_people=100, answer=answer)


def test_no_people_are_within_any_limit() -> None:
    """An event that is gone, or a copy that cannot be cancelled."""
    limits(None, max_people=0, answer=GONE)
    limits(None, max_people=0, answer=GUEST_COPY)
    limits(None, max_people=0, answer=TOKEN_REFUSED)
