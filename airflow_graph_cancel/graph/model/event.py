"""A meeting as the calendar of one mailbox shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, tzinfo
from zoneinfo import ZoneInfo

from airflow_graph_cancel.graph.errors import ServiceUnavailableError

_GLOBAL_OBJECT_ID = re.compile(r"040000008200E00074C5B7101A82E008[0-9A-F]{8}", re.IGNORECASE)
_DATE = slice(32, 40)


@dataclass(frozen=True, slots=True)
class Attendee:
    """A person, a group or a room that was invited."""

    address: str
    is_room: bool


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One mailbox's copy of a meeting, or of one date of a series.

    :param event_id: its id in this mailbox.
    :param uid: ``iCalUId``, the same in all mailboxes.
    :param start: in UTC, as is ``end``.
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
        """Addresses of those who would get a message, case-folded. Rooms do not count; a group counts as one."""
        return frozenset(each.address.casefold() for each in self.attendees if each.address and not each.is_room)

    @property
    def when(self) -> tuple[datetime, datetime]:
        """Start and end."""
        return self.start, self.end


def parse_event(event: dict[str, object], zone: tzinfo = UTC) -> CalendarEvent:
    """Parse an event in Graph's JSON; what was not selected is empty.

    :param event: its times are in UTC, Graph's default, or name an IANA zone.
    :param zone: the dates of an all-day meeting are dates in this zone.
    :raises ServiceUnavailableError: if it has no id or no times, which Graph never leaves out.
    """
    event_id, start, end = event.get("id"), _moment(event.get("start")), _moment(event.get("end"))
    if not isinstance(event_id, str) or start is None or end is None:
        raise ServiceUnavailableError("Graph returned an event without an id or a time.")
    if event.get("isAllDay") is True and start.time() == end.time() == time():
        # These are dates, not times: the same day everywhere.
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
    """Return the ``iCalUId`` that all dates of a series share.

    Exchange writes the original day of a date into eight digits of its series' identifier (MS-OXOCAL 2.2.1.27).
    Identifiers of other calendar systems have no place for it and are the same for all dates anyway.
    """
    if not _GLOBAL_OBJECT_ID.match(uid):
        return uid
    return f"{uid[: _DATE.start]}00000000{uid[_DATE.stop :]}"


def has_date(uid: str) -> bool:
    """Return whether an ``iCalUId`` names one date of a series, which no other event can have."""
    return uid != series_uid(uid)


def domain_of(address: str) -> str:
    """Return the part after the @, in lower case; empty if there is none."""
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
