"""From a building to the organizers' copies: nothing wrong in the plan, nothing missing, and nothing sent."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.graph.errors import StoppedError, TryLaterError
from airflow_graph_cancel.hooks.storage import load_plan
from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator
from airflow_graph_cancel.operators.find import GraphFindEventsOperator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow.models.dagrun import DagRun

    from airflow_graph_cancel.sandbox.client import Sandbox

ADA, BEN, CYD = (f"{name}@contoso.example" for name in ("ada", "ben", "cyd"))
BEACON, LANTERN, PILOT = (f"{name}@contoso.example" for name in ("beacon", "lantern", "pilot"))
NILS = "nils@fabrikam.example"
WINDOW = {"start": "2030-01-07T08:00:00Z", "end": "2030-01-08T00:00:00Z"}
WHEN = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}

Plan = dict[str, Any]


@pytest.fixture
def tower(sandbox: Sandbox) -> Sandbox:
    """Three people, two rooms in North Tower and one in Harbour House."""
    for address in (ADA, BEN, CYD):
        sandbox.add_mailbox(address)
    for address, building in ((BEACON, "North Tower"), (LANTERN, "North Tower"), (PILOT, "Harbour House")):
        sandbox.add_mailbox(address, kind="room", building=building)
    return sandbox


def meet(sandbox: Sandbox, organizer: str = ADA, **more: Any) -> dict[str, Any]:
    """Make a meeting."""
    arguments = {"organizer": organizer, "subject": "Review", "attendees": [BEN], "rooms": [BEACON], **WHEN, **more}
    return dict(sandbox.create_event(**arguments))


def find(**arguments: Any) -> Plan:
    """Run the operator by hand; North Tower on one day unless told otherwise."""
    where = {} if {"rooms", "room_list", "building", "organizers"} & arguments.keys() else {"building": "North Tower"}
    operator = GraphFindEventsOperator(task_id="find", **{**where, **WINDOW, **arguments})
    return asyncio.run(operator.aexecute({}))


def ids(plan: Plan) -> set[str]:
    """The events of a plan."""
    return {row["event_id"] for row in plan["meetings"]}


def left(plan: Plan) -> dict[str, str]:
    """What is left, and why."""
    return {row["iCalUId"]: row["reason"] for row in plan["left"]}


def test_a_row_holds_what_approver_and_canceller_need(tower: Sandbox) -> None:
    """The organizer's id and mailbox, the people with those outside, all rooms that were asked for."""
    made = meet(tower, attendees=[BEN, CYD, NILS], rooms=[BEACON, LANTERN, PILOT])
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
    meet(tower)
    find()
    assert not tower.messages()
    assert {request["method"] for request in tower.requests() if not request["path"].endswith("$batch")} == {"GET"}


def test_one_date_of_a_series_or_all_of_it(tower: Sandbox) -> None:
    """The dates within the window, or the master with a warning that past dates go too."""
    made = meet(tower, recurrence={"type": "daily", "interval": 1, "count": 10})
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
    here, there = meet(tower), meet(tower, rooms=[PILOT])
    elsewhere = meet(tower, CYD, rooms=[PILOT])
    plan = find(building="North Tower", rooms=[BEACON], room_list="north-tower@contoso.example", organizers=ADA)
    assert ids(plan) == {here["copies"][ADA], there["copies"][ADA]}
    assert ids(find(building=["north tower", "Harbour House"])) == ids(plan) | {elsewhere["copies"][CYD]}


def test_what_is_kept_or_small_is_left(tower: Sandbox) -> None:
    """By the subject of the organizer's copy, which the room does not show; by organizer; by number of people."""
    drill = meet(tower, subject="Yearly FIRE drill")
    own = meet(tower, CYD)
    pair = meet(tower, attendees=[BEN, CYD])
    plan = find(keep=["*fire drill*", "cyd@*"], min_people=2)
    assert ids(plan) == {pair["copies"][ADA]}
    assert left(plan) == {drill["iCalUId"]: "kept", own["iCalUId"]: "kept"}
    assert set(left(find(min_people=3)).values()) == {"too few people"}


@pytest.mark.parametrize("keep", ["[Confidential] *", "[confidential] board", "*PRÜFUNG*"])
def test_a_pattern_that_could_be_meant_keeps(tower: Sandbox, keep: str) -> None:
    """Brackets are part of many subjects, and letters come in two spellings."""
    meet(tower, subject="[Confidential] Board")
    meet(tower, subject="Pru\u0308fung")
    assert len(find(keep=[keep])["left"]) == 1


def test_a_date_that_is_kept_keeps_its_series(tower: Sandbox) -> None:
    """With the whole series its date would go as well."""
    series = {"recurrence": {"type": "daily", "interval": 1, "count": 5}, "subject": "Stand-up"}
    meet(tower, exceptions={"2030-01-08": {"subject": "Audit by the regulator"}}, **series)
    plan = find(scope="series", keep="*audit*", end="2030-01-12T00:00:00Z")
    assert plan["meetings"] == []
    assert {row["reason"] for row in plan["left"]} == {"kept"}


def test_room_lists_of_one_name_are_not_guessed_between(tower: Sandbox) -> None:
    """The last one would win, and the other building stay open."""
    for number in (1, 2):
        tower.add_mailbox(f"list{number}@contoso.example", kind="room_list", display_name="Rooms", members=[BEACON])
    with pytest.raises(AirflowFailException, match="2 room lists are called 'Rooms'"):
        find(room_list="Rooms")


def test_subjects_are_private_unless_asked_for(tower: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Not in the plan, not in the summary, not in the log; and not even read."""
    meet(tower, subject="Redundancies")
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
    made = meet(tower, **times)
    window = {"start": (now - timedelta(days=1)).isoformat(), "end": (now + timedelta(days=1)).isoformat()}
    assert left(find(**window)) == {made["iCalUId"]: "in the past"}
    assert ids(find(**window, include_past=True)) == {made["copies"][ADA]}


def test_a_room_that_cannot_be_read_ends_the_search(tower: Sandbox) -> None:
    """What takes place there would be missed, and nobody would know."""
    tower.add_mailbox("attic@contoso.example", kind="room", building="North Tower", cloud=False)
    with pytest.raises(AirflowFailException, match=r"attic@contoso\.example"):
        find()


class TestRefused:
    """What cannot be meant as it stands: a sentence, and no request about calendars."""

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            ({"building": "North Twoer"}, "'North Twoer' .is 'north tower' meant"),
            ({"room_list": "Attic list"}, "no room list called 'Attic list'"),
            ({"room_list": "attic@contoso.example"}, "no room list attic@contoso.example"),
            ({"rooms": [ADA]}, "ada@contoso.example is no room"),
            ({"rooms": ["becaon@contoso.example"]}, "is 'beacon@contoso.example' meant"),
            ({"rooms": []}, "No room, room list, building or organizer"),
            ({"building": "None"}, "building"),
            ({"rooms": "['beacon@contoso.example', None]"}, "rooms holds None"),
            ({"organizers": "nobody@contoso.example"}, "nobody@contoso.example is unknown"),
            ({"start": "2030-01-07"}, "without an offset"),
            ({"timezone": "Europe/Nowhere"}, "no IANA time zone"),
            ({"end": "2030-01-07T08:00:00Z"}, "not after start"),
            ({"end": "2030-04-07T08:00:00Z"}, "90 days long"),
            ({"scope": "everything"}, "must be dates or series"),
        ],
    )
    def test_a_slip(self, tower: Sandbox, arguments: dict[str, Any], said: str) -> None:
        """Each is named."""
        meet(tower)
        with pytest.raises(AirflowFailException, match=said):
            find(**arguments)
        assert not tower.requests(path=f"{BEACON.replace('@', '%40')}/calendarView")

    def test_a_building_without_rooms(self, tower: Sandbox) -> None:
        """Nothing found must not look like nothing to do."""
        with pytest.raises(AirflowFailException, match="no building or room list"):
            find(building="South Tower")
        tower.add_mailbox("attic@contoso.example", kind="room_list", display_name="Attic", members=[])
        for where in ({"building": "Attic"}, {"room_list": "Attic"}, {"room_list": "attic@contoso.example"}):
            with pytest.raises(AirflowFailException, match=r"(?i)attic.* has no rooms"):
                find(**where)

    def test_a_room_list_is_found_by_its_name(self, tower: Sandbox) -> None:
        """As a building, too, if no room has that as its building."""
        made = meet(tower)
        tower.add_mailbox("floor2@contoso.example", kind="room_list", display_name="Second floor", members=[BEACON])
        for where in ({"building": "second floor"}, {"room_list": "Second Floor"}):
            assert ids(find(**where)) == {made["copies"][ADA]}

    def test_an_app_that_may_not_list_rooms(self, tower: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """The permission is named, and the way without it works for rooms that are given by address."""
        meet(tower)
        connection = json.dumps({**tower.connection, "login": "sandbox-reader"})
        monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", connection)
        with pytest.raises(AirflowFailException, match=r"Place\.Read\.All"):
            find(rooms=[BEACON])
        assert len(find(rooms=[BEACON], check_rooms=False)["meetings"]) == 1

    def test_a_longer_window_that_is_meant(self, tower: Sandbox) -> None:
        """Somebody who leaves has meetings for a year."""
        made = meet(tower, start="2030-11-07T10:00:00Z", end="2030-11-07T11:00:00Z")
        assert ids(find(organizers=ADA, end="2031-01-07T08:00:00Z", max_days=366)) == {made["copies"][ADA]}


def test_an_empty_plan_cancels_nothing_and_passes(tower: Sandbox) -> None:
    """A closure without meetings is no failure, at either step."""
    plan = find()
    assert (plan["meetings"], plan["totals"]["meetings"]) == ([], 0)
    cancel = GraphCancelEventsOperator(task_id="cancel", events=plan)
    assert asyncio.run(cancel.aexecute({}))["total"] == 0


def test_a_plan_in_a_file(tower: Sandbox, tmp_path: Path) -> None:
    """XCom carries what an approver needs and the digest; the file is the plan."""
    made = meet(tower)
    path = str(tmp_path / "plans" / "closure.json")
    pointer = find(plan_path=path)
    assert pointer.keys() == {"path", "window", "totals", "digest", "made_at", "summary"}
    assert ids(load_plan(pointer)) == {made["copies"][ADA]}
    assert load_plan(str(pointer)) == load_plan(pointer)
    cancel = GraphCancelEventsOperator(task_id="cancel", events=str(pointer))
    assert asyncio.run(cancel.aexecute({}))["counts"] == {"cancelled": 1}


def test_a_long_plan_goes_to_a_file_by_itself(
    tower: Sandbox, run_dag: Callable[..., DagRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand rows are too much for Airflow's database; nobody has to know beforehand."""
    monkeypatch.setattr("airflow_graph_cancel.hooks.storage.MOST_ROWS", 1)
    for _ in range(2):
        meet(tower)
    with DAG(dag_id="long_plan") as dag:
        found = GraphFindEventsOperator(task_id="find", building="North Tower", **WINDOW)
        GraphCancelEventsOperator(task_id="cancel", events=found.output)
    tasks = {task.task_id: task for task in run_dag(dag).get_task_instances()}
    pointer = tasks["find"].xcom_pull(task_ids="find")
    assert "meetings" not in pointer
    assert len(load_plan(pointer)["meetings"]) == 2
    assert tasks["cancel"].xcom_pull(task_ids="cancel")["counts"] == {"cancelled": 2}


def test_another_runs_file_is_not_taken_for_the_plan(tower: Sandbox, tmp_path: Path) -> None:
    """What was approved is bound by its digest, not by where it lies."""
    path = str(tmp_path / "plan.json")
    meet(tower)
    pointer = find(plan_path=path)
    meet(tower, CYD)
    find(plan_path=path)
    with pytest.raises(AirflowFailException, match="another one than the one that was found"):
        asyncio.run(GraphCancelEventsOperator(task_id="cancel", events=pointer).aexecute({}))
    (tmp_path / "plan.json").unlink()
    with pytest.raises(AirflowFailException, match="cannot be read"):
        asyncio.run(GraphCancelEventsOperator(task_id="cancel", events=pointer).aexecute({}))
    assert not tower.messages()


@pytest.mark.parametrize("kind", ["429", "503", "truncated", "401-expired", "reset", "502-html"])
def test_faults_while_reading_are_ridden_out(tower: Sandbox, kind: str) -> None:
    """No half plan: what failed is read again."""
    expected = {meet(tower, organizer)["copies"][organizer] for organizer in (ADA, BEN, CYD) for _ in range(5)}
    path = "batch$" if kind in {"reset", "truncated"} else "calendarView"
    tower.add_fault(
        kind, times=3, retry_after="0", match={"path": path, "method": "POST" if "batch" in path else "GET"}
    )
    assert ids(find()) == expected
    assert any(request["fault"] for request in tower.requests())


def test_a_service_that_stays_away_is_asked_later(tower: Sandbox) -> None:
    """The task fails in a way that Airflow retries, with the time that the service named."""
    meet(tower)
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
            expected.add(meet(tower, owner)["copies"][owner])
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

    async def elsewhere(self: GraphClient, path: str) -> Response:
        body = {"value": [], "@odata.nextLink": "https://graph.evil.example/v1.0/places?$skip=1"}
        return Response(200, {"request-id": "1"}, json.dumps(body).encode())

    monkeypatch.setattr(GraphClient, "get", elsewhere)
    with pytest.raises(AirflowFailException, match=r"graph\.evil\.example"):
        find()


def test_a_stop_ends_the_reading(tower: Sandbox) -> None:
    """Nothing is asked any more, and nothing returned."""
    operator = GraphFindEventsOperator(task_id="find", building="North Tower", **WINDOW)
    operator.on_kill()
    with pytest.raises(StoppedError):
        asyncio.run(operator.aexecute({}))
    assert not tower.requests()


def test_templates(tower: Sandbox, run_dag: Callable[..., DagRun]) -> None:
    """Everything that a feed delivers can come from the run's conf, as text or natively."""
    made = meet(tower)
    with DAG(dag_id="templated_find") as dag:
        GraphFindEventsOperator(
            task_id="find",
            rooms="{{ dag_run.conf['rooms'] }}",
            start="{{ dag_run.conf['day'] }}",
            end="{{ macros.ds_add(dag_run.conf['day'], 1) }}",
            timezone="{{ dag_run.conf['zone'] }}",
            keep="{{ dag_run.conf['keep'] }}",
        )
    run = run_dag(dag, rooms=[BEACON, LANTERN], day="2030-01-07", zone="Europe/London", keep=["*drill*"])
    (task,) = run.get_task_instances()
    assert ids(task.xcom_pull(task_ids="find")) == {made["copies"][ADA]}
