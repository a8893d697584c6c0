"""The tenant's mailboxes by address and id, and the distribution of meetings into them."""

from __future__ import annotations

import datetime
import random
import uuid
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.behaviour import Settings
from airflow_graph_cancel.sandbox.tenant import identifiers
from airflow_graph_cancel.sandbox.tenant.entities import Attendee, Calendar, Event, Json, Mailbox, Meeting, Revision

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

KINDS = ("user", "room", "group", "room_list")


class Store:
    """Mailboxes by address and by id."""

    def __init__(self, seed: int = 0, revision: Revision | None = None, settings: Settings | None = None) -> None:
        self._revision = revision or Revision()
        self._settings = settings or Settings()
        self.mailboxes: dict[str, Mailbox] = {}
        self._by_key: dict[str, Mailbox] = {}
        self._random = random.Random(seed)

    def mailbox(self, key: str) -> Mailbox | None:
        """Return the mailbox with this address, alias or GUID; addresses are not case-sensitive."""
        return self._by_key.get(key.lower())

    def require(self, key: str) -> Mailbox:
        """Return the mailbox with this address, alias or GUID.

        :raises ValueError: if there is none.
        """
        found = self.mailbox(key)
        if found is None:
            raise ValueError(f"there is no mailbox {key!r}")
        return found

    def of_kind(self, kind: str) -> list[Mailbox]:
        """Return all mailboxes of a kind, in the order of creation."""
        return [mailbox for mailbox in self.mailboxes.values() if mailbox.kind == kind]

    def touch(self, mailbox: Mailbox) -> None:
        """Count a change in this mailbox."""
        mailbox.version = self._revision.bump()

    def add_mailbox(
        self,
        address: str,
        *,
        display_name: str | None = None,
        kind: str = "user",
        members: Sequence[str] = (),
        building: str | None = None,
        floor: int | None = None,
        capacity: int | None = None,
        cloud: bool = True,
        remove_canceled_meetings: bool = False,
        calendars: Sequence[Mapping[str, str]] = (),
        aliases: Sequence[str] = (),
    ) -> Json:
        """Add a person, a room, a group or a room list. Nobody can read the calendar of a room list.

        :param members: Addresses of a group's members, or of a room list's rooms.
        :param cloud: False for a mailbox that is known but not reachable (on-premises, unlicensed, departed).
        :param remove_canceled_meetings: A room that deletes cancelled meetings from its calendar; not the service's
            default either.
        :param calendars: Further calendars, ``{"name", "group"}``; a group that does not exist is created.
        :param aliases: Further addresses of the mailbox.
        :return: ``{"id", "address", "default_calendar_id", "calendars": [{"id", "name", "group_id"}]}``
        :raises ValueError: if an address is taken or the kind is unknown.
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        for each in (address, *aliases):
            if not each or self.mailbox(each):
                raise ValueError(f"the address {each!r} is empty or taken")
        mailbox = Mailbox(
            self._guid(), address, display_name or address.partition("@")[0], kind, tuple(members), building, floor,
            capacity, cloud, remove_canceled_meetings, tuple(aliases),
        )  # fmt: skip
        groups: dict[str, str] = {}
        for number, wanted in enumerate([{"name": "Calendar"}, *calendars]):
            group = wanted.get("group") or "My Calendars"
            if group not in groups:
                groups[group] = identifiers.item_id(mailbox.id, mailbox.next_number())
            calendar_id = identifiers.item_id(mailbox.id, mailbox.next_number())
            mailbox.calendars[calendar_id] = Calendar(calendar_id, wanted["name"], groups[group], number == 0)
        mailbox.calendar_groups = {group_id: name for name, group_id in groups.items()}
        self.mailboxes[address.lower()] = mailbox
        self._by_key |= dict.fromkeys((address.lower(), mailbox.id, *map(str.lower, aliases)), mailbox)
        self.touch(mailbox)
        return {
            "id": mailbox.id,
            "address": mailbox.address,
            "default_calendar_id": mailbox.default_calendar.id,
            "calendars": [
                {"id": each.id, "name": each.name, "group_id": each.group_id} for each in mailbox.calendars.values()
            ],
        }

    def new_uid(self) -> str:
        """Return an ``iCalUId`` for a meeting that is created now."""
        return identifiers.global_object_id(datetime.datetime.now(datetime.UTC), self._random.randbytes(16))

    def distribute(
        self,
        meeting: Meeting,
        calendar: str | None = None,
        *,
        ids: Mapping[str, str] | None = None,
        occurrence_ids: Mapping[datetime.date, str] | None = None,
        without: Collection[Mailbox] = (),
    ) -> None:
        """Put a copy of the meeting into the mailboxes of organizer, attendees and rooms.

        Attendees of a single date of a series get that date only.

        :param without: Mailboxes that take part without a copy.
        """
        for invited in (meeting.organizer, *meeting.attendees):
            mailbox = self.mailbox(invited.address)
            if mailbox is None or mailbox in without or any(copy.mailbox is mailbox for copy in meeting.copies):
                continue
            is_organizer = invited is meeting.organizer
            target = mailbox.default_calendar
            if calendar and is_organizer:
                found = mailbox.find_calendar(calendar)
                if found is None:
                    raise ValueError(f"{mailbox.address} has no calendar {calendar!r}")
                target = found
            given = (ids or {}).get(mailbox.address.lower())
            given_dates = {date: each for date, each in (occurrence_ids or {}).items() if date in meeting.slots}
            self.add_copy(meeting, mailbox, target, is_organizer, given, given_dates if is_organizer else {})
        whole = {copy.mailbox.id for copy in meeting.copies}
        for date, slot in meeting.slots.items():
            for mailbox in filter(None, (self.mailbox(each.address) for each in slot.invited)):
                if date and mailbox.id not in whole and mailbox not in without:
                    self.add_copy(meeting, mailbox, only=date)

    def add_copy(
        self,
        meeting: Meeting,
        mailbox: Mailbox,
        calendar: Calendar | None = None,
        is_organizer: bool = False,
        given_id: str | None = None,
        given_ids: Mapping[datetime.date, str] | None = None,
        only: datetime.date | None = None,
    ) -> None:
        """Put a copy of the meeting into a mailbox.

        :param calendar: The mailbox's default calendar if not given.
        :param given_id: Id of the copy; a new one if not given. ``given_ids`` are the ids of single dates.
        :param only: The only date that the mailbox gets.
        """
        number = mailbox.next_number()
        dated = self._settings.guesses.orphan_uid == "dated"
        event = Event(
            given_id or identifiers.item_id(mailbox.id, number),
            identifiers.immutable_id(mailbox.id, number),
            identifiers.instance_uid(meeting.uid, only) if only and dated else meeting.uid,
            meeting, mailbox, (calendar or mailbox.default_calendar).id, is_organizer, only,
            given_ids=dict(given_ids or {}),
        )  # fmt: skip
        meeting.copies.append(event)
        mailbox.events[event.id] = event
        mailbox.by_uid[event.uid] = event
        for item in event.items():
            if item.id in mailbox.items:
                raise ValueError(f"the id {item.id} is taken in {mailbox.address}")
            mailbox.items[item.id] = mailbox.items[item.immutable_id] = item
            if item.date is not None or not meeting.recurrence:
                mailbox.agenda.add(item)
        self.touch(mailbox)

    def invited(self, address: str, kind: str | None = None) -> Attendee:
        """Return an attendee; a mailbox of the tenant is named by its own address and display name.

        :param kind: ``required``, ``optional`` or ``resource``; if not given, a room is a resource.
        """
        mailbox = self.mailbox(address)
        if mailbox is None:
            return Attendee(address, address.partition("@")[0], kind or "required")
        usual = "resource" if mailbox.kind == "room" else "required"
        return Attendee(mailbox.address, mailbox.display_name, kind or usual)

    def _guid(self) -> str:
        return str(uuid.UUID(bytes=self._random.randbytes(16), version=4))
