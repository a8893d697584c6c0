"""From a plan, the rows of a result and a verification to one report in which nothing is lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from airflow_graph_cancel.report.model import CANCELLED, CancellationReport, LeftMeeting, ReportedEvent
from airflow_graph_cancel.report.times import find_zone, moment, zone_name

__all__ = ["build_report"]

_LONGEST_TITLE = 200
# No format can show control characters; lone surrogates cannot be written, and overrides turn a line's text around.
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufffe\uffff]")

Raw = Mapping[str, object]
Key = tuple[str, str]


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
    """Return what became of each event: of those that were planned, and of those that only a result names.

    :param plan: what the finding task returned, whole; None if the events did not come from a plan.
    :param rows: lines of the cancelling task's report, of all tasks if it was mapped; None if there is no result.
    :param verification: what the sensor returned; None if nobody looked.
    :param title: heading of the report.
    :param counts: what the results counted, outcome to number, which shows rows that are missing.
    :param notes: sentences that a reader must know, beside those that are found here.
    :param source: what made the report, such as a DAG and its run.
    :param made_at: time of the report, ISO 8601.
    :raises ValueError: if the plan has no list of meetings, or a row is no mapping.
    """
    planned = _rows(plan, "plan", "meetings") if plan is not None else None
    left = _rows(plan, "plan", "left", needed=False) if plan is not None else []
    there = _rows(verification, "verification", "still_there", needed=False) if verification is not None else []
    for place, row in enumerate(rows or ()):
        if not isinstance(row, Mapping):
            raise ValueError(f"row {place} of the result is {type(row).__name__} and no mapping")
    unlisted = dict(Counter(counts or {}) - Counter(_text(row.get("outcome")) or "" for row in rows or ()))
    window = _mapping(plan, "window")
    named = _text(window.get("timezone"))
    zone = find_zone(named, _text(window.get("start")))
    report = CancellationReport(
        title=" ".join((_text(title) or "").split())[:_LONGEST_TITLE] or "Cancelled meetings",
        zone=zone,
        decided=rows is not None or counts is not None,
        events=_events(planned or (), rows or (), there),
        left=tuple(sorted(map(_left, left), key=_by_time)),
        unlisted=unlisted,
        verified=_number(verification.get("total")) if verification is not None else None,
        gone=(_number(verification.get("gone")) or 0) if verification is not None else 0,
        window=(_text(window.get("start")) or "", _text(window.get("end")) or "") if window else None,
        plan_digest=_text(plan.get("digest")) if plan is not None else None,
        plan_made_at=_text(plan.get("made_at")) if plan is not None else None,
        verified_at=_text(verification.get("at")) if verification is not None else None,
        made_at=made_at,
        source=_text(source),
    )
    strange = [f"The time zone {named} is not known here."] if named and named != zone_name(zone) else []
    return replace(report, notes=(*strange, *_doubts(report, planned, there), *(_text(note) or "" for note in notes)))


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
    cancelled = report.counts.get(CANCELLED, 0)
    if report.verified is not None and report.verified < cancelled:
        yield f"The verification looked at fewer events ({report.verified:,}) than were cancelled ({cancelled:,})."


def _events(planned: Sequence[Raw], rows: Sequence[Raw], there: Sequence[Raw]) -> tuple[ReportedEvent, ...]:
    events: dict[Key, ReportedEvent] = {}
    for key, row in _keyed(planned):
        events.setdefault(key, _planned(row))
    settled: dict[Key, list[Raw]] = {}
    for key, row in _keyed(rows):
        if row not in settled.setdefault(key, []):
            settled[key].append(row)
    for key, same in settled.items():
        events[key] = _decided(events.get(key) or _bare(same[0]), same)
    for key, row in _keyed(there):
        said = _text(row.get("message")) or "Still there."
        events[key] = replace(events.get(key) or _bare(row), still_there=said)
    return tuple(sorted(events.values(), key=_by_time))


def _keyed(rows: Sequence[Raw]) -> Iterator[tuple[Key, Raw]]:
    """Name each row by its event; rows without an id are events of their own."""
    for place, row in enumerate(rows):
        event_id = str(row.get("event_id") or "")
        yield (event_id or f"\0{id(rows)}/{place}", _mailbox(row).casefold()), row


def _mailbox(row: Raw) -> str:
    return str(row.get("user_id") or row.get("group_id") or row.get("mailbox") or "")


def _planned(row: Raw) -> ReportedEvent:
    return replace(
        _bare(row),
        planned=True,
        start=_text(row.get("start")),
        end=_text(row.get("end")),
        subject=_text(row.get("subject")),
        rooms=_texts(row.get("rooms")),
        people=_number(row.get("people")),
        outside=_number(row.get("outside")),
        kind=_text(row.get("type")),
        scope=_text(row.get("scope")),
        ical_uid=_text(row.get("iCalUId")),
    )


def _bare(row: Raw) -> ReportedEvent:
    return ReportedEvent(event_id=_text(row.get("event_id")) or "", mailbox=_text(_mailbox(row)) or "")


def _decided(event: ReportedEvent, rows: Sequence[Raw]) -> ReportedEvent:
    """Join an event with its rows; of several, the one that says that people were told, else the last, decides."""
    row = max(rows, key=lambda each: (each.get("outcome") == CANCELLED, str(each.get("at") or "")))
    others = [
        f"Also recorded: {each.get('outcome')} at {each.get('at')}, request id {each.get('request_id')}: "
        f"{each.get('message')}"
        for each in rows
        if each is not row
    ]
    return replace(
        event,
        outcome=_text(row.get("outcome")) or event.outcome,
        request_id=_text(row.get("request_id")),
        attempts=_number(row.get("attempts")),
        at=_text(row.get("at")),
        message=_text(" ".join(str(text) for text in (row.get("message"), *others) if text)) or None,
    )


def _left(row: Raw) -> LeftMeeting:
    return LeftMeeting(
        reason=(_text(row.get("reason")) or "").strip() or "no reason given",
        organizer=_text(row.get("organizer") or row.get("user_id")) or "",
        start=_text(row.get("start")),
        end=_text(row.get("end")),
        subject=_text(row.get("subject")),
        rooms=_texts(row.get("rooms")),
        event_id=_text(row.get("event_id")),
        ical_uid=_text(row.get("iCalUId")),
    )


def _by_time(meeting: ReportedEvent | LeftMeeting) -> tuple[float, str, str]:
    start = moment(meeting.start)
    owner = meeting.mailbox if isinstance(meeting, ReportedEvent) else meeting.organizer
    return start.timestamp() if start else float("inf"), owner, meeting.event_id or ""


def _rows(whole: Raw, what: str, name: str, *, needed: bool = True) -> list[Raw]:
    rows = whole.get(name)
    if rows is None and not needed:
        return []
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ValueError(f"the {what} has no list of rows under {name!r}")
    return rows


def _mapping(whole: Raw | None, name: str) -> Raw:
    part = whole.get(name) if whole is not None else None
    return part if isinstance(part, Mapping) else {}


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        return ()
    return tuple(_text(value) or "" for value in values)


def _text(value: object) -> str | None:
    return None if value is None else _UNSHOWABLE.sub("�", str(value))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
