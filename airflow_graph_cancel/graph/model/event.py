"""A meeting as one mailbox's calendar shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from typing import TYPE_CHECKING
from urllib.parse import quote
from zoneinfo import ZoneInfo

from airflow_graph_cancel.graph.errors import ServiceUnavailableError

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.window import Window

__all__ = ["Attendee", "CalendarEvent", "domain_of", "has_date", "parse_event", "series_uid", "view_path"]

_PAGE = 200
"""Rows of a page: Graph's own ten would cost many round trips, and very large pages end in gateway timeouts."""
_GLOBAL_OBJECT_ID = re.compile(r"040000008200E00074C5B7101A82E008[0-9A-F]{8}", re.IGNORECASE)
_DATE = slice(32, 40)


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who was invited, or a room."""

    address: str
    is_room: bool


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One mailbox's copy of a meeting, or of one date of a series.

    :param event_id: in this mailbox.
    :param uid: ``iCalUId``, the same in all mailboxes.
    :param organizer: address, as this copy has it; empty if it has none.
    :param series_id: the series master's id in this mailbox, None for a meeting that does not recur.
    """

    event_id: str
    uid: str
    change_key: str
    start: datetime
    end: datetime
    organizer: str
    is_organizer: bool
    is_cancelled: bool
    type: str
    series_id: str | None
    attendees: tuple[Attendee, ...]
    subject: str
    is_all_day: bool = False

    @property
    def people(self) -> frozenset[str]:
        """Addresses of those who would get a message, in lower case; rooms are no people, a group is one."""
        return frozenset(each.address.casefold() for each in self.attendees if each.address and not each.is_room)

    @property
    def when(self) -> tuple[datetime, datetime]:
        """Both ends."""
        return self.start, self.end


def view_path(mailbox: str, window: Window, select: Iterable[str]) -> str:
    """Return the path of a calendar view: what a mailbox's calendar shows within the window.

    :param mailbox: user principal name, address or object id.
    :param window: a view is asked for a little more, so that what it shows must be looked at again.
    :param select: properties.

    Source: https://learn.microsoft.com/graph/api/user-list-calendarview
    """
    start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in window.asked)
    return (
        f"/users/{quote(mailbox, safe='')}/calendarView?startDateTime={start}&endDateTime={end}"
        f"&$select={','.join(select)}&$top={_PAGE}"
    )


def parse_event(event: dict[str, object], zone: tzinfo = UTC) -> CalendarEvent:
    """Return the copy that Graph's JSON describes; what was not selected is empty.

    :param event: an event, its times in UTC, which is Graph's default.
    :param zone: in which the dates of an all-day meeting are meant.
    :raises ServiceUnavailableError: if it has no id or no times, which Graph never leaves out.
    """
    event_id, start, end = event.get("id"), _moment(event.get("start")), _moment(event.get("end"))
    if not isinstance(event_id, str) or start is None or end is None:
        raise ServiceUnavailableError("Graph listed an event without an id or a time.")
    if event.get("isAllDay") is True and start.time() == end.time() == time():
        # Dates and not times: the same day everywhere.
        start, end = start.replace(tzinfo=zone), end.replace(tzinfo=zone)
    attendees = event.get("attendees")
    return CalendarEvent(
        event_id=event_id,
        uid=_text(event.get("iCalUId")),
        change_key=_text(event.get("changeKey")),
        start=start.astimezone(UTC),
        end=end.astimezone(UTC),
        organizer=_address(event.get("organizer")),
        is_organizer=event.get("isOrganizer") is True,
        is_cancelled=event.get("isCancelled") is True,
        type=_text(event.get("type")),
        series_id=_text(event.get("seriesMasterId")) or None,
        attendees=tuple(
            Attendee(_address(each), each.get("type") == "resource")
            for each in (attendees if isinstance(attendees, list) else [])
            if isinstance(each, dict)
        ),
        subject=_text(event.get("subject")),
        is_all_day=event.get("isAllDay") is True,
    )


def series_uid(uid: str) -> str:
    """Return the ``iCalUId`` that all dates of a series have in common.

    Exchange writes a date's original day into eight digits of its series' identifier (MS-OXOCAL 2.2.1.27); an
    identifier of another calendar system has no place for it and is the same for all dates anyway.
    """
    if not _GLOBAL_OBJECT_ID.match(uid):
        return uid
    return f"{uid[: _DATE.start]}00000000{uid[_DATE.stop :]}"


def has_date(uid: str) -> bool:
    """Return whether an ``iCalUId`` names one date of a series, so that no other event can have it."""
    return uid != series_uid(uid)


def domain_of(address: str) -> str:
    """Return the part behind the @, in lower case; empty if there is none."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _address(holder: object) -> str:
    email = holder.get("emailAddress") if isinstance(holder, dict) else None
    return _text(email.get("address")).strip() if isinstance(email, dict) else ""


def _moment(value: object) -> datetime | None:
    if not isinstance(value, dict):
        return None
    try:
        moment = datetime.fromisoformat(_text(value.get("dateTime")))
        zone = _text(value.get("timeZone"))
        return moment.replace(tzinfo=UTC if zone in {"", "UTC", "tzone://Microsoft/Utc"} else ZoneInfo(zone))
    except (ValueError, OSError, KeyError):
        return None
