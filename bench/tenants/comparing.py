"""Holding a plan against the truth: everything that is wrong with it, in words."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench.tenants.truth import Instance, Row, Seen, Truth, span

if TYPE_CHECKING:
    from bench.tenants.description import Closure

Json = dict[str, Any]


def differences(plan: Json, truth: Truth, closure: Closure) -> list[str]:
    """Return what the plan lacks, has too much, or has wrong; nothing if it is the truth."""
    return [
        *_window(plan, closure),
        *_rows(plan["meetings"], truth, closure),
        *_left(plan["left"], truth, closure),
        *_totals(plan, truth),
    ]


def _window(plan: Json, closure: Closure) -> Iterator[str]:
    window = plan["window"]
    bounds = (_moment(window["start"]), _moment(window["end"]))
    if bounds != tuple(each.astimezone(datetime.UTC) for each in closure.window()):
        yield f"window {window} is not {closure.start} to {closure.end}"
    if window["timezone"] != closure.timezone:
        yield f"window's timezone is {window['timezone']}, not {closure.timezone}"


def _rows(rows: list[Json], truth: Truth, closure: Closure) -> Iterator[str]:
    planned = {row["event_id"]: row for row in rows}
    if len(planned) != len(rows):
        yield "an event is planned twice"
    meant = {row.event_id: row for row in truth.rows}
    yield from (f"not planned: {_said(meant[each])}" for each in meant if each not in planned)
    yield from (f"planned and not meant: {planned[each]}" for each in planned if each not in meant)
    for event_id, row in planned.items():
        if event_id in meant:
            yield from (f"{_said(meant[event_id])}: {each}" for each in _row(row, meant[event_id], closure))


def _row(row: Json, meant: Row, closure: Closure) -> Iterator[str]:
    for name, found, expected in (
        ("user_id", row["user_id"].lower(), meant.mailbox.lower()),
        ("type", row["type"], meant.kind),
        ("scope", row["scope"], "series" if meant.kind == "seriesMaster" else "dates"),
        ("people", row["people"], meant.people),
        ("outside", row["outside"], meant.outside),
        ("rooms", {room.lower() for room in row["rooms"]}, {room.lower() for room in meant.rooms}),
    ):
        if found != expected:
            yield f"{name} is {found!r}, not {expected!r}"
    if meant.kind != "seriesMaster":
        expected_span = tuple(each.astimezone(datetime.UTC) for each in span(meant.instances[0], closure))
        if (_moment(row["start"]), _moment(row["end"])) != expected_span:
            yield f"it is from {row['start']} to {row['end']}, not {expected_span}"
    if not row["iCalUId"] or not row["changeKey"]:
        yield "it has no iCalUId or no changeKey"
    if "subject" in row:
        yield "it has a subject"


def _left(rows: list[Json], truth: Truth, closure: Closure) -> Iterator[str]:
    unmatched = list(rows)
    for seen in truth.left:
        candidates = [row for row in unmatched if _may_be(row, seen, closure)]
        if not candidates:
            yield f"not left: {_said(seen)}"
            continue
        # The event's own id tells apart what an organizer has at the same time.
        best = max(candidates, key=lambda row: (row.get("event_id") == seen.instance.event_id, _rooms_fit(row, seen)))
        unmatched.remove(best)
        if best["reason"] not in seen.reasons:
            yield f"{_said(seen)}: left as {best['reason']!r}"
        if not _rooms_fit(best, seen):
            yield f"{_said(seen)}: left with the rooms {best['rooms']}"
    yield from (f"left and not meant: {row}" for row in unmatched)


def _may_be(row: Json, seen: Seen, closure: Closure) -> bool:
    meeting = seen.instance.meeting
    if row.get("event_id") not in (None, seen.instance.event_id, meeting.id_of()):
        return False
    names = {meeting.organizer.lower(), (meeting.spelt or meeting.organizer).lower()}
    return row["organizer"].lower() in names and _moment(row["start"]) == span(seen.instance, closure)[0].astimezone(
        datetime.UTC
    )


def _rooms_fit(row: Json, seen: Seen) -> bool:
    rooms = {room.lower() for room in row["rooms"]}
    held, booked = ({room.lower() for room in each} for each in (seen.held_in, seen.instance.rooms))
    return held <= rooms <= booked


def _totals(plan: Json, truth: Truth) -> Iterator[str]:
    for name, expected in (
        ("meetings", len(truth.rows)),
        ("people", sum(row.people for row in truth.rows)),
        ("outside_people", sum(row.outside for row in truth.rows)),
        ("organizers", len({row.mailbox for row in truth.rows})),
        ("series_dates", sum(len(row.instances) for row in truth.rows if row.kind != "singleInstance")),
    ):
        if plan["totals"][name] != expected:
            yield f"total of {name} is {plan['totals'][name]}, not {expected}"


def _moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)


def _said(each: Row | Seen) -> str:
    instance: Instance = each.instances[0] if isinstance(each, Row) else each.instance
    meeting = instance.meeting
    more = f" because {sorted(each.reasons)}" if isinstance(each, Seen) else ""
    return (
        f"meeting {meeting.number} {sorted(meeting.traps)} of {meeting.organizer} (seen as {meeting.spelt}) "
        f"{instance.start} to {instance.end} in {sorted(instance.rooms)}{more}"
    )
