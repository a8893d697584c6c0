"""Plans against truth: random tenants full of traps, and what must become of each meeting in them."""

from __future__ import annotations

import datetime
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from bench.tenants.comparing import differences
from bench.tenants.drawing import SEEDS, random_tenant
from bench.tenants.filling import fill
from bench.tenants.truth import Row, Truth, instances, truth
from tests.support.connections import set_connection
from tests.support.operators import run_operator
from tests.support.plans import carry_out

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox
    from bench.tenants.description import Closure


@pytest.fixture
def scoped(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A sandbox that Airflow's default connection enters as an application with a limited scope."""
    set_connection(monkeypatch, sandbox, login="sandbox-scoped")
    return sandbox


def now() -> datetime.datetime:
    """Return the time."""
    return datetime.datetime.now(datetime.UTC)


def find(closure: Closure) -> dict[str, Any]:
    """Make the plan of a closure, as a task does."""
    operator = GraphFindEventsOperator(
        task_id="find",
        rooms=list(closure.rooms) if closure.rooms else None,
        room_list=closure.room_list,
        building=closure.building,
        organizers=list(closure.organizers) if closure.organizers else None,
        start=closure.start,
        end=closure.end,
        timezone=closure.timezone,
        scope=closure.scope,
        keep=list(closure.keep) or None,
        min_people=closure.min_people,
        include_past=closure.include_past,
    )
    return dict(run_operator(operator))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plan_is_the_truth_and_what_is_sent_is_the_plan(scoped: Sandbox, seed: int) -> None:
    """Nothing is missing or too much, each organizer's copy is cancelled once, and then there is nothing to do."""
    tenant, closure = random_tenant(seed, now())
    fill(tenant, scoped)
    before = truth(tenant, closure, now())
    plan = find(closure)
    after = truth(tenant, closure, now())
    # A meeting may end while it is looked for.
    assert min((differences(plan, each, closure) for each in (before, after)), key=len) == [], closure
    assert scoped.requests(effect=True) == []

    result = carry_out(plan)

    assert result["counts"] == ({"cancelled": len(plan["meetings"])} if plan["meetings"] else {})
    assert Counter(map(told, scoped.messages())) == Counter(expected_messages(before, now()))
    assert scoped.requests(status=429) == []
    assert find(closure)["meetings"] == []


Told = tuple[str, str, frozenset[str]]


def told(message: dict[str, Any]) -> Told:
    """Return whose cancellation it is, of which event, and who got it."""
    return message["organizer"], message["event_id"], frozenset(message["recipients"])


def expected_messages(meant: Truth, at: datetime.datetime) -> list[Told]:
    """Return one message for each row and, for a series, one more for each exception that is still to come."""
    return [each for row in meant.rows for each in _messages(row, at)]


def _messages(row: Row, at: datetime.datetime) -> list[Told]:
    meeting = row.instances[0].meeting
    if row.kind != "seriesMaster":
        return [(row.mailbox, each.event_id, each.told) for each in row.instances]
    gone = meeting.cancelled if isinstance(meeting.cancelled, tuple) else ()
    exceptions = [each for each in instances(meeting) if each.kind == "exception" and each.date not in gone]
    everybody = frozenset({*meeting.people, *meeting.rooms, *meeting.rooms_as_people}) - {meeting.organizer}
    to_come = [(row.mailbox, each.event_id, each.told) for each in exceptions if each.start > at]
    return [*([(row.mailbox, row.event_id, everybody)] if everybody else []), *to_come]
