"""Run ``facility_closure`` in a real Airflow, approve like a user would, and check every result."""

from __future__ import annotations

import csv
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import airflow_home
import feeds
import interfering
import printing
import real_airflow
from checking import Case, differences
from rich.console import Console
from truth import World

from airflow_graph_cancel.sandbox.client import Sandbox

if TYPE_CHECKING:
    from rest import Airflow

DAG = "facility_closure"
BUILD = airflow_home.ROOT / ".build" / "demo"
# Lose one response after the cancellation took effect: a client that just retries would send twice.
LOST = "504;after;method=POST;event_id=AAMkAGNT-candidate-interview-0004="
TAKEN_OUT, MOVED = "AAMkAGNT-fire-warden-briefing-0003=", feeds.FIRST_DAY

Json = dict[str, Any]


def run() -> int:
    """Run the demonstration and return the exit code: 0 only if every check passes."""
    console = Console()
    real_airflow.end_on_any_signal()
    try:
        return show(console, time.monotonic())
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 130
    except (real_airflow.AirflowDownError, TimeoutError) as error:
        console.print(str(error), markup=False)
        console.print(f"[bold red]The demonstration did not finish. See {BUILD / 'airflow.log'}")
        return 1


def show(console: Console, started: float) -> int:
    """Run the pipeline from the feed to the final check."""
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    with Sandbox.start(tenant="sample", faults=[LOST]) as sandbox:
        console.print(f"A local Microsoft Graph is running at {sandbox.url}: 60 people, 15 rooms, 400 meetings.")
        wanted = feeds.closures(sandbox)
        interfering.add_what_is_not_ours(sandbox, wanted[0])
        before = World.of(sandbox)
        feeds.write(BUILD / "feeds", wanted)
        console.print("Starting Airflow: scheduler, DAG processor, triggerer, API server ...")
        with real_airflow.running(
            BUILD, sandbox, CLOSURE_FEEDS=str(BUILD / "feeds"), CLOSURE_REPORTS=str(BUILD / "reports")
        ) as airflow:
            console.print(f"Running the DAG {DAG} (example_dags/{DAG}.py) with a feed of {len(wanted)} closures.")
            run_id = airflow.start(DAG)
            asked = approve(console, airflow, run_id, sandbox, before)
            state = airflow.ended(DAG, run_id)
            summaries = [airflow.xcom(DAG, run_id, "closure.report", index)["summary"] for index in range(len(wanted))]
        after, ledger = World.of(sandbox), sandbox.ledger()
    (reports,) = (BUILD / "reports" / DAG).iterdir()
    cases = [case(closure, before, index, reports, index in asked) for index, closure in enumerate(wanted)]
    messages = [message for message in ledger["messages"] if message["kind"] == "cancellation"]
    for each in cases[:2]:
        printing.meetings(console, each, after.own, messages)
    printing.reports(console, summaries, reports)
    wrong = differences(cases, messages, before.own, after.own)
    if state != "success":
        wrong.append(f"the run ended as {state}")
    printing.verdict(console, wrong, cases, ledger, time.monotonic() - started)
    return 1 if wrong else 0


def approve(console: Console, airflow: Airflow, run_id: str, sandbox: Sandbox, before: World) -> set[int]:
    """Act as the approver and as an organizer; return the map indexes of the closures that asked for approval."""
    questions = airflow.until(lambda: _both(airflow, run_id), "both approvals wait")
    for question in questions:
        console.print(f"\n{airflow.address}/required_actions shows:", highlight=False)
        printing.question(console, question)
    interfering.move(sandbox, before.own[MOVED])
    console.print(f"\nWhile the approver reads, {before.own[MOVED]['organizer']} postpones a meeting by a day.")
    for question in questions:
        offered = question["params"]["without"]["schema"]
        without = [event_id for event_id in offered["examples"] if event_id == TAKEN_OUT]
        airflow.answer(question, "Approve", without=without)
        said = "".join(f", without: {offered['values_display'][event_id]}" for event_id in without)
        console.print(f"The approver approves {question['subject']}{said}.", highlight=False)
    return {question["task_instance"]["map_index"] for question in questions}


def case(closure: feeds.Closure, before: World, index: int, reports: Path, asked: bool) -> Case:
    """Combine the expected result of one closure with what the pipeline reported."""
    meetings, left = before.affected(closure)
    times = [f"{moment:%A %d %B, %H:%M}" for moment in (closure.start, closure.end, closure.reopening)]
    return Case(
        building=closure.building,
        meetings=meetings,
        left=left,
        words=[closure.building, closure.timezone, closure.reason, *times],
        asked=asked,
        plan=json.loads((reports / f"closure-{index}.plan.json").read_text(encoding="utf-8")),
        rows=[json.loads(line) for line in (reports / f"closure-{index}.jsonl").read_text("utf-8").splitlines()],
        report=read_csv(reports / f"closure-{index}.csv"),
        taken_out=meetings.keys() & {TAKEN_OUT},
        changed=meetings.keys() & {MOVED},
    )


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the rows of a report."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _both(airflow: Airflow, run_id: str) -> list[Json]:
    questions = airflow.questions(DAG, run_id)
    done = airflow.tasks(DAG, run_id).get(("closure.report", 2), {}).get("state")
    if len(questions) < 2 or done is None:
        return []
    return sorted(questions, key=lambda question: int(question["task_instance"]["map_index"]))
