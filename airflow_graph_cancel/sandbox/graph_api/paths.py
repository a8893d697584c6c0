"""What a path below the version addresses: whose calendar, which event, which action."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from airflow_graph_cancel.sandbox.traffic import graph_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stands for ``/calendar`` and ``/calendarGroup``. No segment is empty, so no id equals it.
DEFAULT = ""


@dataclass(slots=True)
class Address:
    """A resource of Graph.

    :param resource: Its name, such as ``event`` or ``cancel``; the pipeline dispatches on it.
    :param owner: ``me``, ``users`` or ``groups``; None for a resource outside mailboxes.
    :param calendar: :data:`DEFAULT` for ``/calendar``, else an id; None if the path names no calendar.
    :param calendar_group: The same for ``/calendarGroup``.
    :param place: Address of a room list.
    """

    resource: str
    owner: str | None = None
    owner_id: str | None = None
    calendar: str | None = None
    calendar_group: str | None = None
    event_id: str | None = None
    place: str | None = None


def split_path(raw_path: str) -> tuple[str, ...]:
    """Return the segments of a path, each decoded exactly once; one trailing slash is ignored.

    :raises GraphError: 400 for an empty segment, or one that is not UTF-8.
    """
    parts = raw_path.split("/")[1:]
    if parts and not parts[-1]:
        parts.pop()
    if not all(parts):
        raise graph_errors.bad_request("Resource not found for the segment ''.")
    try:
        return tuple(unquote_to_bytes(part).decode() if "%" in part else part for part in parts)
    except UnicodeDecodeError as error:
        raise graph_errors.bad_request("The request URI is not valid.") from error


def parse_query(query: str) -> dict[str, str]:
    """Return the query options; of several with one name the last counts."""
    return dict(parse_qsl(query, keep_blank_values=True)) if query else {}


def parse(segments: tuple[str, ...]) -> Address:
    """Read a path.

    :raises GraphError: 400 naming the first unknown segment.
    """
    rest = iter(segments)
    first = next(rest, None)
    if first is None:
        return Address("service")
    match first.lower():
        case "$batch":
            return _end(Address("batch"), rest)
        case "me":
            return _owned(Address("mailbox", "me"), rest)
        case "users" | "groups" as owner:
            owner_id = next(rest, None)
            if owner_id is None:
                return Address(owner)
            return _owned(Address("mailbox", owner, owner_id), rest)
        case "places":
            return _places(rest)
    raise graph_errors.unknown_segment(first)


def _owned(address: Address, rest: Iterator[str]) -> Address:
    segment = next(rest, None)
    if segment is None:
        return address
    match segment.lower():
        case "events" | "calendarview" as name:
            return _events(address, name, rest)
        case "calendar":
            address.calendar = DEFAULT
            return _calendar(address, rest)
    if address.owner == "groups":
        raise graph_errors.unknown_segment(segment)
    match segment.lower():
        case "calendars":
            return _calendars(address, rest)
        case "calendargroup":
            address.calendar_group = DEFAULT
            return _calendar_group(address, rest)
        case "calendargroups":
            address.calendar_group = next(rest, None)
            if address.calendar_group is None:
                address.resource = "calendarGroups"
                return address
            return _calendar_group(address, rest)
    raise graph_errors.unknown_segment(segment)


def _calendar_group(address: Address, rest: Iterator[str]) -> Address:
    segment = next(rest, None)
    if segment is None:
        address.resource = "calendarGroup"
        return address
    if segment.lower() == "calendars":
        return _calendars(address, rest)
    raise graph_errors.unknown_segment(segment)


def _calendars(address: Address, rest: Iterator[str]) -> Address:
    address.calendar = next(rest, None)
    if address.calendar is None:
        address.resource = "calendars"
        return address
    return _calendar(address, rest)


def _calendar(address: Address, rest: Iterator[str]) -> Address:
    segment = next(rest, None)
    if segment is None:
        address.resource = "calendar"
        return address
    if segment.lower() in ("events", "calendarview"):
        return _events(address, segment.lower(), rest)
    raise graph_errors.unknown_segment(segment)


def _events(address: Address, name: str, rest: Iterator[str]) -> Address:
    if name == "calendarview":
        address.resource = "calendarView"
        return _end(address, rest)
    address.resource = "events"
    address.event_id = next(rest, None)
    if address.event_id is None:
        return address
    address.resource = "event"
    segment = next(rest, None)
    if segment is not None and segment.lower() == "instances":
        instance = next(rest, None)
        if instance is None:
            address.resource = "instances"
            return address
        address.event_id = instance
        segment = next(rest, None)
    if segment is None:
        return address
    if _unqualified(segment) in ("cancel", "graph.cancel"):
        address.resource = "cancel"
        return _end(address, rest)
    raise graph_errors.unknown_segment(segment)


def _places(rest: Iterator[str]) -> Address:
    segment = next(rest, None)
    if segment is None:
        raise graph_errors.unknown_segment("places")
    match _unqualified(segment):
        case "graph.room":
            return _end(Address("rooms"), rest)
        case "graph.roomlist":
            return _end(Address("roomLists"), rest)
    following = _unqualified(next(rest, None) or ""), (next(rest, None) or "").lower()
    if following == ("graph.roomlist", "rooms"):
        return _end(Address("rooms", place=segment), rest)
    raise graph_errors.unknown_segment(following[0] or segment)


def _unqualified(segment: str) -> str:
    """Return the name of a type or action with the short form of its namespace, which SDKs prefer."""
    return segment.lower().removeprefix("microsoft.")


def _end(address: Address, rest: Iterator[str]) -> Address:
    segment = next(rest, None)
    if segment is not None:
        raise graph_errors.unknown_segment(segment)
    return address
