"""In which order a report is read: what is to be done first, what went well last, where it comes from at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.report.model import DONE, PREVIEW
from airflow_graph_cancel.report.times import moment, utc

if TYPE_CHECKING:
    from airflow_graph_cancel.report.model import CancellationReport, ReportedEvent

__all__ = ["Section", "origin", "sections"]


@dataclass(frozen=True, slots=True)
class Section:
    """Events that belong together, under a heading."""

    name: str
    heading: str
    events: tuple[ReportedEvent, ...]


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


def _utc(text: str | None) -> str | None:
    return f"{utc(text)} UTC" if moment(text) else text


def _is_preview(event: ReportedEvent) -> bool:
    return event.outcome == PREVIEW and not event.needs_a_look


def _is_done(event: ReportedEvent) -> bool:
    return event.outcome in DONE and not event.needs_a_look
