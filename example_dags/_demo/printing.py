"""Console output of the demonstration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from checking import Case
    from rich.console import Console

Json = dict[str, Any]


def question(console: Console, asked: Json) -> None:
    """Print an approval as Airflow shows it under "Required Actions"."""
    console.print(
        Panel(
            # Not as the title, which is cut where the line ends.
            Group(Text(asked["subject"], style="bold"), "", Markdown(asked["body"])),
            title="Approval",
            title_align="left",
            subtitle="Approve  Reject",
        )
    )


def meetings(console: Console, case: Case, after: dict[str, Json], messages: list[Json]) -> None:
    """Print the meetings of one closure with their outcomes."""
    table = Table(title=f"\n{case.building}: affected meetings and their outcomes", title_justify="left")
    for heading in ("Meeting", "When (UTC)", "Organizer", "Outcome", "Messages", "Calendar"):
        table.add_column(heading)
    outcomes = {row["event_id"]: row["outcome"] for row in case.rows}
    for event_id, meeting in sorted(case.meetings.items(), key=lambda each: each[1]["start"]):
        told = [message for message in messages if message["event_id"] == event_id]
        outcome = "excluded by the approver" if event_id in case.taken_out else outcomes.get(event_id, "none")
        table.add_row(
            f"{meeting['subject']}{' (one date)' if meeting['series_master_id'] else ''}",
            datetime.fromisoformat(meeting["start"]).strftime("%a %d %b %H:%M"),
            meeting["organizer"].partition("@")[0],
            f"{outcome}: moved after planning" if event_id in case.changed else outcome,
            f"{len(told)}, to {_recipients(told[0], meeting)}" if told else "0",
            "still there" if event_id in after else "[green]gone[/]",
        )
    for left in case.plan["left"]:
        table.add_row(
            "", _utc(left["start"]), left["organizer"].partition("@")[0], f"left: {left['reason']}", "0", "still there"
        )
    console.print(table)


def reports(console: Console, summaries: list[str], folder: Path) -> None:
    """Print the summaries of the reports."""
    for summary in summaries:
        console.print(Panel(Markdown(summary), title="Report", title_align="left"))
    console.print(f"Reports as HTML, CSV and Markdown: {folder}", highlight=False, soft_wrap=True)


def verdict(console: Console, wrong: list[str], cases: list[Case], ledger: Json, seconds: float) -> None:
    """Print whether everything agrees."""
    lost = [request for request in ledger["requests"] if request["fault"]]
    cancelled = sum(len(case.cancelled) for case in cases)
    console.print(
        f"\n{len(cases)} closures, {cancelled} meetings cancelled, {len(ledger['requests'])} requests to Graph, in "
        f"{seconds:.0f} s. {_counted(len(lost), 'response was', 'responses were')} lost on purpose after the "
        "cancellation took effect; the task checked the event instead of sending again."
    )
    for line in wrong:
        console.print(f"[bold red]Wrong:[/] {line}", highlight=False)
    if not wrong:
        console.print(
            "[bold green]Plans, tasks, reports, calendars and messages agree. Every approved meeting that had not "
            "changed was cancelled once, and no other meeting was cancelled or removed."
        )


def _utc(moment: str) -> str:
    return datetime.fromisoformat(moment).strftime("%a %d %b %H:%M")


def _recipients(message: Json, meeting: Json) -> str:
    """Return how many people and rooms a message went to."""
    told = set(message["recipients"])
    rooms = len(told & set(meeting["rooms"]))
    people = _counted(len(told) - rooms, "person", "people")
    return f"{people} and {_counted(rooms, 'room', 'rooms')}" if rooms else people


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
