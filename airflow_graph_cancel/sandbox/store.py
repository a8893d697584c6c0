"""The tenant's contents, and the two operations that fill it: a mailbox, and a meeting with all its copies."""

from __future__ import annotations

import datetime
import random
import uuid
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox import identifiers, planning
from airflow_graph_cancel.sandbox.model import (
    Attendee,
    Calendar,
    Event,
    Item,
    Json,
    Mailbox,
    Meeting,
    Revision,
)
from airflow_graph_cancel.sandbox.recurrence import from_rule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KINDS = ("user", "room", "group")


class Store:
    """Mailboxes by address and by id."""

    def __init__(self, seed: int = 0, revision: Revision | None = None) -> None:
        self._revision = revision or Revision()
        self.mailboxes: dict[str, Mailbox] = {}
        self._by_key: dict[str, Mailbox] = {}
        self._random = random.Random(seed)

    def mailbox(self, key: str) -> Mailbox | None:
        """Return the mailbox with this address or GUID; addresses are not case-sensitive."""
        return self._by_key.get(key.lower())

    def touch(self, mailbox: Mailbox) -> None:
        """Note that something in this mailbox changed."""
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
    ) -> Json:
        """Add a person, a room or a group.

        :param members: Addresses of a group's members.
        :param cloud: False for a mailbox that is known but not reachable (on-premises, unlicensed, departed).
        :param remove_canceled_meetings: A room that clears cancelled meetings from its calendar, which is not the
            default of the service either.
        :param calendars: Further calendars, ``{"name", "group"}``; a group that is not there yet is made.
        :return: ``{"id", "address", "default_calendar_id", "calendars": [{"id", "name", "group_id"}]}``
        :raises ValueError: if the address is taken or the kind unknown.
        """
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
        if not address or self.mailbox(address):
            raise ValueError(f"the address {address!r} is empty or taken")
        mailbox = Mailbox(
            self._guid(), address, display_name or address.partition("@")[0], kind, tuple(members), building, floor,
            capacity, cloud, remove_canceled_meetings,
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
        self._by_key[address.lower()] = self._by_key[mailbox.id] = mailbox
        self.touch(mailbox)
        return {
            "id": mailbox.id,
            "address": mailbox.address,
            "default_calendar_id": mailbox.default_calendar.id,
            "calendars": [
                {"id": each.id, "name": each.name, "group_id": each.group_id} for each in mailbox.calendars.values()
            ],
        }

    def create_event(
        self,
        *,
        organizer: str,
        subject: str,
        start: str | datetime.datetime,
        end: str | datetime.datetime,
        attendees: Sequence[str] = (),
        rooms: Sequence[str] = (),
        body: str = "",
        recurrence: Mapping[str, object] | None = None,
        is_private: bool = False,
        foreign_uid: str | None = None,
        calendar: str | None = None,
        time_zone: str | None = None,
        ids: Mapping[str, str] | None = None,
        occurrence_ids: Mapping[datetime.date, str] | Mapping[str, str] | None = None,
    ) -> Json:
        """Create a meeting and its copies in every mailbox of the tenant that takes part.

        An organizer or attendee without a mailbox here is somebody outside, and has no copy.

        :param start: ISO 8601 with an offset, or an aware datetime; the date in that offset is an occurrence's date.
        :param recurrence: ``{"type": "daily"|"weekly", "interval", "days_of_week", "count"}``
        :param foreign_uid: An ``iCalUId`` that was made by another calendar system.
        :param calendar: Id or name of the organizer's calendar; the default one if not given.
        :param time_zone: IANA name of the zone in which a series keeps its local time; the start's offset if not given.
        :param ids: Ids for the copies in these mailboxes, ``{address: id}``, for feeds that must be known beforehand.
        :param occurrence_ids: Likewise for single dates of the organizer's copy of a series.
        :return: ``{"iCalUId", "copies": {address: id}, "occurrences": {address: [{"id", "start", "end", "iCalUId"}]}}``
        :raises ValueError: if a time has no offset, the end is before the start, or the calendar is not there.
        """
        begins, ends = planning.moment(start, time_zone), planning.moment(end, time_zone)
        meeting = planning.plan(
            organizer=self._invited(organizer),
            subject=subject,
            start=begins,
            end=ends,
            attendees=[
                *(self._invited(each) for each in attendees),
                *(self._invited(each, "resource") for each in rooms),
            ],
            body=body,
            recurrence=from_rule(recurrence, begins.date()) if recurrence else None,
            is_private=is_private,
            uid=foreign_uid or self.new_uid(),
        )
        self.distribute(
            meeting,
            calendar,
            ids={address.lower(): given for address, given in (ids or {}).items()},
            occurrence_ids={planning.date_of(date): given for date, given in (occurrence_ids or {}).items()},
        )
        copies = {copy.mailbox.address: copy for copy in meeting.copies}
        return {
            "iCalUId": meeting.uid,
            "copies": {address: copy.id for address, copy in copies.items()},
            "occurrences": {
                address: [
                    {
                        "id": Item(copy, date).id,
                        "start": meeting.slots[date].start.isoformat(),
                        "end": meeting.slots[date].end.isoformat(),
                        "iCalUId": Item(copy, date).uid,
                    }
                    for date in meeting.dates()
                ]
                for address, copy in copies.items()
                if meeting.recurrence
            },
        }

    def new_uid(self) -> str:
        """Return an ``iCalUId`` for a meeting that is made now."""
        return identifiers.global_object_id(datetime.datetime.now(datetime.UTC), self._random.randbytes(16))

    def distribute(
        self,
        meeting: Meeting,
        calendar: str | None = None,
        *,
        ids: Mapping[str, str] | None = None,
        occurrence_ids: Mapping[datetime.date, str] | None = None,
    ) -> None:
        """Put a copy of the meeting into the organizer's, the attendees' and the rooms' mailboxes."""
        for invited in (meeting.organizer, *meeting.attendees):
            mailbox = self.mailbox(invited.address)
            if mailbox is None or any(copy.mailbox is mailbox for copy in meeting.copies):
                continue
            is_organizer = invited is meeting.organizer
            target = mailbox.default_calendar
            if calendar and is_organizer:
                found = mailbox.find_calendar(calendar)
                if found is None:
                    raise ValueError(f"{mailbox.address} has no calendar {calendar!r}")
                target = found
            number = mailbox.next_number()
            event = Event(
                (ids or {}).get(mailbox.address.lower()) or identifiers.item_id(mailbox.id, number),
                identifiers.immutable_id(mailbox.id, number),
                meeting, mailbox, target.id, is_organizer,
            )  # fmt: skip
            if is_organizer and occurrence_ids:
                event.given_ids = {date: given for date, given in occurrence_ids.items() if date in meeting.slots}
            self._file(event)

    def _file(self, event: Event) -> None:
        mailbox, meeting = event.mailbox, event.meeting
        meeting.copies.append(event)
        mailbox.events[event.id] = event
        mailbox.by_uid[meeting.uid] = event
        for date in meeting.slots:
            item = Item(event, date)
            if item.id in mailbox.items:
                raise ValueError(f"the id {item.id} is taken in {mailbox.address}")
            mailbox.items[item.id] = mailbox.items[item.immutable_id] = item
            if date is not None or not meeting.recurrence:
                mailbox.agenda.add(item)
        self.touch(mailbox)

    def _invited(self, address: str, kind: str | None = None) -> Attendee:
        mailbox = self.mailbox(address)
        if mailbox is None:
            return Attendee(address, address.partition("@")[0], kind or "required")
        return Attendee(
            mailbox.address,
            mailbox.display_name,
            kind or ("resource" if mailbox.kind == "room" else "required"),
        )

    def _guid(self) -> str:
        return str(uuid.UUID(bytes=self._random.randbytes(16), version=4))
