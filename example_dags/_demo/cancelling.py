"""Run ``cancel_from_feed`` and compare what the tasks say with what the local Graph saw."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import airflow_home
import telling
from rich.console import Console

from airflow_graph_cancel.sandbox.client import Sandbox

DATA = airflow_home.ROOT / "example_dags" / "data"
# One answer is lost after the work was done: what makes other tools tell people twice.
FAULT = "reset;after;path=budget-with-rotterdam"

Json = dict[str, Any]


def run() -> int:
    """Show the demonstration and return the exit code: 0 only if every claim holds."""
    console = Console()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="graph-cancel-demo-") as folder:
        log = Path(folder, "airflow.log")
        with Sandbox.start(tenant="sample", faults=[FAULT]) as sandbox:
            console.print(f"A local Microsoft Graph is up at {sandbox.url}: 60 people, 15 rooms, 400 meetings.")
            before = meetings(sandbox)
            env = airflow_home.environment(Path(folder, "airflow"), sandbox)
            console.print("Airflow runs the DAG cancel_from_feed (example_dags/cancel_from_feed.py) ...")
            rows = run_dag(env, log, Path(folder, "rows.json"))
            if rows is None:
                console.print(log.read_text()[-6000:], markup=False)
                console.print("[bold red]The DAG run failed; the end of its log is above.")
                return 1
            after, ledger = meetings(sandbox), sandbox.ledger()
    feed = read_feed()
    telling.meetings(console, feed, before, after, rows)
    telling.messages(console, ledger["messages"])
    wrong = differences(feed, rows, ledger, before, after)
    telling.verdict(console, wrong, rows, ledger, time.monotonic() - started)
    return 1 if wrong else 0


def read_feed() -> list[Json]:
    """Return the rows of both feeds, read by other code than the DAG's."""
    import csv

    with (DATA / "closures.csv").open(encoding="utf-8", newline="") as file:
        rows: list[Json] = list(csv.DictReader(file))
    return rows + list(json.loads((DATA / "closures.json").read_text(encoding="utf-8")))


def meetings(sandbox: Sandbox) -> dict[str, Json]:
    """Return what stands in the organizers' calendars: id -> meeting, a series under its master's id too."""
    found: dict[str, Json] = {}
    for mailbox in sandbox.state()["mailboxes"]:
        for meeting in mailbox["meetings"]:
            if meeting["is_organizer"] and not meeting["is_cancelled"]:
                found[meeting["id"]] = meeting
                if meeting.get("series_master_id"):
                    found.setdefault(meeting["series_master_id"], meeting)
    return found


def run_dag(env: dict[str, str], log: Path, rows_file: Path) -> list[Json] | None:
    """Run the DAG to its end in a process of its own; return what its tasks returned, None if it failed."""
    airflow_home.migrate(env, log)
    runner = Path(__file__).with_name("run_dag.py")
    with log.open("a") as output:
        ended = subprocess.run(
            [sys.executable, str(runner), "cancel_from_feed", str(rows_file)], env=env, stdout=output, stderr=output,
            check=False,
        )  # fmt: skip
    if ended.returncode != 0:
        return None
    rows: list[Json] = json.loads(rows_file.read_text(encoding="utf-8"))
    return rows


def differences(
    feed: list[Json], rows: list[Json], ledger: Json, before: dict[str, Json], after: dict[str, Json]
) -> list[str]:
    """Return everything in which tasks, calendars and sent messages do not agree."""
    wrong = []
    told = [message["event_id"] for message in ledger["messages"]]
    outcomes = {row["event_id"]: row["outcome"] for row in rows}
    for row in feed:
        event_id = row["event_id"]
        if event_id not in before:
            wrong.append(f"{event_id} was not there to begin with")
        if outcomes.get(event_id) != "cancelled":
            wrong.append(f"{event_id}: the task says {outcomes.get(event_id)}")
        if event_id in after:
            wrong.append(f"{event_id} still stands in the organizer's calendar")
        if told.count(event_id) != 1:
            wrong.append(f"{event_id}: {told.count(event_id)} messages instead of one")
        comments = [message["comment"] for message in ledger["messages"] if message["event_id"] == event_id]
        if any(row["reason"] not in comment for comment in comments):
            wrong.append(f"{event_id}: the message does not give the feed's reason")
    named = {row["event_id"] for row in feed}
    wrong += [f"{event_id} was cancelled and nobody asked for it" for event_id in told if event_id not in named]
    gone = before.keys() - after.keys() - named
    masters = named & {meeting.get("series_master_id") for meeting in before.values()}
    wrong += [
        f"{event_id} is gone and nobody asked for it"
        for event_id in gone
        if before[event_id].get("series_master_id") not in masters
    ]
    return wrong
