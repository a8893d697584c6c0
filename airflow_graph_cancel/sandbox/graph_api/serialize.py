"""The JSON of a mailbox's copy of a meeting, as its reader asked for it, and the times in it."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.tenant.entities import Attendee, Item, Json
from airflow_graph_cancel.sandbox.tenant.identifiers import occurrence_address
from airflow_graph_cancel.sandbox.traffic.messages import GraphError

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.call import Call
    from airflow_graph_cancel.sandbox.traffic.messages import Response


#: The common ones of Windows' names for time zones; any other is an IANA name.
_WINDOWS = {
    "AUS Eastern Standard Time": "Australia/Sydney",
    "Arabian Standard Time": "Asia/Dubai",
    "Central European Standard Time": "Europe/Warsaw",
    "Central Standard Time": "America/Chicago",
    "China Standard Time": "Asia/Shanghai",
    "E. South America Standard Time": "America/Sao_Paulo",
    "Eastern Standard Time": "America/New_York",
    "FLE Standard Time": "Europe/Kyiv",
    "GMT Standard Time": "Europe/London",
    "GTB Standard Time": "Europe/Bucharest",
    "India Standard Time": "Asia/Kolkata",
    "Israel Standard Time": "Asia/Jerusalem",
    "Mountain Standard Time": "America/Denver",
    "New Zealand Standard Time": "Pacific/Auckland",
    "Pacific Standard Time": "America/Los_Angeles",
    "Romance Standard Time": "Europe/Paris",
    "Singapore Standard Time": "Asia/Singapore",
    "South Africa Standard Time": "Africa/Johannesburg",
    "Tokyo Standard Time": "Asia/Tokyo",
    "Turkey Standard Time": "Europe/Istanbul",
    "W. Europe Standard Time": "Europe/Berlin",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How the reader wants events.

    :param select: Lower-case names of the properties to show; the default ones if None.
    :param applied: The preferences that the response confirms.
    :param keys_apart: Whether each date of a series has its own change key.
    """

    zone_name: str = "UTC"
    zone: datetime.tzinfo = datetime.UTC
    immutable_ids: bool = False
    text_body: bool = False
    select: frozenset[str] | None = None
    applied: tuple[str, ...] = field(default=())
    keys_apart: bool = False

    def applied_to(self, response: Response) -> Response:
        """Return the response with the header that says which preferences it honours."""
        if self.applied:
            response.headers["Preference-Applied"] = ", ".join(self.applied)
        return response


def style_of(call: Call) -> Style:
    """Read ``Prefer`` and ``$select``.

    :raises GraphError: 400 for an unknown time zone.
    """
    request, keys_apart = call.request, call.guesses.change_key == "date"
    wanted = request.preferences()
    selected = request.query.get("$select")
    names = frozenset(name.strip().lower() for name in selected.split(",")) if selected else None
    if not wanted:
        return Style(select=names, keys_apart=keys_apart)
    zone_name = wanted.get("outlook.timezone", "UTC")
    immutable = wanted.get("idtype", "").lower() == "immutableid"
    text = wanted.get("outlook.body-content-type", "").lower() == "text"
    applied = [
        *(["IdType=ImmutableId"] if immutable else ()),
        *([f'outlook.timezone="{zone_name}"'] if "outlook.timezone" in wanted else ()),
        *(['outlook.body-content-type="text"'] if text else ()),
    ]
    return Style(zone_name, zone(zone_name), immutable, text, names, tuple(applied), keys_apart)


def event(item: Item, style: Style) -> Json:
    """Return the event as JSON; ``id`` and the etag are always present."""
    shown: Json = {"@odata.etag": f'W/"{_change_key(item, style)}"', "id": _id(item, style)}
    if style.select is None:
        shown.update((name, render(item, style)) for name, render in _USUAL.items())
    else:
        chosen = (_BY_LOWER_NAME.get(name) for name in style.select)
        shown.update((name, render(item, style)) for name, render in filter(None, chosen))
    return shown


def comparable(item: Item) -> Json:
    """Return the event with everything that it can be filtered and sorted by, times in UTC."""
    return {**event(item, _PLAIN), "uid": item.event.meeting.uid}


def subject(item: Item) -> str:
    """Return the subject as this mailbox shows it; a room shows the organizer's name instead."""
    copy, meeting = item.event, item.event.meeting
    text = meeting.organizer.name if _is_room(item) else item.slot.subject or meeting.subject
    return f"Canceled: {text}" if item.is_cancelled and not copy.is_organizer else text


def kind(item: Item) -> str:
    """Return ``singleInstance``, ``seriesMaster``, ``occurrence`` or ``exception``."""
    if item.date is None:
        return "seriesMaster" if item.event.meeting.recurrence else "singleInstance"
    return "exception" if item.slot.is_exception or item.date in item.event.cancelled_dates else "occurrence"


def _is_room(item: Item) -> bool:
    return item.event.mailbox.kind == "room" and not item.event.is_organizer


def _id(item: Item, style: Style) -> str:
    return item.immutable_id if style.immutable_ids else item.id


def _master_id(item: Item, style: Style) -> str | None:
    return None if item.date == item.event.only else _id(Item(item.event, None), style)


def _change_key(item: Item, style: Style) -> str:
    return item.change_key(apart=style.keys_apart)


def _response(item: Item, _: Style) -> Json:
    if item.event.is_organizer:
        response = "organizer"
    elif item.is_cancelled:
        response = "notResponded"
    else:
        response = "accepted" if _is_room(item) else "notResponded"
    return {"response": response, "time": "0001-01-01T00:00:00Z"}


def _body(item: Item, style: Style) -> Json:
    text = "" if _is_room(item) else item.event.meeting.body
    return {"contentType": "text", "content": text} if style.text_body else {"contentType": "html", "content": text}


def _recurrence(item: Item, _: Style) -> Json | None:
    rule = item.event.meeting.recurrence
    return rule.to_graph() if rule and item.date is None else None


def _location(item: Item, _: Style) -> Json:
    rooms = [each.name for each in item.event.meeting.invited(item.date) if each.kind == "resource"]
    return {"displayName": item.event.meeting.location or "; ".join(rooms), "locationType": "default"}


def _attendees(item: Item, _: Style) -> list[Json]:
    unknown = {"response": "none", "time": "0001-01-01T00:00:00Z"}
    return [
        {"type": each.kind, "status": unknown, "emailAddress": _email(each)}
        for each in item.event.meeting.invited(item.date)
    ]


def _organizer(item: Item, _: Style) -> Json:
    meeting = item.event.meeting
    spelt = None if item.event.is_organizer else meeting.organizer_elsewhere
    return {"emailAddress": {**_email(meeting.organizer), **({"address": spelt} if spelt else {})}}


def _time(item: Item, moment: datetime.datetime, style: Style) -> Json:
    if item.event.meeting.is_all_day:
        # Midnight to midnight in the zone that the reader asked for: an all-day event is the same day everywhere.
        moment = moment.astimezone(item.event.meeting.time_zone).replace(tzinfo=style.zone)
    return _to_graph(moment, style.zone_name, style.zone)


def _zone_name(item: Item, _: Style) -> str:
    return getattr(item.event.meeting.time_zone, "key", "UTC")


def _email(person: Attendee) -> Json:
    return {"name": person.name, "address": person.address}


def _cancelled_occurrences(item: Item, _: Style) -> list[str]:
    copy = item.event
    gone = copy.removed_dates if item.date is None else ()
    return [occurrence_address(copy.id, date) for date in sorted(gone)]


def _cancelled_or(item: Item, then: str, otherwise: str) -> str:
    return then if item.is_cancelled and not item.event.is_organizer else otherwise


def _stamp(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}0Z"


def zone(name: str) -> datetime.tzinfo:
    """Return the zone of this name.

    :raises GraphError: 400 if the name is unknown.
    """
    if name.upper() in ("UTC", "Z"):
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(_WINDOWS.get(name, name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."
        raise GraphError(400, "TimeZoneNotSupportedException", message) from error


def _to_graph(moment: datetime.datetime, name: str, where: datetime.tzinfo) -> dict[str, object]:
    """Return a ``dateTimeTimeZone``: local time in the zone, with seven decimals and no offset."""
    return {"dateTime": f"{moment.astimezone(where):%Y-%m-%dT%H:%M:%S}.0000000", "timeZone": name}


def read_time(value: object) -> datetime.datetime:
    """Read a ``dateTimeTimeZone``; an offset in its ``dateTime`` takes precedence.

    :raises GraphError: 400 if it is not one.
    """
    if isinstance(value, dict) and isinstance(value.get("dateTime"), str):
        moment = parse_time(value["dateTime"])
        return moment if moment.tzinfo else moment.replace(tzinfo=zone(str(value.get("timeZone") or "UTC")))
    raise GraphError(400, "ErrorInvalidRequest", "A start and an end with dateTime and timeZone are needed.")


def parse_time(text: str) -> datetime.datetime:
    """Read an ISO 8601 time with any number of decimals, with or without an offset.

    :raises GraphError: 400 if it is not one.
    """
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise GraphError(400, "ErrorInvalidParameter", f"The value '{text}' is not a valid DateTime.") from error


_Render = Callable[[Item, Style], object]
_USUAL: dict[str, _Render] = {
    "createdDateTime": lambda item, _: _stamp(item.event.meeting.created),
    "lastModifiedDateTime": lambda item, _: _stamp(item.event.meeting.modified or item.event.meeting.created),
    "changeKey": _change_key,
    "categories": lambda item, _: [],
    "originalStartTimeZone": _zone_name,
    "originalEndTimeZone": _zone_name,
    "iCalUId": lambda item, _: item.uid,
    "reminderMinutesBeforeStart": lambda item, _: 15,
    "isReminderOn": lambda item, _: True,
    "hasAttachments": lambda item, _: False,
    "subject": lambda item, _: subject(item),
    "bodyPreview": lambda item, _: "" if _is_room(item) else item.event.meeting.body[:255],
    "importance": lambda item, _: _cancelled_or(item, "high", "normal"),
    "sensitivity": lambda item, _: "private" if item.event.meeting.is_private and not _is_room(item) else "normal",
    "isAllDay": lambda item, _: item.event.meeting.is_all_day,
    "isCancelled": lambda item, _: item.is_cancelled,
    "isOrganizer": lambda item, _: item.event.is_organizer,
    "responseRequested": lambda item, _: True,
    "seriesMasterId": _master_id,
    "showAs": lambda item, _: _cancelled_or(item, "free", "busy"),
    "type": lambda item, _: kind(item),
    "webLink": lambda item, style: f"https://outlook.office365.com/owa/?itemid={_id(item, style)}&exvsurl=1",
    "isOnlineMeeting": lambda item, _: False,
    "allowNewTimeProposals": lambda item, _: True,
    "isDraft": lambda item, _: False,
    "hideAttendees": lambda item, _: False,
    "responseStatus": _response,
    "body": _body,
    "start": lambda item, style: _time(item, item.slot.start, style),
    "end": lambda item, style: _time(item, item.slot.end, style),
    "location": _location,
    "recurrence": _recurrence,
    "attendees": _attendees,
    "organizer": _organizer,
}
#: Properties that are returned only if selected by name.
_ON_REQUEST: dict[str, _Render] = {
    "cancelledOccurrences": _cancelled_occurrences,
    "occurrenceId": lambda item, style: (
        None if item.date is None else occurrence_address(_id(Item(item.event, None), style), item.date)
    ),
    "uid": lambda item, _: item.event.meeting.uid,
    "originalStart": lambda item, _: (
        None if item.date is None else f"{item.event.meeting.original_start(item.date):%Y-%m-%dT%H:%M:%SZ}"
    ),
}
_BY_LOWER_NAME: Mapping[str, tuple[str, _Render]] = {
    name.lower(): (name, render) for name, render in {**_USUAL, **_ON_REQUEST}.items()
}
_PLAIN = Style()
