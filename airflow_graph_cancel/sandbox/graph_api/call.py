"""What a request is about: the resource that its path addresses, and the mailbox, calendar and item behind it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from airflow_graph_cancel.sandbox.tenant import identifiers
from airflow_graph_cancel.sandbox.tenant.entities import Calendar, Item, Mailbox
from airflow_graph_cancel.sandbox.traffic.messages import GraphError, bad_request

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Guesses
    from airflow_graph_cancel.sandbox.state import SandboxState
    from airflow_graph_cancel.sandbox.traffic.messages import Caller, Request

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


_EVENTS = {"events": "events", "calendarview": "calendarView"}
_CANCEL = dict.fromkeys(("cancel", "graph.cancel", "microsoft.graph.cancel"), "cancel")
_ROOMS = dict.fromkeys(("graph.room", "microsoft.graph.room"), "rooms")
_ROOM_LISTS = ("graph.roomlist", "microsoft.graph.roomlist")
#: Where the next segment leads from each resource; ``*`` stands for an id. Names are in lower case; types and actions
#: also have a short form, which SDKs prefer.
_NEXT: dict[str, dict[str, str]] = {
    "service": {"$batch": "batch", "me": "mailbox", "users": "users", "groups": "groups", "places": "places"},
    "users": {"*": "mailbox"},
    "groups": {"*": "group"},
    "group": {**_EVENTS, "calendar": "calendar"},
    "mailbox": {
        **_EVENTS,
        "calendar": "calendar",
        "calendars": "calendars",
        "calendargroup": "calendarGroup",
        "calendargroups": "calendarGroups",
    },
    "calendarGroups": {"*": "calendarGroup"},
    "calendarGroup": {"calendars": "calendars"},
    "calendars": {"*": "calendar"},
    "calendar": _EVENTS,
    "events": {"*": "event"},
    "event": {**_CANCEL, "instances": "instances"},
    "instances": {"*": "instance"},
    "instance": _CANCEL,
    "places": {**_ROOMS, **dict.fromkeys(_ROOM_LISTS, "roomLists"), "*": "place"},
    "place": dict.fromkeys(_ROOM_LISTS, "roomList"),
    "roomList": {"rooms": "rooms"},
}
#: The field for the id that follows a resource.
_ID_FIELDS = {
    "users": "owner_id",
    "groups": "owner_id",
    "calendarGroups": "calendar_group",
    "calendars": "calendar",
    "events": "event_id",
    "instances": "event_id",
    "places": "place",
}
#: The field that is :data:`DEFAULT` if a resource was named without an id.
_DEFAULT_FIELDS = {"calendar": "calendar", "calendarGroup": "calendar_group"}
#: Resources that go by another name in :class:`Address`, and those that nothing answers.
_RESOURCES = {"group": "mailbox", "instance": "event"}
_INCOMPLETE = ("places", "place", "roomList")


def split_path(raw_path: str) -> tuple[str, ...]:
    """Return the segments of a path, each decoded exactly once; one trailing slash is ignored.

    :raises GraphError: 400 for an empty segment, or one that is not UTF-8.
    """
    parts = raw_path.split("/")[1:]
    if parts and not parts[-1]:
        parts.pop()
    if not all(parts):
        raise bad_request("Resource not found for the segment ''.")
    try:
        return tuple(unquote_to_bytes(part).decode() if "%" in part else part for part in parts)
    except UnicodeDecodeError as error:
        raise bad_request("The request URI is not valid.") from error


def parse_query(query: str) -> dict[str, str]:
    """Return the query options; of several with one name the last counts."""
    return dict(parse_qsl(query, keep_blank_values=True)) if query else {}


def parse(segments: tuple[str, ...]) -> Address:
    """Read a path.

    :raises GraphError: 400 naming the first unknown segment.
    """
    address, resource = Address("service"), "service"
    for segment in segments:
        following, name = _NEXT.get(resource, {}), segment.lower()
        if name in following:
            resource = following[name]
            if resource in _DEFAULT_FIELDS:
                setattr(address, _DEFAULT_FIELDS[resource], DEFAULT)
        elif "*" in following:
            setattr(address, _ID_FIELDS[resource], segment)
            resource = following["*"]
        else:
            raise bad_request(f"Resource not found for the segment '{segment}'.")
    if resource in _INCOMPLETE:
        raise bad_request(f"Resource not found for the segment '{segments[-1]}'.")
    address.resource = _RESOURCES.get(resource, resource)
    first = segments[0].lower() if segments else ""
    if first == "me" or address.owner_id is not None:
        address.owner = first
    return address


@dataclass(slots=True)
class Call:
    """A request with its caller and its address.

    :param box: The mailbox of the path, once it is known.
    """

    state: SandboxState
    request: Request
    caller: Caller
    address: Address
    box: Mailbox | None = None

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox of the path.

        :raises GraphError: 400 if the path has no owner.
        """
        if self.box is None:
            raise bad_request("Resource not found.")
        return self.box

    @property
    def guesses(self) -> Guesses:
        """The guesses in force."""
        return self.state.settings.guesses

    def item(self) -> Item:
        """Return the item with the path's event id, in the calendar that the path names.

        :raises GraphError: 404 if it does not exist, 400 if the id cannot be an item's id.
        """
        mailbox, guesses = self.mailbox, self.state.settings.guesses
        named = self.calendar()
        wanted = self.address.event_id or ""
        found = mailbox.items.get(wanted)
        if found is None and wanted.startswith("OID.") and guesses.occurrence_addresses == "accepted":
            found = _by_occurrence_address(mailbox, wanted)
        elif found is None and wanted not in mailbox.retired:
            raise _not_found(wanted)
        if found is None:
            raise _item_not_found()
        if named and named.id != found.event.calendar_id and guesses.calendar_mismatch == "not_found":
            raise _item_not_found()
        return found

    def was_here(self) -> bool:
        """Tell whether the path's event was in the mailbox before, and is now cancelled or deleted."""
        return self.address.event_id in self.mailbox.retired

    def calendar(self) -> Calendar | None:
        """Return the calendar that the path names; None if it names none.

        :raises GraphError: 404 if the mailbox or the calendar group has no such calendar, or there is no such group.
        """
        wanted, mailbox, group = self.address.calendar, self.mailbox, self.calendar_group()
        if wanted is None:
            return None
        if wanted == DEFAULT and group is None:
            return mailbox.default_calendar
        found = mailbox.calendars.get(wanted)
        if found is None:
            raise _not_found(wanted)
        if group is not None and found.group_id != group:
            raise _item_not_found()
        return found

    def calendar_group(self) -> str | None:
        """Return the id of the calendar group that the path names; None if it names none.

        :raises GraphError: 404 if the mailbox has no such group.
        """
        wanted, mailbox = self.address.calendar_group, self.mailbox
        if wanted == DEFAULT:
            return mailbox.default_calendar.group_id
        if wanted is not None and wanted not in mailbox.calendar_groups:
            raise _not_found(wanted)
        return wanted


def _item_not_found() -> GraphError:
    """Refuse an id that is unknown, of another mailbox, or cancelled already: the service does not tell them apart."""
    return GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")


def _not_found(identifier: str) -> GraphError:
    if identifiers.is_well_formed(identifier):
        return _item_not_found()
    return GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.")


def _by_occurrence_address(mailbox: Mailbox, wanted: str) -> Item | None:
    master, _, text = wanted.removeprefix("OID.").rpartition(".")
    series = mailbox.items.get(master)
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        raise GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.") from None
    if series is None or series.date or date not in series.event.meeting.slots or date in series.event.removed_dates:
        return None
    return Item(series.event, date)
