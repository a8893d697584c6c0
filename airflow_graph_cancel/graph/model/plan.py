"""The plan: what would be cancelled, made by reading only, carried out as it stands or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, cast

from airflow_graph_cancel.graph.errors import InvalidInputError

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.window import Window

__all__ = ["Left", "Meeting", "Plan", "Reason", "Row", "plan_rows"]

Scope = Literal["dates", "series"]
Row = dict[str, object]


class Reason(StrEnum):
    """Why a meeting within the window would not be cancelled."""

    EXTERNAL = "external organizer"
    MAILBOX = "mailbox gone or on premises"
    OUT_OF_SCOPE = "out of scope"
    KEPT = "kept"
    PAST = "in the past"
    NOT_FOUND = "organizer's copy not found"
    CANCELLED = "already cancelled"
    TOO_FEW = "too few people"
    NOBODY = "nobody invited"


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting that would be cancelled, by its organizer's copy.

    :param people: who would get a message, rooms apart; a group counts as one.
    :param outside: those of them whose domain is not the tenant's, as far as rooms and organizers show it.
    :param start: of a series, that of its first date within the window.
    :param dates: of a series within the window.
    :param series_id: the series master's id, None for a meeting that does not recur.
    """

    event_id: str
    user_id: str
    uid: str
    change_key: str
    start: datetime
    end: datetime
    rooms: tuple[str, ...]
    people: int
    outside: int
    type: str
    scope: Scope
    dates: int = 0
    subject: str | None = None
    series_id: str | None = None

    def as_row(self) -> Row:
        """Return plain JSON types."""
        row: Row = {
            "event_id": self.event_id,
            "user_id": self.user_id,
            "iCalUId": self.uid,
            "changeKey": self.change_key,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "rooms": list(self.rooms),
            "people": self.people,
            "outside": self.outside,
            "type": self.type,
            "scope": self.scope,
        }
        return row if self.subject is None else {**row, "subject": self.subject}


@dataclass(frozen=True, slots=True)
class Left:
    """A meeting within the window that would not be cancelled."""

    reason: Reason
    uid: str
    organizer: str
    start: datetime
    end: datetime
    rooms: tuple[str, ...]
    event_id: str | None = None

    def as_row(self) -> Row:
        """Return plain JSON types."""
        row: Row = {
            "reason": str(self.reason),
            "iCalUId": self.uid,
            "organizer": self.organizer,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "rooms": list(self.rooms),
        }
        return row if self.event_id is None else {**row, "event_id": self.event_id, "user_id": self.organizer}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search came to.

    :param meetings: what would be cancelled.
    :param left: what would not, and why.
    :param made_at: when it was read.
    """

    window: Window
    meetings: Sequence[Meeting]
    left: Sequence[Left]
    made_at: datetime

    @property
    def totals(self) -> dict[str, int]:
        """The numbers that an approver looks at first."""
        return {
            "meetings": len(self.meetings),
            "people": sum(meeting.people for meeting in self.meetings),
            "outside_people": sum(meeting.outside for meeting in self.meetings),
            "series_dates": sum(meeting.dates for meeting in self.meetings),
            "organizers": len({meeting.user_id.casefold() for meeting in self.meetings}),
        }

    def as_document(self, summary: str) -> Row:
        """Return the plan in plain JSON types, with the digest that binds it.

        :param summary: Markdown for whoever approves it.
        """
        document: Row = {
            "window": self.window.as_row(),
            "meetings": [meeting.as_row() for meeting in self.meetings],
            "left": [left.as_row() for left in self.left],
            "totals": self.totals,
            "made_at": self.made_at.astimezone(UTC).isoformat(timespec="seconds"),
        }
        return {**document, "digest": digest_of(document), "summary": summary}


def digest_of(plan: Mapping[str, object]) -> str:
    """Return the digest over everything in a plan that decides what is cancelled."""
    bound = {name: plan.get(name) for name in ("window", "meetings", "made_at")}
    text = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def plan_rows(
    plan: Mapping[str, object],
    *,
    without: Iterable[str] = (),
    max_age: timedelta | None = None,
    now: datetime | None = None,
) -> list[Row]:
    """Return the rows of a plan that are to be carried out, if it is whole and young enough.

    :param plan: as a search returned it.
    :param without: event ids that an approver took out; the rest stays bound to the digest.
    :param max_age: refuse an older plan: calendars have moved on since.
    :param now: for tests.
    :raises InvalidInputError: if it is no plan, was altered, is too old, or ``without`` names an event that is not in
        it.
    """
    meetings, digest = plan.get("meetings"), plan.get("digest")
    if not isinstance(meetings, list) or not isinstance(digest, str):
        raise InvalidInputError(
            "events is a mapping without meetings and digest, so it is no plan; give a list of ids or rows, or what "
            "GraphFindEventsOperator returned."
        )
    if max_age is not None:
        _refuse_old(plan.get("made_at"), max_age, now or datetime.now(UTC))
    if digest_of(plan) != digest:
        raise InvalidInputError(
            "The plan was altered after it was made: its rows no longer fit its digest. To take meetings out, name "
            "their event ids in without; for anything else, search again."
        )
    rows = cast("list[Row]", meetings)
    taken_out = set(without)
    if unknown := taken_out - {str(row.get("event_id")) for row in rows}:
        shown = ", ".join(sorted(unknown)[:3])
        raise InvalidInputError(
            f"without names {len(unknown)} events that are not in the plan ({shown}): somebody believes to have saved "
            "a meeting, and has not."
        )
    return [row for row in rows if row.get("event_id") not in taken_out]


def _refuse_old(made_at: object, max_age: timedelta, now: datetime) -> None:
    try:
        made = datetime.fromisoformat(str(made_at))
        age = now - made
    except (ValueError, TypeError):
        raise InvalidInputError("The plan does not say when it was made.") from None
    if age > max_age:
        hours = age / timedelta(hours=1)
        raise InvalidInputError(
            f"The plan is {hours:.1f} hours old, more than plan_max_age ({max_age / timedelta(hours=1):g} hours): "
            "calendars have changed since. Search again, and have it approved again."
        )
