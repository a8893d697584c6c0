"""What a report contains, built from a plan, the rows of a result and a verification, so that nothing is lost.

Every number is counted from the rows, so that a report cannot contradict itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from airflow_graph_cancel.graph.formatting import parse_time, zone_name, zone_of
from airflow_graph_cancel.graph.model.plan import PlanRow
from airflow_graph_cancel.graph.outcome import Outcome

__all__ = ["DONE", "GOOD", "NO_OUTCOME", "CancellationReport", "ReportedEvent", "build_report"]

DONE = frozenset(outcome for outcome in Outcome if outcome.is_cancelled)
"""Outcomes after which the meeting does not take place."""
GOOD = DONE | {Outcome.PREVIEW}
"""Outcomes after which nobody has to do anything."""
NO_OUTCOME = "no outcome recorded"
"""Stands where an outcome should: the event was planned, or is still there, and no task returned a result for it."""
_LONGEST_TITLE = 200
# No format can show control characters; lone surrogates cannot be written, and overrides turn a line's text around.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")

Raw = Mapping[str, object]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """One event: what the plan says about it, its outcome, and whether it is still there.

    :param event_id: empty if a row had none.
    :param mailbox: owner of the calendar: user, group, or ``me``.
    :param plan: its row in the plan; an empty one if the event is not ``planned``.
    :param outcome: an :class:`~airflow_graph_cancel.graph.outcome.Outcome`, another word that a row had, or
        :data:`NO_OUTCOME`.
    :param attempts: cancel requests sent for it, None if not known.
    :param at: when the outcome was decided, ISO 8601 in UTC.
    :param still_there: what the verification said about it, None if it did not name it.
    """

    event_id: str
    mailbox: str
    planned: bool = False
    plan: PlanRow = field(default_factory=PlanRow)
    outcome: str = NO_OUTCOME
    request_id: str | None = None
    attempts: int | None = None
    at: str | None = None
    message: str | None = None
    still_there: str | None = None

    @property
    def needs_a_look(self) -> bool:
        """Whether a person has to do something about it."""
        return self.still_there is not None or self.outcome not in GOOD


@dataclass(frozen=True, slots=True)
class CancellationReport:
    """What all formats show; made by :func:`build_report`.

    :param zone: in which the plan was shown to its approver.
    :param decided: whether any result was given: without one, nothing is known about what was sent.
    :param events: in the order of their start, like ``excluded``.
    :param excluded: rows of the meetings that the plan excludes, each with its ``reason``.
    :param unlisted: outcomes that a result counted without keeping the rows.
    :param verified: events that the verification looked at, None if there was none; ``gone`` those that it found gone.
    :param notes: what a reader must know before trusting the numbers, a sentence each.
    :param plan_made_at: ISO 8601, like ``verified_at`` and ``made_at``, the time of the report itself.
    :param source: what made it, such as a DAG and its run.
    """

    title: str
    zone: tzinfo
    decided: bool
    events: tuple[ReportedEvent, ...]
    excluded: tuple[PlanRow, ...] = ()
    unlisted: Mapping[str, int] = field(default_factory=dict)
    verified: int | None = None
    gone: int = 0
    notes: tuple[str, ...] = ()
    window: tuple[str, str] | None = None
    plan_digest: str | None = None
    plan_made_at: str | None = None
    verified_at: str | None = None
    made_at: str | None = None
    source: str | None = None

    @property
    def zone_name(self) -> str:
        """The zone as people read it."""
        return zone_name(self.zone)

    @property
    def counts(self) -> dict[str, int]:
        """How many events have each outcome, the most frequent first, including those without rows.

        An event without a row may be one that has no outcome here, so these are subtracted: no event counts twice.
        """
        counts = Counter(event.outcome for event in self.events)
        counts[NO_OUTCOME] = max(0, counts[NO_OUTCOME] - sum(self.unlisted.values()))
        counts.update(self.unlisted)
        return {outcome: count for outcome, count in counts.most_common() if count}

    @property
    def total(self) -> int:
        """How many events the report is about, without the excluded meetings."""
        return sum(self.counts.values())

    @property
    def reasons(self) -> dict[str, int]:
        """How many meetings are excluded for each reason, the most frequent first."""
        return dict(Counter(str(row.reason) for row in self.excluded).most_common())

    @property
    def not_gone(self) -> int:
        """How many events the verification still found."""
        named = sum(event.still_there is not None for event in self.events)
        return max(named, (self.verified or 0) - self.gone)

    @property
    def told(self) -> list[ReportedEvent]:
        """The events whose attendees get a message, or without results would get one."""
        return [event for event in self.events if event.outcome == Outcome.CANCELLED or not self.decided]

    @property
    def people(self) -> int:
        """How many people :attr:`told` reaches, as far as that is known; a person in two meetings counts twice."""
        return sum(event.plan.people or 0 for event in self.told)

    @property
    def outside(self) -> int:
        """How many of :attr:`people` are outside the organization."""
        return sum(event.plan.outside or 0 for event in self.told)

    @property
    def of_unknown_size(self) -> int:
        """For how many of the meetings of :attr:`told` the number of people is not known."""
        return sum(event.plan.people is None for event in self.told) + self.unlisted.get(Outcome.CANCELLED, 0)


def build_report(
    plan: Raw | None = None,
    rows: Sequence[Raw] | None = None,
    verification: Raw | None = None,
    *,
    title: str = "Cancelled meetings",
    counts: Mapping[str, int] | None = None,
    notes: Sequence[str] = (),
    source: str | None = None,
    made_at: str | None = None,
) -> CancellationReport:
    """Return the outcome of each event: of those in the plan, and of those that only a result names.

    :param plan: what the finding task returned, complete; None if the events did not come from a plan.
    :param rows: lines of the cancelling task's report, of all tasks if it was mapped; None if there is no result.
    :param verification: what the sensor returned; None if there was none.
    :param title: heading of the report.
    :param counts: what the results counted, outcome to number, which reveals missing rows.
    :param notes: sentences that a reader must know, in addition to those that are found here.
    :param source: what made the report, such as a DAG and its run.
    :param made_at: time of the report, ISO 8601.
    :raises ValueError: if the plan has no list of meetings, or a row is not a mapping.
    """
    planned = _rows(plan, "plan", "meetings", needed=True) if plan is not None else None
    excluded = _rows(plan or {}, "plan", "left")
    there = _rows(verification or {}, "verification", "still_there")
    for place, row in enumerate(rows or ()):
        if not isinstance(row, Mapping):
            raise ValueError(f"row {place} of the result is {type(row).__name__}, not a mapping")
    unlisted = dict(Counter(counts or {}) - Counter(_text(row, "outcome") or "" for row in rows or ()))
    found = (plan or {}).get("window")
    window = _showable(found) if isinstance(found, Mapping) else {}
    report = CancellationReport(
        title=" ".join(_clean(title or "").split())[:_LONGEST_TITLE] or "Cancelled meetings",
        zone=zone_of(window),
        decided=rows is not None or counts is not None,
        events=_events(planned or (), rows or (), there),
        excluded=tuple(sorted(map(_excluded, excluded), key=_by_time)),
        unlisted=unlisted,
        verified=_whole(verification, "total") if verification is not None else None,
        gone=_whole(verification or {}, "gone") or 0,
        window=(_text(window, "start") or "", _text(window, "end") or "") if window else None,
        plan_digest=_text(plan or {}, "digest"),
        plan_made_at=_text(plan or {}, "made_at"),
        verified_at=_text(verification or {}, "at"),
        made_at=made_at,
        source=None if source is None else _clean(source),
    )
    named = _text(window, "timezone")
    strange = [f"The time zone {named} is not known here."] if named and named != report.zone_name else []
    return replace(report, notes=(*strange, *_doubts(report, planned, there), *map(_clean, notes)))


def _doubts(report: CancellationReport, planned: Sequence[Raw] | None, there: Sequence[Raw]) -> Iterator[str]:
    if twice := len(planned or ()) - sum(event.planned for event in report.events):
        yield f"Rows of the plan that name an event again, which is counted once: {twice:,}."
    if report.unlisted:
        said = ", ".join(f"{outcome} {count:,}" for outcome, count in report.unlisted.items())
        yield (
            f"Rows are missing: the cancelling task counted {sum(report.unlisted.values()):,} events ({said}) without "
            "keeping their rows. Which ones they are, and their request ids, is not known here; "
            "with a report_path the task keeps them."
        )
    if planned is not None and (strangers := sum(not event.planned for event in report.events)):
        yield f"Events that are not in the plan: {strangers:,}."
    if report.decided and report.of_unknown_size:
        yield f"How many people were told is not known for {report.of_unknown_size:,} of the cancelled meetings."
    if report.verified is not None and (unnamed := report.not_gone - len(there)) > 0:
        yield f"The verification found more events still there than it names: {unnamed:,} more."
    cancelled = report.counts.get(Outcome.CANCELLED, 0)
    if report.verified is not None and report.verified < cancelled:
        yield f"The verification looked at fewer events ({report.verified:,}) than were cancelled ({cancelled:,})."


def _events(planned: Sequence[Raw], rows: Sequence[Raw], there: Sequence[Raw]) -> tuple[ReportedEvent, ...]:
    events: dict[Key, ReportedEvent] = {}
    for key, row in _keyed(planned):
        events.setdefault(key, replace(_unplanned(row), planned=True, plan=PlanRow.from_row(_showable(row))))
    settled: dict[Key, list[Raw]] = {}
    for key, row in _keyed(rows):
        if row not in settled.setdefault(key, []):
            settled[key].append(row)
    for key, same in settled.items():
        events[key] = _decided(events.get(key) or _unplanned(same[0]), same)
    for key, row in _keyed(there):
        said = _text(row, "message") or "Still there."
        events[key] = replace(events.get(key) or _unplanned(row), still_there=said)
    return tuple(sorted(events.values(), key=_by_time))


def _keyed(rows: Sequence[Raw]) -> Iterator[tuple[Key, Raw]]:
    """Name each row by its event; rows without an id are separate events."""
    for place, row in enumerate(rows):
        # By the id as it came: two ids may differ only in characters that cannot be shown.
        event_id = str(row.get("event_id") or "")
        yield (event_id or f"\0{id(rows)}/{place}", _mailbox(row).casefold()), row


def _mailbox(row: Raw) -> str:
    return str(row.get("user_id") or row.get("group_id") or row.get("mailbox") or "")


def _unplanned(row: Raw) -> ReportedEvent:
    return ReportedEvent(event_id=_text(row, "event_id") or "", mailbox=_clean(_mailbox(row)))


def _decided(event: ReportedEvent, rows: Sequence[Raw]) -> ReportedEvent:
    """Add the outcome. Of several rows, one that says that people were told decides, else the last."""
    row = max(rows, key=lambda each: (each.get("outcome") == Outcome.CANCELLED, str(each.get("at") or "")))
    others = [
        f"Also recorded: {each.get('outcome')} at {each.get('at')}, request id {each.get('request_id')}: "
        f"{each.get('message')}"
        for each in rows
        if each is not row
    ]
    return replace(
        event,
        outcome=_text(row, "outcome") or event.outcome,
        request_id=_text(row, "request_id"),
        attempts=_whole(row, "attempts"),
        at=_text(row, "at"),
        message=_clean(" ".join(str(text) for text in (row.get("message"), *others) if text)) or None,
    )


def _excluded(raw: Raw) -> PlanRow:
    row = PlanRow.from_row(_showable(raw))
    return replace(row, reason=(row.reason or "").strip() or "no reason given", organizer=row.organizer or row.user_id)


def _by_time(meeting: ReportedEvent | PlanRow) -> tuple[float, str, str]:
    row = meeting.plan if isinstance(meeting, ReportedEvent) else meeting
    owner = meeting.mailbox if isinstance(meeting, ReportedEvent) else meeting.organizer or ""
    start = parse_time(row.start)
    return start.timestamp() if start else float("inf"), owner, meeting.event_id


def _rows(whole: Raw, what: str, name: str, *, needed: bool = False) -> list[Raw]:
    rows = whole.get(name)
    if rows is None and not needed:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"the {what} has no list of rows under {name!r}")
    return rows


def _showable(row: Raw) -> dict[str, object]:
    """Return the row with a placeholder for each character that no format can show."""
    return {name: _clean_value(value) for name, value in row.items()}


def _clean_value(value: object) -> object:
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return [_clean(each) for each in value]
    return value if value is None or isinstance(value, int) else _clean(value)


def _clean(value: object) -> str:
    return _UNSHOWABLE.sub("\ufffd", str(value))


def _text(row: Raw, name: str) -> str | None:
    value = row.get(name)
    return None if value is None else _clean(value)


def _whole(row: Raw, name: str) -> int | None:
    value = row.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
