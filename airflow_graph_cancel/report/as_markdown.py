"""The report as Markdown: all of it, or its headline for a chat message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.formatting import escape_markdown, markdown_table, span, utc
from airflow_graph_cancel.report.content import (
    OUTCOMES,
    REASONS,
    facts,
    label,
    named,
    origin,
    part_of_series,
    sections,
    verdict,
)

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.plan import PlanRow
    from airflow_graph_cancel.report.model import CancellationReport, ReportedEvent

__all__ = ["to_markdown", "to_summary"]

_LONGEST_SUMMARY = 2_000
_EVENT = ("When", "What", "Organizer", "Subject", "Rooms", "People", "Outside", "Outcome", "Message", "Still there")
_SUPPORT = ("Attempts", "Decided at (UTC)", "Request id", "Event id")
_EXCLUDED = ("When", "Organizer", "Subject", "Rooms", "Event id")


def to_summary(report: CancellationReport) -> str:
    """Return the headline as Markdown, at most 2,000 characters: numbers and reasons, no names."""
    lines = list(_headline(report))
    while len("\n".join(lines)) > _LONGEST_SUMMARY:
        lines.pop()
    return "\n".join(lines).rstrip()


def to_markdown(report: CancellationReport) -> str:
    """Return the whole report as Markdown (tables as GitHub has them); it begins with :func:`to_summary`."""
    return "\n".join((to_summary(report), *_body(report))) + "\n"


def _headline(report: CancellationReport) -> Iterator[str]:
    yield f"# {escape_markdown(report.title)}"
    yield ""
    if report.window:
        yield f"When: {escape_markdown(span(*report.window, report.zone))} ({escape_markdown(report.zone_name)})"
        yield ""
    yield f"**{escape_markdown(verdict(report))}**"
    yield ""
    for fact in facts(report):
        yield f"- {fact.number} {fact.label}"
    if report.reasons:
        yield f"- reasons for leaving meetings alone: {escape_markdown(named(report.reasons))}"
    if report.notes:
        yield ""
        yield from (f"> - {escape_markdown(note)}" for note in report.notes)


def _body(report: CancellationReport) -> Iterator[str]:
    if report.decided and report.counts:
        yield "\n## Outcomes\n"
        yield from markdown_table(
            ("Outcome", "Meetings", "What it means"),
            ((label(word), f"{count:,}", OUTCOMES.get(word, "")) for word, count in report.counts.items()),
        )
    for section in sections(report):
        yield f"\n## {section.heading}\n"
        yield f"Times in {escape_markdown(report.zone_name)}.\n"
        yield from markdown_table((*_EVENT, *_SUPPORT), (_event(event, report) for event in section.events))
    if report.excluded:
        yield f"\n## Left alone, and why ({len(report.excluded):,})"
    for reason, count in report.reasons.items():
        yield f"\n### {escape_markdown(reason)} ({count:,})\n"
        yield f"{REASONS.get(reason, '')}\n"
        rows = [row for row in report.excluded if row.reason == reason]
        yield from markdown_table(_EXCLUDED, (_excluded(row, report) for row in rows))
    yield "\n## Origin\n"
    yield from (f"- {name}: {escape_markdown(value)}" for name, value in origin(report))


def _event(event: ReportedEvent, report: CancellationReport) -> Sequence[str]:
    row = event.plan
    return (
        span(row.start, row.end, report.zone),
        part_of_series(row),
        event.mailbox,
        row.subject or "",
        ", ".join(row.rooms),
        _number(row.people),
        _number(row.outside),
        label(event.outcome),
        event.message or "",
        event.still_there or "",
        _number(event.attempts),
        utc(event.at),
        event.request_id or "",
        event.event_id,
    )


def _excluded(row: PlanRow, report: CancellationReport) -> Sequence[str]:
    return (
        span(row.start, row.end, report.zone),
        row.organizer or "",
        row.subject or "",
        ", ".join(row.rooms),
        row.event_id,
    )


def _number(number: int | None) -> str:
    return "" if number is None else str(number)
