"""From a building to the organizers' copies: nothing wrong in the plan, nothing missing, and nothing sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.graph.errors import StoppedError, TryLaterError
from airflow_graph_cancel.hooks.storage import load_plan
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from tests.support.contoso import ADA, BEACON, BEN, CYD, LANTERN, NILS, PILOT
from tests.support.operators import cancel_events, run_operator
from tests.support.plans import DAY, Plan, create_booking, find, ids

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.client import Sandbox


def left(plan: Plan) -> dict[str, str]:
    """What is left, and why."""
    return {row["iCalUId"]: row["reason"] for row in plan["left"]}


def test_a_row_holds_what_approver_and_canceller_need(tower: Sandbox) -> None:
    """The organizer's id and mailbox, the people with those outside, all rooms that were asked for."""
    made = create_booking(tower, attendees=[BEN, CYD, NILS], rooms=[BEACON, LANTERN, PILOT])
    (row,) = find()["meetings"]
    assert row.pop("changeKey")
    assert row == {
        "event_id": made["copies"][ADA],
        "user_id": ADA,
        "iCalUId": made["iCalUId"],
        "start": "2030-01-07T10:00:00+00:00",
        "end": "2030-01-07T11:00:00+00:00",
        "rooms": [BEACON, LANTERN],
        "people": 3,
        "outside": 1,
        "type": "singleInstance",
        "scope": "dates",
    }


def test_only_reads_are_made(tower: Sandbox) -> None:
    """Whatever is in the calendars; also through a connection that is for previews only."""
    create_booking(tower)
    find()
    assert not tower.messages()
    assert {request["method"] for request in tower.requests() if not request["path"].endswith("$batch")} == {"GET"}


def test_one_date_of_a_series_or_all_of_it(tower: Sandbox) -> None:
    """The dates within the window, or the master with a warning that past dates go too."""
    made = create_booking(tower, recurrence={"type": "daily", "interval": 1, "count": 10})
    (date,) = find()["meetings"]
    (occurrence,) = [each for each in made["occurrences"][ADA] if each["start"].startswith("2030-01-07")]
    assert (date["event_id"], date["type"], date["scope"]) == (occurrence["id"], "occurrence", "dates")
    week = {"end": "2030-01-10T00:00:00Z"}
    assert find(**week)["totals"]["series_dates"] == 3
    plan = find(scope="series", **week)
    (row,) = plan["meetings"]
    assert (row["event_id"], row["type"], row["scope"]) == (made["copies"][ADA], "seriesMaster", "series")
    assert plan["totals"]["series_dates"] == 3
    assert "in the past" in plan["summary"]


def test_rooms_room_lists_and_organizers_mix(tower: Sandbox) -> None:
    """What is found in several ways is in the plan once; an organizer's meetings are found wherever they are."""
    here, there = create_booking(tower), create_booking(tower, rooms=[PILOT])
    elsewhere = create_booking(tower, CYD, rooms=[PILOT])
    plan = find(building="North Tower", rooms=[BEACON], room_list="north-tower@contoso.example", organizers=ADA)
    assert ids(plan) == {here["copies"][ADA], there["copies"][ADA]}
    assert ids(find(building=["north tower", "Harbour House"])) == ids(plan) | {elsewhere["copies"][CYD]}


def test_what_is_kept_or_small_is_left(tower: Sandbox) -> None:
    """By the subject of the organizer's copy, which the room does not show; by organizer; by number of people."""
    drill = create_booking(tower, subject="Yearly FIRE drill")
    own = create_booking(tower, CYD)
    pair = create_booking(tower, attendees=[BEN, CYD])
    plan = find(keep=["*fire drill*", "cyd@*"], min_people=2)
    assert ids(plan) == {pair["copies"][ADA]}
    assert left(plan) == {drill["iCalUId"]: "kept", own["iCalUId"]: "kept"}
    assert set(left(find(min_people=3)).values()) == {"too few people"}


@pytest.mark.parametrize("keep", ["[Confidential] *", "[confidential] board", "*PRÜFUNG*"])
def test_a_pattern_that_could_be_meant_keeps(tower: Sandbox, keep: str) -> None:
    """Brackets are part of many subjects, and letters come in two spellings."""
    create_booking(tower, subject="[Confidential] Board")
    create_booking(tower, subject="Pru\u0308fung")
    assert len(find(keep=[keep])["left"]) == 1


def test_a_date_that_is_kept_keeps_its_series(tower: Sandbox) -> None:
    """With the whole series its date would go as well."""
    series: dict[str, Any] = {"recurrence": {"type": "daily", "interval": 1, "count": 5}, "subject": "Stand-up"}
    create_booking(tower, exceptions={"2030-01-08": {"subject": "Audit by the regulator"}}, **series)
    plan = find(scope="series", keep="*audit*", end="2030-01-12T00:00:00Z")
    assert plan["meetings"] == []
    assert {row["reason"] for row in plan["left"]} == {"kept"}


def test_subjects_are_private_unless_asked_for(tower: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the plan, not in the summary, not in the log; and not even read."""
    create_booking(tower, subject="Redundancies")
    plan = find()
    assert "Redundancies" not in json.dumps(plan) + caplog.text
    assert not any("subject" in request["path"] for request in tower.requests())
    shown = find(with_subjects=True)
    assert shown["meetings"][0]["subject"] == "Redundancies"
    assert "Redundancies" in shown["summary"]


def test_the_past_is_left(tower: Sandbox) -> None:
    """What is over cannot be helped, unless somebody wants it."""
    now = datetime.now(UTC)
    times = {"start": (now - timedelta(hours=3)).isoformat(), "end": (now - timedelta(hours=2)).isoformat()}
    made = create_booking(tower, **times)
    window = {"start": (now - timedelta(days=1)).isoformat(), "end": (now + timedelta(days=1)).isoformat()}
    assert left(find(**window)) == {made["iCalUId"]: "in the past"}
    assert ids(find(**window, include_past=True)) == {made["copies"][ADA]}


def test_an_empty_plan_cancels_nothing_and_passes(tower: Sandbox) -> None:
    """A closure without meetings succeeds, in finding and in cancelling."""
    plan = find()
    assert (plan["meetings"], plan["totals"]["meetings"]) == ([], 0)
    cancel = GraphCancelEventsOperator(task_id="cancel", events=plan)
    assert run_operator(cancel)["total"] == 0


def test_a_plan_in_a_file(tower: Sandbox, tmp_path: Path) -> None:
    """XCom carries what an approver needs and the digest; the file is the plan."""
    made = create_booking(tower)
    path = str(tmp_path / "plans" / "closure.json")
    pointer = find(plan_path=path)
    assert pointer.keys() == {"path", "window", "totals", "digest", "made_at", "summary"}
    assert ids(load_plan(pointer)) == {made["copies"][ADA]}
    assert load_plan(str(pointer)) == load_plan(pointer)
    cancel = GraphCancelEventsOperator(task_id="cancel", events=str(pointer))
    assert run_operator(cancel)["counts"] == {"cancelled": 1}


def test_another_runs_file_is_not_taken_for_the_plan(tower: Sandbox, tmp_path: Path) -> None:
    """What was approved is bound by its digest, not by where it lies."""
    path = str(tmp_path / "plan.json")
    create_booking(tower)
    pointer = find(plan_path=path)
    create_booking(tower, CYD)
    find(plan_path=path)
    with pytest.raises(AirflowFailException, match="another plan than the one that was found"):
        cancel_events(pointer)
    (tmp_path / "plan.json").unlink()
    with pytest.raises(AirflowFailException, match="cannot be read"):
        cancel_events(pointer)
    assert not tower.messages()


@pytest.mark.parametrize("kind", ["429", "503", "truncated", "401-expired", "reset", "502-html"])
def test_faults_while_reading_are_ridden_out(tower: Sandbox, kind: str) -> None:
    """No half plan: what failed is read again."""
    expected = {
        create_booking(tower, organizer)["copies"][organizer] for organizer in (ADA, BEN, CYD) for _ in range(5)
    }
    path = "batch$" if kind in {"reset", "truncated"} else "calendarView"
    tower.add_fault(
        kind, times=3, retry_after="0", match={"path": path, "method": "POST" if "batch" in path else "GET"}
    )
    assert ids(find()) == expected
    assert any(request["fault"] for request in tower.requests())


def test_a_service_that_stays_away_is_asked_later(tower: Sandbox) -> None:
    """The task fails in a way that Airflow retries, with the time that the service named."""
    create_booking(tower)
    tower.add_fault("429", times=None, retry_after="90", match={"path": "calendarView"})
    with pytest.raises(TryLaterError) as raised:
        find()
    assert raised.value.retry_after == 90


def test_many_pages_and_many_meetings(tower: Sandbox) -> None:
    """Next pages are followed; the cost is rooms, organizers, pages and two, all but single requests in batches."""
    owners = [f"owner{number}@contoso.example" for number in range(30)]
    expected = set()
    for owner in owners:
        tower.add_mailbox(owner)
        for _ in range(8):
            expected.add(create_booking(tower, owner)["copies"][owner])
    tower.clear_ledger()
    assert ids(find()) == expected
    asked = [request for request in tower.requests() if not request["path"].endswith("$batch")]
    pages = 1
    assert len(asked) <= 2 + len(owners) + pages + 2
    assert sum(request["batch"] is None for request in asked) <= 3
    assert not tower.requests(status=429)


def test_a_page_elsewhere_is_not_followed(tower: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token goes to Graph's own host, whatever an answer says."""
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.response import Response

    async def elsewhere(self: GraphClient, request: object) -> Response:
        body = {"value": [], "@odata.nextLink": "https://graph.evil.example/v1.0/places?$skip=1"}
        return Response(200, {"request-id": "1"}, json.dumps(body).encode())

    monkeypatch.setattr(GraphClient, "send", elsewhere)
    with pytest.raises(AirflowFailException, match=r"graph\.evil\.example"):
        find()


def test_a_stop_ends_the_reading(tower: Sandbox) -> None:
    """Nothing is asked any more, and nothing returned."""
    operator = GraphFindEventsOperator(task_id="find", building="North Tower", **DAY)
    operator.on_kill()
    with pytest.raises(StoppedError):
        run_operator(operator)
    assert not tower.requests()
