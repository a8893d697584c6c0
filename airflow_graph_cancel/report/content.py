"""What all formats say about a report: verdict, headline numbers, sections in reading order, and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_graph_cancel.graph.formatting import parse_time, utc
from airflow_graph_cancel.graph.model.plan import PlanRow, Reason
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.report.model import DONE, GOOD, NO_OUTCOME, CancellationReport, ReportedEvent

__all__ = [
    "OUTCOMES",
    "REASONS",
    "TAKEN_OUT",
    "Fact",
    "Section",
    "facts",
    "label",
    "named",
    "origin",
    "part_of_series",
    "sections",
    "tone",
    "verdict",
]

OUTCOMES: Mapping[str, str] = {
    Outcome.CANCELLED: "Microsoft Graph accepted the cancellation and tells the attendees.",
    Outcome.ALREADY_CANCELLED: "It had been cancelled before; nobody was told again.",
    Outcome.CHANGED: (
        "It changed after the plan was made, so it was held back and still takes place. Check it, then make a new plan."
    ),
    Outcome.MISSING: "This mailbox has no such event, and nothing shows that it was cancelled.",
    Outcome.NOT_ORGANIZER: "This is the copy of an attendee or a room; only the organizer's can be cancelled.",
    Outcome.DENIED: "The app has no access to this mailbox.",
    Outcome.MAILBOX_UNAVAILABLE: "There is no such mailbox, or it is not in Exchange Online.",
    Outcome.INVALID: "The request was refused as malformed.",
    Outcome.THROTTLED: "The service asked to wait for longer than the task waits. Run the task again.",
    Outcome.UNAVAILABLE: "The service failed or was unreachable for longer than the task waits. Run the task again.",
    Outcome.PREVIEW: "This was a preview; nothing was sent.",
    NO_OUTCOME: (
        "No task returned a result for it: it was taken out of the plan, or its task was skipped or failed. Check it."
    ),
}
"""What each outcome means, for readers who do not know the pipeline."""

TAKEN_OUT = "taken out by the approver"
"""Why a meeting is excluded that the plan had, but not its approver."""

REASONS: Mapping[str, str] = {
    Reason.EXTERNAL: "The organizer is outside the organization, and only they can cancel the meeting. Ask them.",
    Reason.MAILBOX: "The organizer's mailbox is gone or not in Exchange Online. Free the room by hand.",
    Reason.OUT_OF_SCOPE: "The app may not read the organizer's mailbox. Ask the organizer, or widen the app's scope.",
    Reason.KEPT: "It matches what is to be kept.",
    Reason.PAST: "It was over when the plan was made.",
    Reason.NOT_FOUND: "The room shows it and the organizer's calendar does not. Free the room by hand.",
    Reason.CANCELLED: "The organizer had cancelled it; only the room's copy was left.",
    Reason.TOO_FEW: "Fewer people are invited than the plan asked for.",
    Reason.NOBODY: "There is nobody to tell.",
    TAKEN_OUT: "The approver took it out of the plan, so it takes place.",
}
"""What each reason of a plan means, and what to do."""

_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the headline.

    :param tone: as :func:`tone` returns it.
    """

    number: str
    label: str
    tone: str = "plain"


@dataclass(frozen=True, slots=True)
class Section:
    """Events that belong together, under a heading."""

    name: str
    heading: str
    events: tuple[ReportedEvent, ...]


def facts(report: CancellationReport) -> list[Fact]:
    """Return the headline numbers: always the same six about what was cancelled, then what else happened."""
    counts = report.counts
    cancelled, changed = counts.get(Outcome.CANCELLED, 0), counts.get(Outcome.CHANGED, 0)
    found = [
        Fact(f"{cancelled:,}", f"{_meeting(cancelled)} cancelled", "good" if cancelled else "plain")
        if report.decided
        else Fact(f"{report.total:,}", f"{_meeting(report.total)} planned"),
        Fact(_reach(report.people, report), f"{_person(report)} {'told' if report.decided else 'to be told'}"),
        Fact(_reach(report.outside, report), "of them outside the organization"),
        Fact(f"{len(report.excluded):,}", f"{_meeting(len(report.excluded))} left alone"),
    ]
    if report.decided:
        found.append(Fact(f"{changed:,}", f"held back because {_it(changed)} changed", "bad" if changed else "plain"))
    if report.verified is not None:
        found.append(Fact(f"{report.not_gone:,}", "still in a calendar", "bad" if report.not_gone else "good"))
    elif report.decided:
        found.append(Fact("?", "still in a calendar: not verified"))
    told_apart = {*GOOD, Outcome.CHANGED, NO_OUTCOME}
    for number, what, tone in (
        (sum(n for word, n in counts.items() if word not in told_apart), "could not be cancelled", "bad"),
        (counts.get(NO_OUTCOME, 0) if report.decided else 0, "without a recorded outcome", "bad"),
        (counts.get(Outcome.ALREADY_CANCELLED, 0), "had been cancelled before", "plain"),
        (counts.get(Outcome.PREVIEW, 0), "previewed, and nothing sent", "plain"),
    ):
        if number:
            found.append(Fact(f"{number:,}", what, tone))
    return found


def verdict(report: CancellationReport) -> str:
    """Return the result in a sentence or two."""
    counts, total = report.counts, report.total
    if not report.decided:
        return (
            "No result was given: cancelling was rejected or skipped, has not run, or failed before it returned one. "
            "This is what was planned, and not what was sent."
        )
    if not total:
        return "There was nothing to cancel."
    done = sum(counts.get(outcome, 0) for outcome in DONE)
    looked, unknown = counts.get(Outcome.PREVIEW, 0), counts.get(NO_OUTCOME, 0)
    said = []
    if standing := total - done - looked - unknown:
        bad = {outcome: count for outcome, count in counts.items() if outcome not in {*GOOD, NO_OUTCOME}}
        said.append(f"{_of(standing, total)} {_was(standing)} not cancelled: {named(bad)}.")
    elif done:
        said.append(f"{_of(done, total)} {_was(done)} cancelled.")
    if looked:
        said.append(f"{_of(looked, total)} {_was(looked)} only previewed, and nothing was sent.")
    if unknown:
        said.append(f"The outcome of {_of(unknown, total)} is not recorded.")
    if report.not_gone:
        there = report.not_gone
        said.append(f"{there:,} {_meeting(there)} {_was(there)} still in a calendar at the verification.")
    elif done and report.verified and report.gone >= done:
        said.append("All cancelled meetings are gone from their organizers' calendars.")
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in said)


def sections(report: CancellationReport) -> list[Section]:
    """Return the events in reading order, each in one section: first what somebody has to do something about."""
    if not report.decided:
        groups = [("planned", "Planned", report.events)]
    else:
        fine = [event for event in report.events if not event.needs_a_look]
        groups = [
            ("look", "Needs a look", tuple(event for event in report.events if event.needs_a_look)),
            ("preview", "Previewed only", tuple(event for event in fine if event.outcome == Outcome.PREVIEW)),
            ("done", "Done", tuple(event for event in fine if event.outcome in DONE)),
        ]
    return [Section(name, f"{heading} ({len(events):,})", events) for name, heading, events in groups if events]


def origin(report: CancellationReport) -> list[tuple[str, str]]:
    """Return where the report comes from, as pairs of label and value, for those who check it."""
    known = (
        ("Plan", report.plan_digest),
        ("Plan made", _utc(report.plan_made_at)),
        ("Verified", _utc(report.verified_at)),
        ("Report made", _utc(report.made_at)),
        ("Made by", report.source),
    )
    return [(name, value) for name, value in known if value]


def named(counts: Mapping[str, int]) -> str:
    """Return words and their numbers as one phrase, the most frequent first."""
    parts = [f"{label(word)} {count:,}" for word, count in list(counts.items())[:_MOST_NAMED]]
    if rest := sum(list(counts.values())[_MOST_NAMED:]):
        parts.append(f"others {rest:,}")
    return ", ".join(parts)


def label(word: str) -> str:
    """Return an outcome as people read it; an unknown word as it is."""
    return word.replace("_", " ") if word in OUTCOMES else word


def tone(outcome: str) -> str:
    """Return ``good``, ``bad`` or ``plain``."""
    if outcome == Outcome.CANCELLED:
        return "good"
    return "plain" if outcome in GOOD else "bad"


def part_of_series(row: PlanRow) -> str:
    """Return how much of a series it is, if it belongs to one."""
    if row.scope == "series" or row.type == "seriesMaster":
        return "whole series"
    return "one date of a series" if row.type in {"occurrence", "exception"} else ""


def _utc(time: str | None) -> str | None:
    return f"{utc(time)} UTC" if parse_time(time) else time


def _of(number: int, total: int) -> str:
    if number == total:
        return "the one meeting" if total == 1 else f"all {total:,} meetings"
    return f"{number:,} of {total:,} meetings"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _it(number: int) -> str:
    return "it" if number == 1 else "they"


def _meeting(number: int) -> str:
    return "meeting" if number == 1 else "meetings"


def _person(report: CancellationReport) -> str:
    return "person" if report.people == 1 and not report.of_unknown_size else "people"


def _reach(people: int, report: CancellationReport) -> str:
    if not report.of_unknown_size:
        return f"{people:,}"
    return f"{people:,}+" if people else "?"
