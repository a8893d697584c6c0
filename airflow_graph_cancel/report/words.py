"""The words of a report in plain English: what an outcome and a reason mean to somebody who never saw the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from airflow_graph_cancel.report.model import CANCELLED, CHANGED, NO_OUTCOME, PREVIEW
from airflow_graph_cancel.report.times import span

if TYPE_CHECKING:
    from airflow_graph_cancel.report.model import CancellationReport, ReportedEvent

__all__ = ["OUTCOMES", "REASONS", "TAKEN_OUT", "label", "named", "part", "when"]

OUTCOMES: Mapping[str, str] = {
    CANCELLED: "Microsoft Graph accepted the cancellation and tells the attendees.",
    "already_cancelled": "It had been cancelled before; nobody was told again.",
    CHANGED: "It was changed after the plan was made, so it was held and still stands. Look at it, then plan anew.",
    "missing": "There is no such event in this mailbox, and nothing shows that it was cancelled.",
    "not_organizer": "This is the copy of an attendee or a room; only the organizer's can be cancelled.",
    "denied": "The app may not work in this mailbox.",
    "mailbox_unavailable": "There is no such mailbox, or it is not in Exchange Online.",
    "invalid": "The request was refused as malformed.",
    "throttled": "The service asked to come back later for longer than the task waits. Run the task again.",
    "unavailable": "The service failed or could not be reached for longer than the task waits. Run the task again.",
    PREVIEW: "It was looked at only; nothing was sent.",
    NO_OUTCOME: "No result names it: it was taken out of the plan, or its task was skipped or failed. Look at it.",
}
"""What each outcome means to somebody who never saw the pipeline."""

TAKEN_OUT = "taken out by the approver"
"""Why a meeting is left that a person took out of the plan."""

REASONS: Mapping[str, str] = {
    "external organizer": "Somebody outside the organization holds the meeting; only they can cancel it. Ask them.",
    "mailbox gone or on premises": "The organizer's mailbox is gone or not in Exchange Online. Free the room by hand.",
    "out of scope": "The app may not look into the organizer's mailbox. Ask the organizer, or widen its scope.",
    "kept": "It is on the list of what is to be kept.",
    "in the past": "It was over when the plan was made.",
    "organizer's copy not found": "The room shows it and the organizer's calendar does not. Free the room by hand.",
    "already cancelled": "The organizer had cancelled it; only the room's copy was left.",
    "too few people": "Fewer people are invited than the plan asked for.",
    "nobody invited": "There is nobody to tell.",
    TAKEN_OUT: "Whoever approved the plan took it out, so it takes place.",
}
"""What each reason of a plan means, and what to do."""

_MOST_NAMED = 6


def named(counts: Mapping[str, int]) -> str:
    """Return words and their numbers as one phrase, the commonest first."""
    parts = [f"{label(word)} {count:,}" for word, count in list(counts.items())[:_MOST_NAMED]]
    if rest := sum(list(counts.values())[_MOST_NAMED:]):
        parts.append(f"others {rest:,}")
    return ", ".join(parts)


def label(word: str) -> str:
    """Return an outcome as people read it; a word that is not known here as it stands."""
    return word.replace("_", " ") if word in OUTCOMES else word


def when(meeting: ReportedEvent, report: CancellationReport) -> str:
    """Return from when to when, in the report's zone."""
    return span(meeting.start, meeting.end, report.zone)


def part(event: ReportedEvent) -> str:
    """Return what of a series is meant, if it is one."""
    if event.scope == "series" or event.kind == "seriesMaster":
        return "whole series"
    return "one date of a series" if event.kind in {"occurrence", "exception"} else ""
