"""What a report comes to: a sentence and a handful of numbers, which all formats begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.report.model import CANCELLED, CHANGED, DONE, NO_OUTCOME, PREVIEW
from airflow_graph_cancel.report.words import named

if TYPE_CHECKING:
    from airflow_graph_cancel.report.model import CancellationReport

__all__ = ["Fact", "facts", "verdict"]


@dataclass(frozen=True, slots=True)
class Fact:
    """A number of the headline.

    :param tone: ``good``, ``bad`` or ``plain``.
    """

    number: str
    label: str
    tone: str = "plain"


def facts(report: CancellationReport) -> list[Fact]:
    """Return the headline numbers: of what was cancelled always the same six, then what else happened."""
    counts = report.counts
    cancelled, changed = counts.get(CANCELLED, 0), counts.get(CHANGED, 0)
    found = [
        Fact(f"{cancelled:,}", f"{_meeting(cancelled)} cancelled", "good" if cancelled else "plain")
        if report.decided
        else Fact(f"{report.total:,}", f"{_meeting(report.total)} planned"),
        Fact(_reach(report.people, report), f"{_person(report)} {'told' if report.decided else 'to be told'}"),
        Fact(_reach(report.outside, report), "of them outside"),
        Fact(f"{len(report.left):,}", "left alone"),
    ]
    if report.decided:
        found.append(Fact(f"{changed:,}", "held as changed", "bad" if changed else "plain"))
    if report.verified is not None:
        found.append(Fact(f"{report.not_gone:,}", "not gone yet", "bad" if report.not_gone else "good"))
    elif report.decided:
        found.append(Fact("?", "not verified as gone"))
    for number, what, tone in (
        (_others(report), "could not be cancelled", "bad"),
        (counts.get(NO_OUTCOME, 0) if report.decided else 0, NO_OUTCOME, "bad"),
        (counts.get("already_cancelled", 0), "cancelled before", "plain"),
        (counts.get(PREVIEW, 0), "looked at only", "plain"),
    ):
        if number:
            found.append(Fact(f"{number:,}", what, tone))
    return found


def verdict(report: CancellationReport) -> str:
    """Return what it comes to, in a sentence or two."""
    counts, total = report.counts, report.total
    if not report.decided:
        return (
            "No result was given: cancelling was rejected or skipped, has not run, or failed before it returned one. "
            "This is what was planned, and not what was sent."
        )
    if not total:
        return "There was nothing to cancel."
    done = sum(counts.get(outcome, 0) for outcome in DONE)
    looked, unknown = counts.get(PREVIEW, 0), counts.get(NO_OUTCOME, 0)
    said = []
    if standing := total - done - looked - unknown:
        bad = {outcome: count for outcome, count in counts.items() if outcome not in {*DONE, PREVIEW, NO_OUTCOME}}
        said.append(f"{_of(standing, total)} {_was(standing)} not cancelled: {named(bad)}.")
    elif done:
        said.append(f"{_of(done, total)} {_was(done)} cancelled.")
    if looked:
        said.append(f"{_of(looked, total)} {_was(looked)} looked at only, and nothing was sent.")
    if unknown:
        said.append(f"What became of {_of(unknown, total)} is not recorded.")
    if report.not_gone:
        said.append(f"{report.not_gone:,} still stood in a calendar when somebody looked.")
    elif done and report.verified and report.gone >= done:
        said.append("All that was cancelled is gone from its organizer's calendar.")
    return " ".join(sentence[0].upper() + sentence[1:] for sentence in said)


def _of(number: int, total: int) -> str:
    if number == total:
        return "the one meeting" if total == 1 else f"all {total:,} meetings"
    return f"{number:,} of {total:,} meetings"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _meeting(number: int) -> str:
    return "meeting" if number == 1 else "meetings"


def _person(report: CancellationReport) -> str:
    return "person" if report.people == 1 and not report.of_unknown_size else "people"


def _reach(people: int, report: CancellationReport) -> str:
    if not report.of_unknown_size:
        return f"{people:,}"
    return f"{people:,}+" if people else "?"


def _others(report: CancellationReport) -> int:
    told_apart = {*DONE, CHANGED, PREVIEW, NO_OUTCOME}
    return sum(count for outcome, count in report.counts.items() if outcome not in told_apart)
