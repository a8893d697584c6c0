"""Tables for the person who watches."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]


def meetings(
    console: Console, feed: list[Json], before: dict[str, Json], after: dict[str, Json], rows: list[Json]
) -> None:
    """Show the feed's meetings in the organizers' calendars, before and after, and each task's outcome."""
    table = Table(title="\nMeetings that the feeds name", title_justify="left")
    for heading in ("Meeting", "When", "Organizer", "Before", "After", "Outcome", "Sent"):
        table.add_column(heading, justify="right" if heading == "Sent" else "left")
    reported = {row["event_id"]: row for row in rows}
    for row in feed:
        event_id = row["event_id"]
        meeting, result = before.get(event_id), reported.get(event_id, {})
        kind = ""
        if meeting and meeting.get("series_master_id"):
            kind = " (one date)" if meeting["id"] == event_id else " (whole series)"
        table.add_row(
            f"{meeting['subject']}{kind}" if meeting else event_id,
            _when(meeting["start"]) if meeting else "",
            row["organizer"].partition("@")[0],
            "stands" if event_id in before else "missing",
            "[red]stands[/]" if event_id in after else "[green]gone[/]" if event_id in before else "missing",
            str(result.get("outcome", "none")),
            str(result.get("attempts", 0)),
        )
    console.print(table)


def messages(console: Console, sent: list[Json]) -> None:
    """Show the messages as the attendees read them."""
    table = Table(title="\nMessages that were sent", title_justify="left", show_lines=True)
    for heading in ("From", "To", "Text"):
        table.add_column(heading)
    for message in sent:
        table.add_row(
            message["organizer"].partition("@")[0],
            f"{len(message['recipients'])} people and rooms",
            message["comment"] or "",
        )
    console.print(table)


def verdict(console: Console, wrong: list[str], rows: list[Json], ledger: Json, seconds: float) -> None:
    """Say whether everything agrees."""
    posts = sum(1 for request in ledger["requests"] if request["method"] == "POST")
    lost = [request for request in ledger["requests"] if request["fault"]]
    console.print(
        f"\n{len(rows)} tasks, {posts} cancel requests, {len(ledger['messages'])} messages, in {seconds:.0f} s. "
        f"{len(lost)} answer was lost on purpose after the work was done; the task looked before it sent again."
    )
    for line in wrong:
        console.print(f"[bold red]Wrong:[/] {line}", highlight=False)
    if not wrong:
        console.print("[bold green]Tasks, calendars and messages agree: each meeting cancelled, each message once.")


def _when(start: str) -> str:
    return datetime.fromisoformat(start).strftime("%a %d %b %H:%M")
