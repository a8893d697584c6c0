"""Meetings as the control API makes them: laid out, put into mailboxes, and brought into the state that is wanted."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.tenant import effects, planning
from airflow_graph_cancel.sandbox.tenant.entities import Attendee, Event, Item, Json, Mailbox, Meeting
from airflow_graph_cancel.sandbox.tenant.outbox import Outbox
from airflow_graph_cancel.sandbox.tenant.recurrence import from_rule

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.store import Store

Invitation = str | Mapping[str, str]


def create_event(
    store: Store,
    *,
    organizer: str,
    subject: str,
    start: str | datetime.datetime,
    end: str | datetime.datetime,
    attendees: Sequence[Invitation] = (),
    rooms: Sequence[str] = (),
    body: str = "",
    recurrence: Mapping[str, object] | None = None,
    exceptions: Mapping[str, Mapping[str, object]] | None = None,
    is_all_day: bool = False,
    is_private: bool = False,
    foreign_uid: str | None = None,
    calendar: str | None = None,
    time_zone: str | None = None,
    organizer_elsewhere: str | None = None,
    ids: Mapping[str, str] | None = None,
    occurrence_ids: Mapping[datetime.date, str] | Mapping[str, str] | None = None,
    cancelled: bool | Sequence[str] = False,
    cancelled_in: Sequence[str] = (),
    no_copy_in: Sequence[str] = (),
) -> Json:
    """Create a meeting and its copies in every mailbox of the tenant that takes part.

    An organizer or attendee without a mailbox here is somebody outside, and has no copy.

    :param start: ISO 8601 with an offset, or an aware datetime; the date in that offset is an occurrence's date.
    :param attendees: Addresses, or ``{"address", "type", "name"}`` with ``type`` ``required``, ``optional`` or
        ``resource``.
    :param recurrence: ``{"type": "daily"|"weekly", "interval", "days_of_week", "count"}``
    :param exceptions: What is different on single dates of a series, by original date:
        ``{"2035-01-15": {"start", "end", "subject", "attendees", "rooms"}}``, the last two for those who are invited to
        that date alone.
    :param is_all_day: From midnight to midnight in the zone of ``start``; every reader sees midnights of the own zone.
    :param foreign_uid: An ``iCalUId`` that was made by another calendar system.
    :param calendar: Id or name of the organizer's calendar; the default one if not given.
    :param time_zone: IANA name of the zone in which a series keeps its local time; the start's offset if not given.
    :param organizer_elsewhere: How the copies of attendees and rooms spell the organizer's address: in another case, by
        an alias, or as Exchange's own ``/o=ExchangeLabs/...``.
    :param ids: Ids for the copies in these mailboxes, ``{address: id}``, for feeds that must be known beforehand.
    :param occurrence_ids: Likewise for single dates of the organizer's copy of a series.
    :param cancelled: The organizer cancelled the meeting, or these dates of it, long ago: no message is sent now.
    :param cancelled_in: Only these mailboxes' copies say that it is cancelled. Whoever is not invited was once, and has
        such a copy too.
    :param no_copy_in: These mailboxes take part and have no copy: a room that declined, an organizer who deleted it.
    :return: ``{"iCalUId", "copies": {address: id}, "occurrences": {address: [{"id", "start", "end", "iCalUId"}]}}``
    :raises ValueError: if a time has no offset, the end is before the start, or a calendar, a date or a mailbox that is
        named is not there, among them the organizer's if it is to have been cancelled.
    """
    begins, ends = planning.moment(start, time_zone), planning.moment(end, time_zone)
    meeting = planning.plan(
        organizer=store.invited(organizer),
        subject=subject,
        start=begins,
        end=ends,
        attendees=_everybody(store, attendees, rooms),
        body=body,
        recurrence=from_rule(recurrence, begins.date()) if recurrence else None,
        is_private=is_private,
        uid=foreign_uid or store.new_uid(),
        is_all_day=is_all_day,
        organizer_elsewhere=organizer_elsewhere,
    )
    for date, change in (exceptions or {}).items():
        _except(store, meeting, date, dict(change))
    dates = [] if isinstance(cancelled, bool) else [_date_of(meeting, date) for date in cancelled]
    flagged, without = _mailboxes(store, cancelled_in), _mailboxes(store, no_copy_in)
    if cancelled:
        _mailboxes(store, [organizer])
    store.distribute(
        meeting,
        calendar,
        ids={address.lower(): given for address, given in (ids or {}).items()},
        occurrence_ids={planning.date_of(date): given for date, given in (occurrence_ids or {}).items()},
        without=without,
    )
    for mailbox in flagged:
        if not any(copy.mailbox is mailbox for copy in meeting.copies):
            store.file(meeting, mailbox)
    # The organizer's copy may leave under another id, so that the answer is drawn up before.
    made = _made(meeting)
    for copy in [copy for copy in meeting.copies if copy.is_organizer]:
        for each in [None] if cancelled is True else dates:
            effects.cancel(store, Outbox(), Item(copy, each), None)
    for copy in meeting.copies:
        copy.is_cancelled = copy.is_cancelled or copy.mailbox in flagged
    return made


def _everybody(store: Store, attendees: Sequence[Invitation], rooms: Sequence[str]) -> list[Attendee]:
    people = [_invited(store, each) for each in attendees]
    return [*people, *(store.invited(each, "resource") for each in rooms)]


def _invited(store: Store, invitation: Invitation) -> Attendee:
    if isinstance(invitation, str):
        return store.invited(invitation)
    unknown = set(invitation) - {"address", "type", "name"}
    if unknown or "address" not in invitation:
        raise ValueError("an attendee is an address, or an object with address, type and name")
    found = store.invited(invitation["address"], invitation.get("type"))
    return Attendee(found.address, invitation.get("name", found.name), found.kind)


def _except(store: Store, meeting: Meeting, date: str, change: dict[str, object]) -> None:
    """Make one date of a series different from the others."""
    slot = meeting.slots[_date_of(meeting, date)]
    start, end = change.pop("start", None), change.pop("end", None)
    subject = change.pop("subject", None)
    attendees, rooms = change.pop("attendees", ()), change.pop("rooms", ())
    if change:
        raise ValueError(f"an exception has unknown keys: {', '.join(sorted(change))}")
    if not isinstance(attendees, Sequence) or not isinstance(rooms, Sequence):
        raise ValueError("an exception's attendees and rooms must be lists")
    length = slot.end - slot.start
    slot.start = planning.moment(str(start), None).astimezone(datetime.UTC) if start else slot.start
    slot.end = planning.moment(str(end), None).astimezone(datetime.UTC) if end else slot.start + length
    if slot.end < slot.start:
        raise ValueError(f"the exception of {date} ends before it starts")
    slot.subject = None if subject is None else str(subject)
    slot.invited = tuple(_everybody(store, attendees, rooms))
    slot.is_exception = True


def _date_of(meeting: Meeting, text: str) -> datetime.date:
    date = planning.date_of(text)
    if date not in meeting.slots:
        raise ValueError(f"the series has no date {text}")
    return date


def _mailboxes(store: Store, addresses: Sequence[str]) -> list[Mailbox]:
    found: list[Mailbox] = []
    for address in addresses:
        mailbox = store.mailbox(address)
        if mailbox is None:
            raise ValueError(f"there is no mailbox {address!r}")
        found.append(mailbox)
    return found


def _made(meeting: Meeting) -> Json:
    occurrences: dict[str, list[Json]] = {}
    for copy in meeting.copies if meeting.recurrence else ():
        occurrences.setdefault(copy.mailbox.address, []).extend(map(_occurrence, _dates(copy)))
    return {
        "iCalUId": meeting.uid,
        "copies": {copy.mailbox.address: copy.id for copy in meeting.copies},
        "occurrences": occurrences,
    }


def _dates(copy: Event) -> list[Item]:
    return [Item(copy, date) for date in copy.dates()]


def _occurrence(item: Item) -> Json:
    slot = item.slot
    return {"id": item.id, "start": slot.start.isoformat(), "end": slot.end.isoformat(), "iCalUId": item.uid}
