"""The plan: what would be cancelled. Made by reading only, and carried out exactly as it stands or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, Self, cast

from airflow_graph_cancel.graph.errors import InvalidInputError

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.window import Window

Scope = Literal["dates", "series"]
Row = dict[str, object]
_KEYS = {"uid": "iCalUId", "change_key": "changeKey"}
_NUMBERS = {"people", "outside"}


class Reason(StrEnum):
    """Why a plan excludes a meeting within the window. Reports explain each of them."""

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
class PlanRow:
    """A meeting as a row of a plan's document, in JSON types.

    Rows come back from XCom, files and feeds, so nothing in them is relied on: what is missing is None or empty, and
    times are text that may not be a time.

    :param uid: ``iCalUId``, the same in all mailboxes.
    :param change_key: Graph's ``changeKey``, which differs after every change.
    :param start: ISO 8601 with offset, as is ``end``.
    :param people: who would get a message, without rooms; ``outside`` those of other domains.
    :param reason: why the plan excludes the meeting; None if it is to be cancelled.
    :param organizer: set together with ``reason``.
    """

    event_id: str = ""
    user_id: str | None = None
    uid: str | None = None
    change_key: str | None = None
    start: str | None = None
    end: str | None = None
    rooms: tuple[str, ...] = ()
    people: int | None = None
    outside: int | None = None
    type: str | None = None
    scope: str | None = None
    subject: str | None = None
    reason: str | None = None
    organizer: str | None = None

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """Read a row. Further keys are ignored; numbers and lists of another type count as missing."""
        given = {each.name: row.get(_KEYS.get(each.name, each.name)) for each in fields(cls)}
        rooms = given.pop("rooms")
        read = {name: (_whole if name in _NUMBERS else _text)(value) for name, value in given.items()}
        read["event_id"] = read["event_id"] or ""
        # The names and types are those of the fields above.
        return cls(**read, rooms=tuple(map(str, rooms)) if isinstance(rooms, list | tuple) else ())  # type: ignore[arg-type]

    def as_row(self) -> Row:
        """Return the row, without what is missing."""
        row: Row = {_KEYS.get(each.name, each.name): getattr(self, each.name) for each in fields(self)}
        row |= {"event_id": self.event_id or None, "rooms": list(self.rooms)}
        return {name: value for name, value in row.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting that would be cancelled, by its organizer's copy.

    :param people: who would get a message, without rooms; a group counts as one.
    :param outside: those of them whose domain is not the tenant's, as far as rooms and organizers show it.
    :param start: of a series, that of its first date within the window.
    :param dates: of a series, how many are within the window.
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
        return PlanRow(
            event_id=self.event_id,
            user_id=self.user_id,
            uid=self.uid,
            change_key=self.change_key,
            start=self.start.isoformat(),
            end=self.end.isoformat(),
            rooms=self.rooms,
            people=self.people,
            outside=self.outside,
            type=self.type,
            scope=self.scope,
            subject=self.subject,
        ).as_row()


@dataclass(frozen=True, slots=True)
class Excluded:
    """A meeting within the window that would not be cancelled.

    :param event_id: of the organizer's copy, None if that was not found.
    """

    reason: Reason
    uid: str
    organizer: str
    start: datetime
    end: datetime
    rooms: tuple[str, ...]
    event_id: str | None = None

    def as_row(self) -> Row:
        """Return plain JSON types."""
        return PlanRow(
            event_id=self.event_id or "",
            user_id=self.organizer if self.event_id else None,
            uid=self.uid,
            start=self.start.isoformat(),
            end=self.end.isoformat(),
            rooms=self.rooms,
            reason=str(self.reason),
            organizer=self.organizer,
        ).as_row()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a search found.

    :param meetings: what would be cancelled.
    :param excluded: what would not be cancelled, and why.
    :param made_at: when it was read.
    """

    window: Window
    meetings: Sequence[Meeting]
    excluded: Sequence[Excluded]
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

        :param summary: Markdown for the approver.
        """
        document: Row = {
            "window": self.window.as_row(),
            "meetings": [meeting.as_row() for meeting in self.meetings],
            "left": [meeting.as_row() for meeting in self.excluded],
            "totals": self.totals,
            "made_at": self.made_at.astimezone(UTC).isoformat(timespec="seconds"),
        }
        return {**document, "digest": _plan_digest(document), "summary": summary}


def plan_rows(
    plan: Mapping[str, object],
    *,
    without: Iterable[str] = (),
    max_age: timedelta | None = None,
    now: datetime | None = None,
) -> list[Row]:
    """Return the rows of a plan that are to be carried out, if it is complete, unaltered and recent enough.

    :param plan: the document that a search returned.
    :param without: event ids that an approver took out; the rest stays bound to the digest.
    :param max_age: refuse an older plan, because calendars have changed since.
    :param now: for tests.
    :raises InvalidInputError: if it is not a plan, was altered, is too old, or ``without`` names an event that is not
        in it.
    """
    meetings, digest = plan.get("meetings"), plan.get("digest")
    if not isinstance(meetings, list) or not isinstance(digest, str):
        raise InvalidInputError(
            "events is not a plan: it lacks meetings or a digest. Pass what GraphFindEventsOperator returned, or a "
            "list of ids or rows."
        )
    if max_age is not None:
        _refuse_old(plan.get("made_at"), max_age, now or datetime.now(UTC))
    if _plan_digest(plan) != digest:
        raise InvalidInputError(
            "The plan was altered after it was made: its rows no longer match its digest. To take meetings out, pass "
            "their event ids as without; for any other change, search again."
        )
    rows = cast("list[Row]", meetings)
    taken_out = set(without)
    if unknown := sorted(taken_out - {str(row.get("event_id")) for row in rows}):
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        raise InvalidInputError(
            f"without names meetings that are not in this plan. Check their event ids: {', '.join(unknown[:3])}{more}."
        )
    return [row for row in rows if row.get("event_id") not in taken_out]


def _plan_digest(plan: Mapping[str, object]) -> str:
    """Return the digest over everything in a plan that decides what is cancelled."""
    bound = {name: plan.get(name) for name in ("window", "meetings", "made_at")}
    text = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _refuse_old(made_at: object, max_age: timedelta, now: datetime) -> None:
    try:
        age = now - datetime.fromisoformat(str(made_at))
    except (ValueError, TypeError):
        raise InvalidInputError(
            "The plan does not say when it was made, so its age is unknown. Search again."
        ) from None
    if age > max_age:
        raise InvalidInputError(
            f"The plan is {_age_text(age, '.1f')} old, more than plan_max_age ({_age_text(max_age, 'g')}), and "
            "calendars may have changed since. Search again, and have the new plan approved."
        )


def _age_text(age: timedelta, form: str) -> str:
    hours = age / timedelta(hours=1)
    return f"{hours / 24:{form}} days" if hours > 48 else f"{hours:{form}} hours"


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
