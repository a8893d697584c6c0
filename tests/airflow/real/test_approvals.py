"""The examples that ask a person, under a real Airflow: approved, shortened, rejected, empty, changed, unanswered.

All runs are started together and each test waits for its own, so that Airflow starts once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import interfering
import pytest

from tests.support.closure_tenant import ANNOUNCED, HOSTILE, fill
from tests.support.contoso import ADA, BEN, CLEO, TOM
from tests.support.reports import csv_and_text

if TYPE_CHECKING:
    from rest import Airflow

    from airflow_graph_cancel.sandbox.client import Sandbox
    from tests.airflow.real.conftest import RealAirflow

pytestmark = pytest.mark.timeout(400)

CONF: dict[str, dict[str, Any]] = {
    "facility_closure": {},
    "unanswered": {},
    "offboarding": {
        "leaver": CLEO, "name": "Cleo", "first_day": "2030-02-01", "contact": "Ada", "keep": ["*handover*"],
    },
    "training_cancelled": {
        "trainer": TOM, "first_day": "2030-03-04", "last_day": "2030-03-05", "comment": "Tom is ill.",
    },
}  # fmt: skip


@dataclass
class Office:
    """Everything that the tests look at.

    :param ids: of the organizers' copies, by a name.
    :param runs: ids of the runs, by DAG.
    :param one: the run that cancels one training.
    :param asked: the approvals by their subject.
    """

    sandbox: Sandbox
    airflow: Airflow
    reports: Path
    ids: dict[str, str]
    runs: dict[str, str]
    one: str
    asked: dict[str, dict[str, Any]]

    def ended(self, dag_id: str, run_id: str | None = None) -> str:
        """Wait for the end of a run and say how it ended."""
        return self.airflow.ended(dag_id, run_id or self.runs[dag_id])

    def told(self) -> dict[str, list[str]]:
        """The comments of all cancellations so far, by the name of the meeting."""
        found: dict[str, list[str]] = {}
        for message in self.sandbox.messages():
            if message["kind"] == "cancellation":
                found.setdefault(self.name(message["event_id"]), []).append(message["comment"])
        return found

    def name(self, event_id: str) -> str:
        """The name of a meeting, or its id if it is none of those that the tests know."""
        return next((name for name, known in self.ids.items() if known == event_id), event_id)

    def states(self, dag_id: str, run_id: str | None = None, map_index: int = -1) -> dict[str, str]:
        """How the tasks of a run, or of one closure in it, ended."""
        tasks = self.airflow.tasks(dag_id, run_id or self.runs[dag_id])
        return {
            task_id.rpartition(".")[2]: str(task["state"])
            for (task_id, index), task in tasks.items()
            if index == map_index
        }

    def report(self, dag_id: str, name: str) -> tuple[dict[str, dict[str, str]], str]:
        """A report's rows, by the name of the meeting, and its text."""
        rows, text = csv_and_text(self.reports / dag_id / self.runs[dag_id] / f"{name}.csv")
        return {self.name(row["event_id"]): row for row in rows}, text


@pytest.fixture(scope="module")
def office(real: RealAirflow) -> Office:
    """Everything runs, and everything is answered that is to be."""
    airflow, sandbox = real.airflow, real.office
    ids = fill(sandbox)
    runs = {dag_id: airflow.start(dag_id, conf) for dag_id, conf in CONF.items()}
    one = airflow.start("training_cancelled", {"trainer": TOM, "event_id": ids["one training"]})
    runs["facility_closure_on_asset"] = announce(airflow)
    asked = all_questions(airflow)
    moved = {"id": ids["moved"], "organizer": ADA, "start": "2030-01-08T15:00:00Z", "end": "2030-01-08T15:29:00Z"}
    interfering.move(sandbox, moved)
    for name, question in asked.items():
        without = [ids["stays"]] if name == "Oak House" else []
        airflow.answer(question, "Reject" if name == "Ash House" else "Approve", without=without)
    return Office(sandbox, airflow, real.reports, ids, runs, one, asked)


def announce(airflow: Airflow) -> str:
    """Say that a building is closed, as a facility system would, and return the run that this starts."""
    dag = "/api/v2/dags/facility_closure_on_asset"
    airflow.until(lambda: airflow.is_there("facility_closure_on_asset"), "the DAG is read")
    (asset,) = airflow.call("GET", "/api/v2/assets?name_pattern=facility_closures")["assets"]
    airflow.call("POST", "/api/v2/assets/events", {"asset_id": asset["id"], "extra": ANNOUNCED})
    runs = airflow.until(lambda: airflow.call("GET", f"{dag}/dagRuns")["dag_runs"], "the event starts a run")
    return str(runs[0]["dag_run_id"])


def all_questions(airflow: Airflow) -> dict[str, dict[str, Any]]:
    """Wait until all approvals wait for their answer; return them by the beginning of their subject."""
    wanted = ("Oak House", "Elm House", "Ash House", "Fir House", "Cleo", "Trainings")

    def waiting() -> dict[str, dict[str, Any]]:
        found = airflow.questions("~", "~")
        named = {name: each for each in found for name in wanted if each["subject"].startswith(name)}
        return named if len(named) == len(wanted) else {}

    return airflow.until(waiting, "all approvals wait")


def test_an_approved_closure(office: Office) -> None:
    """Found, approved, cancelled, gone, reported: the message gives local times, reason and reopening."""
    office.ended("facility_closure")
    assert set(office.states("facility_closure", map_index=0).values()) == {"success"}
    told = office.told()
    assert set(told["review"] + told["date"]) == {
        "Oak House is closed from Monday 07 January, 18:00 to Wednesday 09 January, 07:00 (Europe/London time): a "
        "water main has burst. This meeting is cancelled. The building opens again on Wednesday 09 January, 07:30.\n"
        "Contoso Facilities"
    }
    rows, text = office.report("facility_closure", "closure-0")
    assert {name: row["outcome"] for name, row in rows.items() if row["record"] == "meeting"} == {
        "date": "cancelled", "review": "cancelled", "moved": "changed",
    }  # fmt: skip
    assert "Approved by admin" in text
    assert "All cancelled meetings are gone" in text


def test_the_approver_takes_a_meeting_out(office: Office) -> None:
    """It is not cancelled, and the report says that a person decided so."""
    office.ended("facility_closure")
    rows, text = office.report("facility_closure", "closure-0")
    assert (rows["stays"]["record"], rows["stays"]["reason"]) == ("left", "taken out by the approver")
    assert "without 1 of the meetings" in text


def test_a_meeting_that_was_moved_meanwhile_is_held(office: Office) -> None:
    """Its organizer has solved it already; the run passes, and the report asks somebody to look."""
    office.ended("facility_closure")
    rows, text = office.report("facility_closure", "closure-0")
    assert rows["moved"]["outcome"] == "changed"
    assert "1 held back because it changed" in text


def test_the_approver_sees_what_would_happen(office: Office) -> None:
    """Times are the building's, the message is the one that is sent, and its markup is shown and not obeyed."""
    question = office.asked["Elm House"]
    assert "Mon 2030-01-07 21:00–21:29" in question["body"]
    assert "&lt;b&gt;water&lt;/b&gt;" in question["body"]
    assert list(question["params"]["without"]["schema"]["examples"]) == [office.ids["night"]]


def test_a_feed_cannot_run_templates(office: Office) -> None:
    """The author of a feed must not be able to read secrets with it."""
    office.ended("facility_closure")
    (comment,) = office.told()["night"]
    assert HOSTILE in comment
    secret = office.sandbox.connection["password"]
    assert secret not in comment
    assert secret not in office.asked["Elm House"]["body"]


def test_a_rejected_closure(office: Office) -> None:
    """Nothing is cancelled although the group is mapped, the run passes, and the report says who rejected it."""
    office.ended("facility_closure")
    assert office.states("facility_closure", map_index=2) == {
        "find": "success", "approve": "skipped", "cancel": "skipped", "wait": "skipped", "report": "success",
        "done": "success",
    }  # fmt: skip
    rows, text = office.report("facility_closure", "closure-2")
    assert "Rejected by admin" in text
    assert "This is what was planned, and not what was sent" in text
    assert rows.keys() == {"rejected"}


def test_an_empty_closure_asks_nobody(office: Office) -> None:
    """Nobody is woken for nothing; the cancelling passes, and the report says so."""
    office.ended("facility_closure")
    assert set(office.states("facility_closure", map_index=3).values()) == {"success"}
    assert office.airflow.xcom("facility_closure", office.runs["facility_closure"], "closure.cancel", 3)["total"] == 0
    assert not [subject for subject in office.asked if subject.startswith("Yew")]
    _, text = office.report("facility_closure", "closure-3")
    assert "There was nothing to cancel." in text
    assert "Nobody was asked" in text


def test_the_run_with_all_of_them_passes(office: Office) -> None:
    """A rejection is an answer and no failure."""
    assert office.ended("facility_closure") == "success"


def test_an_unanswered_approval_sends_nothing(office: Office) -> None:
    """The run fails without a retry, and the report says what was planned and that nobody answered."""
    assert office.ended("unanswered") == "failed"
    assert office.states("unanswered") == {
        "find": "success", "approve": "failed", "cancel": "upstream_failed", "wait": "upstream_failed",
        "report": "success", "done": "upstream_failed",
    }  # fmt: skip
    _, text = office.report("unanswered", "cancel_meetings")
    assert "Nobody answered within 0:00:03." in text


def test_a_closure_that_an_asset_event_brings(office: Office) -> None:
    """The event's own words come to the attendees."""
    assert office.ended("facility_closure_on_asset") == "success"
    assert office.told()["announced"] == ["Fir House is closed: the power is off. It reopens on Wednesday."]


def test_offboarding(office: Office) -> None:
    """Series as a whole and meetings up to a year ahead; what is kept and what others hold stays."""
    assert office.ended("offboarding") == "success"
    told = office.told()
    assert told["leavers series"] == told["leavers meeting"]
    assert "Please ask Ada." in told["leavers series"][0]
    rows, _ = office.report("offboarding", "cancel_meetings")
    assert rows["handover"]["reason"] == "kept"
    standing = {copy["id"] for copy in office.sandbox.meetings(BEN) if not copy["is_cancelled"]}
    assert standing


def test_training_cancelled_for_days_of_illness(office: Office) -> None:
    """The last day is one of them, to its very end, and the approver sees the subjects."""
    assert office.ended("training_cancelled") == "success"
    assert office.told()["training 1"] == office.told()["training 2"] == ["Tom is ill."]
    assert "First aid" in office.asked["Trainings"]["body"]
    assert office.states("training_cancelled")["one_training"] == "skipped"


def test_one_training(office: Office) -> None:
    """The other branch asks nobody, and its report is skipped instead of failing."""
    assert office.ended("training_cancelled", office.one) == "success"
    states = office.states("training_cancelled", office.one)
    assert (states["one_training"], states["find"], states["report"]) == ("success", "skipped", "skipped")


def test_exactly_what_was_approved_is_cancelled(office: Office) -> None:
    """Over all runs together: each once, and nothing else."""
    for dag_id, run_id in [*office.runs.items(), ("training_cancelled", office.one)]:
        office.ended(dag_id, run_id)
    assert {name: len(comments) for name, comments in office.told().items()} == {
        "date": 1,
        "review": 1,
        "night": 1,
        "announced": 1,
        "leavers series": 1,
        "leavers meeting": 1,
        "training 1": 1,
        "training 2": 1,
        "one training": 1,
    }
