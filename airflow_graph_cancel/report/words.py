"""The sentences that all formats share: what an outcome and a reason mean, and what the numbers come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from airflow_graph_cancel.report.model import (
    CANCELLED,
    CHANGED,
    DONE,
    NO_OUTCOME,
    PREVIEW,
    CancellationReport,
    ReportedEvent,
)
from airflow_graph_cancel.report.times import moment, span, utc

__all__ = ["OUTCOMES", "REASONS", "Fact", "Section", "facts", "label", "named", "origin", "sections", "verdict", "when"]

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
}
"""What each reason of a plan means, and what to do."""

_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the headline.

    :param tone: ``good``, ``bad`` or ``plain``.
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
    """Return the headline numbers: of what was cancelled always the same six, then what else happened."""
    counts = report.counts
    cancelled, changed = counts.get(CANCELLED, 0), counts.get(CHANGED, 0)
    found = [
        Fact(f"{cancelled:,}", "meetings cancelled", "good" if cancelled else "plain")
        if report.decided
        else Fact(f"{report.total:,}", "meetings planned"),
        Fact(_reach(report.people, report), "people told" if report.decided else "people to be told"),
        Fact(_reach(report.outside, report), "of them outside"),
        Fact(f"{len(report.left):,}", "left alone"),
    ]
    if report.decided:
        found.append(Fact(f"{changed:,}", "held as changed", "bad" if changed else "plain"))
    if report.verified is not None:
        found.append(Fact(f"{report.not_gone:,}", "not gone yet", "bad" if report.not_gone else "good"))
    elif report.decided:
        found.append(Fact("?", "not gone yet (nobody looked)"))
    rest = _others(report)
    for number, label, tone in (
        (rest, "could not be cancelled", "bad"),
        (counts.get(NO_OUTCOME, 0) if report.decided else 0, NO_OUTCOME, "bad"),
        (counts.get("already_cancelled", 0), "cancelled before", "plain"),
        (counts.get(PREVIEW, 0), "looked at only", "plain"),
    ):
        if number:
            found.append(Fact(f"{number:,}", label, tone))
    return found


def verdict(report: CancellationReport) -> str:
    """Return what it comes to, in a sentence or two."""
    counts, total = report.counts, report.total
    if not report.decided:
        if not total:
            return "No result was given, and nothing was planned."
        return (
            f"No result was given for the {total:,} meetings here: cancelling was rejected or skipped, has not run, or "
            "failed before it returned one. This is what was planned, and not what was sent."
        )
    if not total:
        return "There was nothing to cancel."
    done = sum(counts.get(outcome, 0) for outcome in DONE)
    looked, unknown = counts.get(PREVIEW, 0), counts.get(NO_OUTCOME, 0)
    if looked == total:
        return f"Preview: {total:,} meetings were looked at and nothing was sent."
    if standing := total - done - looked - unknown:
        bad = {outcome: count for outcome, count in counts.items() if outcome not in {*DONE, PREVIEW, NO_OUTCOME}}
        said = f"{standing:,} of {total:,} meetings were not cancelled: {named(bad)}."
    else:
        said = f"All {done:,} meetings are cancelled." if done == total else f"{done:,} meetings are cancelled."
    if unknown:
        said += f" {unknown:,} have no recorded outcome."
    if report.not_gone:
        said += f" {report.not_gone:,} still stood in calendars when they were looked at."
    elif report.verified and report.gone >= done:
        said += " They are gone from their organizers' calendars."
    return said


def named(counts: Mapping[str, int]) -> str:
    """Return words and their numbers as one phrase, the commonest first."""
    parts = [f"{label(word)} {count:,}" for word, count in list(counts.items())[:_MOST_NAMED]]
    if rest := sum(list(counts.values())[_MOST_NAMED:]):
        parts.append(f"others {rest:,}")
    return ", ".join(parts)


def label(word: str) -> str:
    """Return an outcome as people read it; a word that is not known here as it stands."""
    return word.replace("_", " ") if word in OUTCOMES else word


def sections(report: CancellationReport) -> list[Section]:
    """Return the events in the order in which a person needs them: what is to be done first; each in one section."""
    if not report.decided:
        groups = [("planned", "Planned", report.events)]
    else:
        groups = [
            ("look", "Needs a look", tuple(event for event in report.events if event.needs_a_look)),
            ("preview", "Looked at only", tuple(event for event in report.events if _is_preview(event))),
            ("done", "Done", tuple(event for event in report.events if _is_done(event))),
        ]
    return [Section(name, f"{heading} ({len(events):,})", events) for name, heading, events in groups if events]


def when(meeting: ReportedEvent, report: CancellationReport) -> str:
    """Return from when to when, in the report's zone."""
    return span(meeting.start, meeting.end, report.zone)


def origin(report: CancellationReport) -> list[tuple[str, str]]:
    """Return where the report comes from, for whoever checks it: label and value."""
    known = (
        ("Plan", report.plan_digest),
        ("Plan made", _utc(report.plan_made_at)),
        ("Looked at afterwards", _utc(report.verified_at)),
        ("Report made", _utc(report.made_at)),
        ("Made by", report.source),
    )
    return [(name, value) for name, value in known if value]


def _reach(people: int, report: CancellationReport) -> str:
    if not report.of_unknown_size:
        return f"{people:,}"
    return f"{people:,}+" if people else "?"


def _utc(text: str | None) -> str | None:
    return f"{utc(text)} UTC" if moment(text) else text


def _is_preview(event: ReportedEvent) -> bool:
    return event.outcome == PREVIEW and not event.needs_a_look


def _is_done(event: ReportedEvent) -> bool:
    return event.outcome in DONE and not event.needs_a_look


def _others(report: CancellationReport) -> int:
    told_apart = {*DONE, CHANGED, PREVIEW, NO_OUTCOME}
    return sum(count for outcome, count in report.counts.items() if outcome not in told_apart)
