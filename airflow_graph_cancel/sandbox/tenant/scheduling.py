"""Create meetings: lay out their dates, put copies into mailboxes, and bring them into the wanted state."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.tenant import effects
from airflow_graph_cancel.sandbox.tenant.entities import Attendee, Item, Json, Mailbox, Meeting, Slot
from airflow_graph_cancel.sandbox.tenant.outbox import Outbox
from airflow_graph_cancel.sandbox.tenant.recurrence import Recurrence, from_rule

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.store import Store

Slots = dict[datetime.date | None, Slot]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeeting:
    """A meeting to create, with the properties that the control API accepts.

    An organizer or attendee without a mailbox in the tenant is external and has no copy.

    :param start: ISO 8601 with an offset, or an aware datetime. The date in that offset is an occurrence's date.
    :param attendees: Addresses, or ``{"address", "type", "name"}`` with ``type`` ``required``, ``optional`` or
        ``resource``.
    :param recurrence: ``{"type": "daily"|"weekly", "interval", "days_of_week", "count"}``
    :param exceptions: What differs on single dates of a series, by original date:
        ``{"2035-01-15": {"start", "end", "subject", "attendees", "rooms"}}``. ``attendees`` and ``rooms`` are invited
        to that date only.
    :param is_all_day: From midnight to midnight in the zone of ``start``; readers see midnights in their own zone.
    :param foreign_uid: An ``iCalUId`` that another calendar system created.
    :param calendar: Id or name of the organizer's calendar; the default calendar if not given.
    :param time_zone: IANA name of the zone in which a series keeps its local time; the start's offset if not given.
    :param organizer_elsewhere: The organizer's address as the copies of attendees and rooms spell it: in another case,
        an alias, or Exchange's own ``/o=ExchangeLabs/...``.
    :param ids: Ids for the copies in these mailboxes, ``{address: id}``, for feeds that must know them in advance.
    :param occurrence_ids: The same for single dates of the organizer's copy of a series.
    :param cancelled: The organizer cancelled the meeting, or these dates of it, in the past: no message is sent now.
    :param cancelled_in: Only the copies in these mailboxes are marked as cancelled. A mailbox that is not invited was
        invited before, and gets such a copy too.
    :param no_copy_in: These mailboxes take part without a copy: a room that declined, an organizer who deleted it.
    """

    organizer: str
    subject: str
    start: str | datetime.datetime
    end: str | datetime.datetime
    attendees: Sequence[str | Mapping[str, str]] = ()
    rooms: Sequence[str] = ()
    body: str = ""
    recurrence: Mapping[str, object] | None = None
    exceptions: Mapping[str, Mapping[str, object]] | None = None
    is_all_day: bool = False
    is_private: bool = False
    foreign_uid: str | None = None
    calendar: str | None = None
    time_zone: str | None = None
    organizer_elsewhere: str | None = None
    ids: Mapping[str, str] | None = None
    occurrence_ids: Mapping[datetime.date, str] | Mapping[str, str] | None = None
    cancelled: bool | Sequence[str] = False
    cancelled_in: Sequence[str] = ()
    no_copy_in: Sequence[str] = ()


def create_event(store: Store, new: NewMeeting) -> Json:
    """Create a meeting and its copies in every mailbox of the tenant that takes part.

    :return: ``{"iCalUId", "copies": {address: id}, "occurrences": {address: [{"id", "start", "end", "iCalUId"}]}}``
    :raises ValueError: if a time has no offset, the end is before the start, or a calendar, date or mailbox does not
        exist, including the organizer's if the meeting was cancelled.
    """
    start, end = _moment(new.start, new.time_zone), _moment(new.end, new.time_zone)
    rule = from_rule(new.recurrence, start.date()) if new.recurrence else None
    meeting = Meeting(
        uid=new.foreign_uid or store.new_uid(),
        organizer=store.invited(new.organizer),
        subject=new.subject,
        body=new.body,
        attendees=_everybody(store, new.attendees, new.rooms),
        slots=lay_out(start, end, rule, is_all_day=new.is_all_day),
        time_zone=start.tzinfo or datetime.UTC,
        recurrence=rule,
        is_private=new.is_private,
        is_all_day=new.is_all_day,
        organizer_elsewhere=new.organizer_elsewhere,
    )
    for date, change in (new.exceptions or {}).items():
        _make_exception(store, meeting, date, dict(change))
    dates = [] if isinstance(new.cancelled, bool) else [_date_of(meeting, date) for date in new.cancelled]
    flagged, without = _mailboxes(store, new.cancelled_in), _mailboxes(store, new.no_copy_in)
    if new.cancelled:
        _mailboxes(store, [new.organizer])
    store.distribute(
        meeting,
        new.calendar,
        ids={address.lower(): given for address, given in (new.ids or {}).items()},
        occurrence_ids={_date(date): given for date, given in (new.occurrence_ids or {}).items()},
        without=without,
    )
    for mailbox in flagged:
        if not any(copy.mailbox is mailbox for copy in meeting.copies):
            store.add_copy(meeting, mailbox)
    # A cancel may give the organizer's copy another id, so the response is built first.
    created = _created(meeting)
    for copy in [copy for copy in meeting.copies if copy.is_organizer]:
        for each in [None] if new.cancelled is True else dates:
            effects.cancel(store, Outbox(), Item(copy, each), None)
    for copy in meeting.copies:
        copy.is_cancelled = copy.is_cancelled or copy.mailbox in flagged
    return created


def lay_out(
    start: datetime.datetime, end: datetime.datetime, rule: Recurrence | None = None, *, is_all_day: bool = False
) -> Slots:
    """Return the times of a meeting and, if it recurs, of all its dates, at the same local time in the start's zone.

    :raises ValueError: if it ends before it starts, has no dates, or lasts all day but does not start at midnight.
    """
    # Python compares times in one zone by their clocks, which may have been set back in between.
    if end.astimezone(datetime.UTC) < start.astimezone(datetime.UTC):
        raise ValueError("the meeting ends before it starts")
    if is_all_day and not (start < end and start.time() == end.time() == datetime.time()):
        raise ValueError("an all-day event must start at midnight and end at a later midnight")
    first = Slot(start.astimezone(datetime.UTC), end.astimezone(datetime.UTC))
    slots: Slots = {None: first}
    for date in rule.dates() if rule else ():
        begins = datetime.datetime.combine(date, start.timetz())
        # A meeting keeps its length when clocks change; an all-day event keeps its midnights.
        ends = begins + (end - start) if is_all_day else begins.astimezone(datetime.UTC) + (first.end - first.start)
        slots[date] = Slot(begins.astimezone(datetime.UTC), ends.astimezone(datetime.UTC))
    if rule and len(slots) == 1:
        raise ValueError("the recurrence has no dates")
    return slots


def _moment(value: str | datetime.datetime, time_zone: str | None) -> datetime.datetime:
    found = datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
    if found.tzinfo is None:
        raise ValueError(f"{value!s} has no UTC offset, such as Z or +02:00")
    return found.astimezone(zoneinfo.ZoneInfo(time_zone)) if time_zone else found


def _date(value: str | datetime.date) -> datetime.date:
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


def _date_of(meeting: Meeting, text: str) -> datetime.date:
    date = _date(text)
    if date not in meeting.slots:
        raise ValueError(f"the series has no date {text}")
    return date


def _everybody(store: Store, attendees: Sequence[str | Mapping[str, str]], rooms: Sequence[str]) -> list[Attendee]:
    people = [_invited(store, each) for each in attendees]
    return [*people, *(store.invited(each, "resource") for each in rooms)]


def _invited(store: Store, invitation: str | Mapping[str, str]) -> Attendee:
    if isinstance(invitation, str):
        return store.invited(invitation)
    unknown = set(invitation) - {"address", "type", "name"}
    if unknown or "address" not in invitation:
        raise ValueError("an attendee must be an address, or an object with address, type and name")
    found = store.invited(invitation["address"], invitation.get("type"))
    return Attendee(found.address, invitation.get("name", found.name), found.kind)


def _make_exception(store: Store, meeting: Meeting, date: str, change: dict[str, object]) -> None:
    slot = meeting.slots[_date_of(meeting, date)]
    start, end = change.pop("start", None), change.pop("end", None)
    subject = change.pop("subject", None)
    attendees, rooms = change.pop("attendees", ()), change.pop("rooms", ())
    if change:
        raise ValueError(f"unknown keys in an exception: {', '.join(sorted(change))}")
    if not isinstance(attendees, Sequence) or not isinstance(rooms, Sequence):
        raise ValueError("an exception's attendees and rooms must be lists")
    length = slot.end - slot.start
    slot.start = _moment(str(start), None).astimezone(datetime.UTC) if start else slot.start
    slot.end = _moment(str(end), None).astimezone(datetime.UTC) if end else slot.start + length
    if slot.end < slot.start:
        raise ValueError(f"the exception of {date} ends before it starts")
    slot.subject = None if subject is None else str(subject)
    slot.invited = tuple(_everybody(store, attendees, rooms))
    slot.is_exception = True


def _mailboxes(store: Store, addresses: Sequence[str]) -> list[Mailbox]:
    return [store.require(address) for address in addresses]


def _created(meeting: Meeting) -> Json:
    occurrences: dict[str, list[Json]] = {}
    for copy in meeting.copies if meeting.recurrence else ():
        items = [Item(copy, date) for date in copy.dates()]
        occurrences.setdefault(copy.mailbox.address, []).extend(map(_occurrence, items))
    return {
        "iCalUId": meeting.uid,
        "copies": {copy.mailbox.address: copy.id for copy in meeting.copies},
        "occurrences": occurrences,
    }


def _occurrence(item: Item) -> Json:
    slot = item.slot
    return {"id": item.id, "start": slot.start.isoformat(), "end": slot.end.isoformat(), "iCalUId": item.uid}
