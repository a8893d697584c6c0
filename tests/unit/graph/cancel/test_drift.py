"""Is an event still what was planned? What differs is held; what the cancellation of a neighbour changed is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_graph_cancel.graph.cancel.drift import find_drift
from airflow_graph_cancel.graph.cancel.inputs import CancelInput, parse_inputs
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    GraphCancelError,
    ServiceUnavailableError,
    ThrottledError,
)
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from tests.support.fake_graph import FakeGraph, path_of
from tests.support.graph_responses import DATE_GONE, DENIED, GONE, REQUEST_ID, THROTTLED, event
from tests.support.virtual_clock import virtual_clock

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tests.support.fake_graph import Answer

ADA, BEN, ROOM = "ada@contoso.example", "ben@contoso.example", "oak@contoso.example"
SERIES = "040000008200E00074C5B7101A82E00800000000"
"""How an Exchange identifier begins; eight digits follow, which name a date of a series or are all zero."""
REST = "C0FFEE00000000000000000000000000000000"


def uid(date: str = "07EE0107") -> str:
    """The ``iCalUId`` of one date of a series."""
    return f"{SERIES[:32]}{date}{REST}"


def row(number: object = 0, **more: object) -> dict[str, object]:
    """A plan's row: one of Ada's meetings with Ben in a room."""
    return {
        "event_id": f"E{number}",
        "user_id": ADA,
        "changeKey": "1",
        "iCalUId": uid(),
        "start": "2030-01-07T10:00:00+01:00",
        "end": "2030-01-07T11:00:00+01:00",
        "people": 1,
        "type": "singleInstance",
        "rooms": [ROOM],
        **more,
    }


def utc(moment: str) -> dict[str, str]:
    """A moment as Graph writes it."""
    return {"dateTime": moment, "timeZone": "UTC"}


def attendees(*addresses: str) -> list[dict[str, object]]:
    """Attendees, the room as a resource."""
    return [
        {"emailAddress": {"address": address}, "type": "resource" if address == ROOM else "required"}
        for address in addresses
    ]


def now(**more: object) -> Any:
    """The same meeting as Graph returns it, its times in UTC."""
    shown: dict[str, object] = {
        "changeKey": "1",
        "start": utc("2030-01-07T09:00:00.0000000"),
        "end": utc("2030-01-07T10:00:00.0000000"),
        "isAllDay": False,
        "type": "singleInstance",
        "attendees": attendees(ADA, BEN, ROOM),
        **more,
    }
    return event(**shown)


def drift(
    rows: list[dict[str, object]],
    answers: list[Answer],
    *,
    numbers: Collection[int] | None = None,
    begun: Collection[int] = (),
) -> tuple[Mapping[int, CancelResult | GraphCancelError], FakeGraph]:
    """Compare the events of these rows with what looks show."""
    inputs: list[CancelInput] = parse_inputs(rows, comment=None, user_id=None, mailbox=None)
    scripts = {each.address.path: answer for each, answer in zip(inputs, answers, strict=True)}
    graph = FakeGraph(lambda request: scripts[path_of(request)])
    chosen = range(len(inputs)) if numbers is None else numbers
    with virtual_clock() as clock:
        return clock.run(find_drift(graph.client, inputs, chosen, begun, Options(Backoff(retry_for=0)))), graph


def is_held(before: dict[str, object], shown: Any, *, begun: Collection[int] = ()) -> bool:
    """Tell whether an event is held back."""
    found, _ = drift([before], [shown], begun=begun)
    return 0 in found


def test_what_is_as_it_was_is_not_held() -> None:
    """An event with the same change key is not held."""
    assert not is_held(row(), now())


def test_what_has_changed_is_held_and_says_so() -> None:
    """With what support needs, and what a user can do."""
    found, _ = drift([row()], [now(changeKey="2")])
    result = found[0]
    assert isinstance(result, CancelResult)
    assert (result.outcome, result.event_id, result.mailbox, result.attempts) == (Outcome.CHANGED, "E0", ADA, 0)
    assert result.request_id == REQUEST_ID
    assert "plan" in result.message


def test_any_change_of_a_single_meeting_holds_it() -> None:
    """Also an invisible one: what was approved is not what would be cancelled."""
    assert is_held(row(type="singleInstance"), now(changeKey="2"))
    assert is_held(row(type="seriesMaster"), now(changeKey="2", type="seriesMaster"))


def date(**more: object) -> dict[str, object]:
    """A row for one date of a series."""
    return row(type="occurrence", **more)


SAME_DATE: dict[str, object] = {"changeKey": "2", "type": "occurrence"}


def test_a_date_whose_neighbour_was_cancelled_is_not_held() -> None:
    """The series' change key changes with each of its dates; the date itself is what it was."""
    assert not is_held(date(), now(**SAME_DATE))


@pytest.mark.parametrize(
    "difference",
    [
        {"start": utc("2030-01-07T09:30:00"), "end": utc("2030-01-07T10:30:00")},
        {"end": utc("2030-01-07T10:30:00")},
        {"start": utc("2030-01-07T08:00:00")},
        {"type": "exception"},
        {"attendees": attendees(ADA, BEN, "cleo@contoso.example", ROOM)},
        {"attendees": attendees(ADA, ROOM)},
        {"isAllDay": True, "start": utc("2030-01-07T00:00:00"), "end": utc("2030-01-08T00:00:00")},
    ],
    ids=["moved", "longer", "earlier", "changed by itself", "one more", "one less", "all day"],
)
def test_a_date_that_people_would_see_differ_is_held(difference: dict[str, object]) -> None:
    """Its key says that something changed, and its properties what."""
    assert is_held(date(), now(**{**SAME_DATE, **difference}))


@pytest.mark.parametrize(
    "same",
    [
        {"attendees": attendees(ADA.upper(), BEN.upper(), ROOM)},
        {"attendees": [*attendees(ADA, BEN), {"emailAddress": {"address": ROOM.upper()}, "type": "optional"}]},
        {"attendees": attendees(BEN)},
    ],
    ids=["case", "a room listed as a person", "without organizer and room"],
)
def test_who_is_told_counts_and_not_how_it_is_written(same: dict[str, object]) -> None:
    """Neither the organizer nor the plan's rooms are people."""
    assert not is_held(date(), now(**{**SAME_DATE, **same}))


ALL_DAY: dict[str, object] = {"start": "2030-01-07T00:00:00+01:00", "end": "2030-01-08T00:00:00+01:00"}


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [
        ("2030-01-07T00:00:00", "2030-01-08T00:00:00", False),
        ("2030-01-08T00:00:00", "2030-01-09T00:00:00", True),
        ("2030-01-06T00:00:00", "2030-01-07T00:00:00", False),
        ("2030-01-05T00:00:00", "2030-01-06T00:00:00", True),
        ("2030-01-07T00:00:00", "2030-01-09T00:00:00", True),
    ],
)
def test_an_all_day_date_is_planned_where_people_are_and_read_in_utc(start: str, end: str, held: bool) -> None:
    """Less than a day apart is the same day; a day more is another."""
    shown = now(**{**SAME_DATE, "isAllDay": True, "start": utc(start), "end": utc(end)})
    assert is_held(date(**ALL_DAY), shown) is held


@pytest.mark.parametrize(
    "odd",
    [{"start": "soon"}, {"end": ""}, {"start": None}, {"start": "2030-01-07T10:00:00"}, {"people": None}],
    ids=str,
)
def test_a_row_that_cannot_be_compared_is_held(odd: dict[str, object]) -> None:
    """A plan is data that other tools may have changed; a time needs a zone."""
    assert is_held(date(**odd), now(**SAME_DATE))


def exception(number: int, day: str = "07EE0107") -> dict[str, object]:
    """A row for a date that was changed on its own."""
    return row(number, type="exception", iCalUId=uid(day))


SAME_EXCEPTION: dict[str, object] = {"changeKey": "2", "type": "exception"}


def test_an_exception_is_held_unless_this_task_cancelled_a_neighbour() -> None:
    """It has its own change key, which the cancellation of a neighbour changes too."""
    rows, answers = [exception(0), exception(1, "07EE0108")], [now(**SAME_EXCEPTION), now(**SAME_EXCEPTION)]
    assert drift(rows, answers)[0].keys() == {0, 1}
    assert drift(rows, answers, begun=[1])[0].keys() == {1}
    assert drift(rows, answers, begun=[0, 1])[0].keys() == set()


def test_only_dates_of_the_same_series_are_neighbours() -> None:
    """In the same mailbox, whatever its case."""
    other = row(1, type="exception", iCalUId=uid().replace("C0FFEE", "BADBAD"))
    answers: list[Answer] = [now(**SAME_EXCEPTION), now(**SAME_EXCEPTION)]
    assert 0 in drift([exception(0), other], answers, begun=[1])[0]
    bens = {**exception(1, "07EE0108"), "user_id": BEN}
    assert 0 in drift([exception(0), bens], answers, begun=[1])[0]
    adas = {**exception(1, "07EE0108"), "user_id": ADA.upper()}
    assert 0 not in drift([exception(0), adas], answers, begun=[1])[0]


def test_an_exception_that_differs_is_held_all_the_same() -> None:
    """A neighbour's cancellation moves nothing."""
    rows = [exception(0), exception(1, "07EE0108")]
    moved = now(**{**SAME_EXCEPTION, "start": utc("2030-01-07T09:30:00"), "end": utc("2030-01-07T10:30:00")})
    assert 0 in drift(rows, [moved, now(**SAME_EXCEPTION)], begun=[1])[0]


@pytest.mark.parametrize("gone", [GONE, DATE_GONE])
def test_what_is_gone_is_not_held(gone: Answer) -> None:
    """The run knows whether it had sent it."""
    assert drift([row()], [gone])[0] == {}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(DENIED, AccessDeniedError), (THROTTLED, ThrottledError), (None, ServiceUnavailableError)],
)
def test_what_cannot_be_looked_at_is_an_error(answer: Answer, kind: type[GraphCancelError]) -> None:
    """An event that cannot be read is an error, and so is not sent."""
    found, _ = drift([row(0), row(1)], [answer, now()])
    assert found.keys() == {0}
    assert isinstance(found[0], kind)


def test_an_answer_without_an_event_is_an_error() -> None:
    """An empty collection does not show that the event is unchanged."""
    empty = type(GONE)(200, {"request-id": REQUEST_ID}, b'{"value": []}')
    assert isinstance(drift([row()], [empty])[0][0], ServiceUnavailableError)


def test_an_event_without_times_ends_the_comparison() -> None:
    """Graph never leaves them out: something else is wrong, and nothing may be sent."""
    with pytest.raises(ServiceUnavailableError):
        drift([row()], [now(start=None)])


def test_only_what_is_open_and_planned_is_looked_at() -> None:
    """A settled event is not asked about, nor one that was in no plan; then not even the login is."""
    unplanned = {name: value for name, value in row(1).items() if name != "changeKey"}
    found, graph = drift([row(0), unplanned, row(2)], [now(), now(), now(changeKey="2")], numbers=[1, 2])
    assert found.keys() == {2}
    assert [path for what, path in graph.log if what == "GET"] == ["/users/ada%40contoso.example/events/E2"]
    _, graph = drift([unplanned], [now()])
    assert graph.log == []
