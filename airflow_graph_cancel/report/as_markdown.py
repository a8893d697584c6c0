"""The report as Markdown: whole, and its headline for a chat message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from airflow_graph_cancel.report.headline import facts, verdict
from airflow_graph_cancel.report.layout import origin, sections
from airflow_graph_cancel.report.times import span, utc
from airflow_graph_cancel.report.words import OUTCOMES, REASONS, label, named, part, when

if TYPE_CHECKING:
    from airflow_graph_cancel.report.model import CancellationReport, LeftMeeting, ReportedEvent

__all__ = ["to_markdown", "to_summary"]

_LONGEST_SUMMARY = 2_000
_MARKS = re.compile(r"([\\`*_\[\]|~#])")
_EVENT = ("When", "What", "Organizer", "Subject", "Rooms", "People", "Outside", "Outcome", "Message", "Still there")
_SUPPORT = ("Attempts", "Decided at (UTC)", "Request id", "Event id")
_LEFT = ("When", "Organizer", "Subject", "Rooms", "Event id")


def to_summary(report: CancellationReport) -> str:
    """Return the headline as Markdown, at most 2,000 characters: numbers and reasons, nothing that names a person."""
    lines = list(_headline(report))
    while len("\n".join(lines)) > _LONGEST_SUMMARY:
        lines.pop()
    return "\n".join(lines).rstrip()


def to_markdown(report: CancellationReport) -> str:
    """Return the whole report as Markdown (tables as GitHub has them); it begins with :func:`to_summary`."""
    return "\n".join((to_summary(report), *_body(report))) + "\n"


def _headline(report: CancellationReport) -> Iterator[str]:
    yield f"# {_escaped(report.title)}"
    yield ""
    if report.window:
        yield f"When: {_escaped(span(*report.window, report.zone))} ({_escaped(report.zone_name)})"
        yield ""
    yield f"**{_escaped(verdict(report))}**"
    yield ""
    for fact in facts(report):
        yield f"- {fact.number} {fact.label}"
    if report.reasons:
        yield f"- left because: {_escaped(named(report.reasons))}"
    if report.notes:
        yield ""
        yield from (f"> - {_escaped(note)}" for note in report.notes)


def _body(report: CancellationReport) -> Iterator[str]:
    if report.decided and report.counts:
        yield "\n## Outcomes\n"
        yield from _table(
            ("Outcome", "Meetings", "What it means"),
            ((label(word), f"{count:,}", OUTCOMES.get(word, "")) for word, count in report.counts.items()),
        )
    for section in sections(report):
        yield f"\n## {section.heading}\n"
        yield f"Times in {_escaped(report.zone_name)}.\n"
        yield from _table((*_EVENT, *_SUPPORT), (_event(event, report) for event in section.events))
    if report.left:
        yield f"\n## Left alone, and why ({len(report.left):,})"
    for reason, count in report.reasons.items():
        yield f"\n### {_escaped(reason)} ({count:,})\n"
        yield f"{REASONS.get(reason, '')}\n"
        yield from _table(_LEFT, (_left(left, report) for left in report.left if left.reason == reason))
    yield "\n## Origin\n"
    yield from (f"- {name}: {_escaped(value)}" for name, value in origin(report))


def _event(event: ReportedEvent, report: CancellationReport) -> Sequence[str]:
    return (
        when(event, report),
        part(event),
        event.mailbox,
        event.subject or "",
        ", ".join(event.rooms),
        _number(event.people),
        _number(event.outside),
        label(event.outcome),
        event.message or "",
        event.still_there or "",
        _number(event.attempts),
        utc(event.at),
        event.request_id or "",
        event.event_id,
    )


def _left(left: LeftMeeting, report: CancellationReport) -> Sequence[str]:
    return (
        span(left.start, left.end, report.zone),
        left.organizer,
        left.subject or "",
        ", ".join(left.rooms),
        left.event_id or "",
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(map(_escaped, row))} |"


def _escaped(text: str) -> str:
    """Return strangers' text as text: on one line, in one cell, with no markup, link or HTML of its own."""
    marked = _MARKS.sub(r"\\\1", " ".join(text.split()))
    return marked.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _number(number: int | None) -> str:
    return "" if number is None else str(number)
