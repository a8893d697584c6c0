"""What happens to all copies when a meeting, or one date of it, is cancelled, removed, shortened or moved."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.tenant.entities import Event, Item
from airflow_graph_cancel.sandbox.tenant.identifiers import item_id

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.tenant.outbox import Outbox
    from airflow_graph_cancel.sandbox.tenant.recurrence import Recurrence
    from airflow_graph_cancel.sandbox.tenant.store import Store


def is_alive(item: Item) -> bool:
    """Tell whether the item is still in its mailbox's calendar under this id."""
    event, date = item
    return event.id in event.mailbox.events and date not in event.removed_dates


def cancel(store: Store, outbox: Outbox, item: Item, comment: str | None) -> bool:
    """Cancel as the organizer: send one message, remove the organizer's copy, mark all other copies as cancelled.

    A series master cancels all its dates, past dates too. Each exception that has not begun yet gets its own message,
    as in the service.

    :return: False if there was nothing left to cancel.
    """
    if not is_alive(item) or item.is_cancelled:
        return False
    event, date = item
    meeting = event.meeting
    meeting.mark_modified(date)
    outbox.post("cancellation", item, comment)
    if date is None:
        now = datetime.datetime.now(datetime.UTC)
        for other in meeting.dates():
            slot = meeting.slots[other]
            if slot.is_exception and slot.start > now and other not in event.removed_dates:
                outbox.post("cancellation", Item(event, other), comment)
    for copy in meeting.copies:
        mailbox, part = copy.mailbox, copy.part(date)
        if part is None or not is_alive(part) or part.is_cancelled:
            continue
        is_series = part.date is None and meeting.recurrence
        mailbox.cancelled += len(copy.dates()) - len(copy.removed_dates) if is_series else 1
        if copy is event or mailbox.remove_cancelled_meetings:
            remove(store, part)
        if part.date is None:
            copy.is_cancelled = True
        else:
            copy.cancelled_dates.add(part.date)
        store.touch(mailbox)
    return True


def remove(store: Store, item: Item) -> None:
    """Remove an event, a series or one date from its mailbox; a whole event moves to Deleted Items under a new id."""
    event, date = item
    mailbox = event.mailbox
    gone = [item] if date is not None else event.items()
    for each in gone:
        mailbox.agenda.discard(each)
        for known in (each.id, each.immutable_id):
            if mailbox.items.pop(known, None):
                mailbox.retired[known] = each
    if date != event.only and date is not None:
        event.removed_dates.add(date)
    else:
        del mailbox.events[event.id]
        mailbox.by_uid.pop(event.uid, None)
        event.id = item_id(mailbox.id, mailbox.next_number())
        mailbox.deleted_items[event.immutable_id] = event
    store.touch(mailbox)


def shorten(store: Store, outbox: Outbox, event: Event, recurrence: Recurrence) -> None:
    """End a series earlier: remove the dates after the new end from every copy, and send an update.

    :raises ValueError: if the new rule has dates that the series does not have.
    """
    meeting = event.meeting
    kept = set(recurrence.dates())
    if not kept <= set(meeting.dates()):
        raise ValueError("the sandbox can only shorten a series, not extend or rearrange it")
    for copy in meeting.copies:
        for date in copy.dates():
            if date not in kept and is_alive(Item(copy, date)):
                remove(store, Item(copy, date))
    for date in meeting.dates():
        if date not in kept:
            del meeting.slots[date]
    meeting.recurrence = recurrence
    meeting.mark_modified(None)
    outbox.post("update", Item(event, None), None)


def change(
    store: Store,
    outbox: Outbox,
    item: Item,
    *,
    subject: str | None,
    start: datetime.datetime | None,
    end: datetime.datetime | None,
) -> None:
    """Move or rename a single event, or one date of a series, which becomes an exception."""
    meeting = item.event.meeting
    slot = item.slot
    parts = [copy.part(item.date) for copy in meeting.copies]
    holders = [part for part in parts if part and is_alive(part)]
    entered = [held for held in holders if held.event.mailbox.agenda.discard(held)]
    meeting.mark_modified(item.date)
    length = slot.end - slot.start
    slot.start = start or slot.start
    slot.end = end or slot.start + length
    slot.is_exception = item.date is not None
    if item.date is None:
        meeting.subject = subject or meeting.subject
    else:
        slot.subject = subject or slot.subject
    for held in entered:
        held.event.mailbox.agenda.add(held)
    for held in holders:
        store.touch(held.event.mailbox)
    outbox.post("update", item, None)
