"""The truth that plans are held against: it knows the sandbox, it is full of traps, and it can tell a wrong plan."""

from __future__ import annotations

import copy
import datetime
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from bench.tenants.comparing import differences
from bench.tenants.drawing import SEEDS, random_tenant
from bench.tenants.filling import fill
from bench.tenants.oracle import reachable
from bench.tenants.traps import TRAPS
from bench.tenants.truth import ALREADY, DENIED, EXTERNAL, FEW, GONE, KEPT, NOBODY, NOT_FOUND, PAST, Truth, span, truth

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox
    from bench.tenants.description import Closure, Tenant

#: In so many of the first fifty tenants a trap or a reason must be, or the tests would prove little.
OFTEN = 10
NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Tenant, Closure, Truth]]:
    """Draw fifty tenants, a closure in each and the truth about it."""
    tenants = [random_tenant(seed, NOW) for seed in SEEDS[:50]]
    return [(tenant, closure, truth(tenant, closure, NOW)) for tenant, closure in tenants]


def test_a_seed_always_gives_the_same_tenant(drawn: list[tuple[Tenant, Closure, Truth]]) -> None:
    """What one run finds wrong, the next can look at."""
    assert [random_tenant(seed, NOW) for seed in SEEDS[:50]] == [(tenant, closure) for tenant, closure, _ in drawn]


def test_tenants_are_as_large_as_they_should_be(drawn: list[tuple[Tenant, Closure, Truth]]) -> None:
    """Three buildings, 8 to 15 rooms, 20 to 40 people, 80 to 150 meetings."""
    for tenant, _, _ in drawn:
        assert len({room.building for room in tenant.rooms if room.building}) == 3
        assert 8 <= len(tenant.rooms) <= 15
        assert 20 <= len(tenant.people) <= 40
        assert 80 <= len(tenant.meetings) <= 150


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_lies_in_the_way_of_many_closures(drawn: list[tuple[Tenant, Closure, Truth]], trap: str) -> None:
    """A trap that hardly ever occurs would prove nothing."""
    assert sum(any(trap in meeting.traps for meeting in tenant.meetings) for tenant, _, _ in drawn) >= OFTEN


@pytest.mark.parametrize("reason", [ALREADY, DENIED, EXTERNAL, FEW, GONE, KEPT, NOBODY, NOT_FOUND, PAST])
def test_every_reason_is_often_the_only_one(drawn: list[tuple[Tenant, Closure, Truth]], reason: str) -> None:
    """So that a plan that gives another one is found out."""
    alone = [any(seen.reasons == {reason} for seen in meant.left) for _, _, meant in drawn]
    assert sum(alone) >= OFTEN


@pytest.mark.parametrize("kind", ["singleInstance", "occurrence", "exception", "seriesMaster"])
def test_every_type_is_often_planned(drawn: list[tuple[Tenant, Closure, Truth]], kind: str) -> None:
    """Single meetings, plain and changed dates of series, and whole series."""
    often = OFTEN if kind != "seriesMaster" else OFTEN // 2
    assert sum(any(row.kind == kind for row in meant.rows) for _, _, meant in drawn) >= often


def test_ids_differ_by_case_alone(drawn: list[tuple[Tenant, Closure, Truth]]) -> None:
    """Code that folds the case of ids would cancel the wrong meeting."""
    for tenant, _, _ in drawn:
        ids = [meeting.id_of() for meeting in tenant.meetings]
        assert len(set(ids)) == len(ids)
        assert max(Counter(each.lower() for each in ids).values()) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_the_truth_is_what_stands_in_the_sandbox(sandbox: Sandbox, seed: int) -> None:
    """The sandbox contains exactly the organizers' copies that the description predicts, and lacks the same ones."""
    tenant, closure = random_tenant(seed, NOW)
    fill(tenant, sandbox)
    meant = truth(tenant, closure, NOW)
    instances = [instance for row in meant.rows for instance in row.instances] + [each.instance for each in meant.left]
    mailboxes = {person.address for person in tenant.people} | {room.address for room in tenant.rooms}
    own, lost = set(), set()
    for instance in instances:
        organizer = instance.meeting.organizer
        if organizer in mailboxes and organizer not in instance.meeting.missing_in:
            own.add((organizer, instance.event_id))
        else:
            lost.add((organizer, instance.start))
    found, orphans = reachable(sandbox, tenant, closure)
    assert found == own
    assert len(orphans) == len(lost)


def right_plan(meant: Truth, closure: Closure) -> dict[str, Any]:
    """Write the truth down as a plan."""
    utc = datetime.UTC
    rows = [
        {
            "event_id": row.event_id,
            "user_id": row.mailbox,
            "iCalUId": "uid",
            "changeKey": "key",
            "start": span(row.instances[0], closure)[0].astimezone(utc).isoformat(),
            "end": span(row.instances[0], closure)[1].astimezone(utc).isoformat(),
            "rooms": sorted(row.rooms),
            "people": row.people,
            "outside": row.outside,
            "type": row.kind,
            "scope": "series" if row.kind == "seriesMaster" else "dates",
        }
        for row in meant.rows
    ]
    left = [
        {
            "reason": min(seen.reasons),
            "iCalUId": "uid",
            "organizer": seen.instance.meeting.organizer,
            "start": span(seen.instance, closure)[0].astimezone(utc).isoformat(),
            "rooms": sorted(seen.held_in),
        }
        for seen in meant.left
    ]
    start, end = (each.isoformat() for each in closure.window())
    totals = {
        "meetings": len(rows),
        "people": sum(row.people for row in meant.rows),
        "outside_people": sum(row.outside for row in meant.rows),
        "organizers": len({row.mailbox for row in meant.rows}),
        "series_dates": sum(len(row.instances) for row in meant.rows if row.kind != "singleInstance"),
    }
    window = {"start": start, "end": end, "timezone": closure.timezone}
    return {"window": window, "meetings": rows, "left": left, "totals": totals}


def test_the_truth_written_down_is_a_right_plan(drawn: list[tuple[Tenant, Closure, Truth]]) -> None:
    """Comparing finds nothing where there is nothing."""
    for _, closure, meant in drawn:
        assert differences(right_plan(meant, closure), meant, closure) == []


@pytest.mark.parametrize(
    ("where", "change"),
    [
        ("meetings", None),
        ("left", None),
        ("meetings", {"event_id": "AAMkAGother="}),
        ("meetings", {"user_id": "other@contoso.example"}),
        ("meetings", {"people": 99}),
        ("meetings", {"outside": 99}),
        ("meetings", {"rooms": ["other@contoso.example"]}),
        ("meetings", {"type": "other"}),
        ("meetings", {"scope": "other"}),
        ("meetings", {"start": "2031-01-01T00:00:00+00:00"}),
        ("meetings", {"changeKey": ""}),
        ("meetings", {"subject": "x"}),
        ("left", {"reason": "other"}),
        ("left", {"organizer": "other@contoso.example"}),
        ("left", {"start": "2031-01-01T00:00:00+00:00"}),
        ("left", {"rooms": ["other@contoso.example"]}),
        ("left", {"event_id": "AAMkAGother="}),
        ("totals", {"people": 99_999}),
        ("totals", {"organizers": 99}),
        ("totals", {"series_dates": 99}),
        ("window", {"end": "2040-01-01T00:00:00+00:00"}),
        ("window", {"timezone": "Mars/Phobos"}),
    ],
)
def test_a_wrong_plan_is_found_out(
    drawn: list[tuple[Tenant, Closure, Truth]], where: str, change: dict[str, Any] | None
) -> None:
    """Whatever is missing, too much, or altered."""
    _, closure, meant = next(each for each in drawn if each[1].scope == "dates" and each[2].rows and each[2].left)
    plan = right_plan(meant, closure)
    more = copy.deepcopy(plan)
    if where in ("totals", "window"):
        plan[where].update(change)
    elif change is None:
        more[where].append(more[where][0])
        assert differences(more, meant, closure)
        del plan[where][0]
    else:
        plan[where][0].update(change)
    assert differences(plan, meant, closure)
