"""From the event in a path to the item in the mailbox, by the rules of that path."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api.paths import DEFAULT, Address
from airflow_graph_cancel.sandbox.tenant import identifiers
from airflow_graph_cancel.sandbox.tenant.entities import Calendar, Item, Mailbox
from airflow_graph_cancel.sandbox.traffic import graph_errors

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.pipeline import Call


def item(call: Call) -> Item:
    """Return what the path's event id leads to, in the calendar that the path names.

    :raises GraphError: 404 if it is not there, 400 if the id cannot be one.
    """
    address, mailbox = call.address, call.mailbox
    guesses = call.world.settings.guesses
    named = calendar(address, mailbox)
    wanted = address.event_id or ""
    found = mailbox.items.get(wanted)
    if found is None and wanted.startswith("OID.") and guesses.occurrence_addresses == "accepted":
        found = _by_occurrence_address(mailbox, wanted)
    elif found is None and wanted not in mailbox.retired and not identifiers.is_well_formed(wanted):
        raise graph_errors.malformed_id()
    if found is None:
        raise graph_errors.item_not_found()
    if named and named.id != found.event.calendar_id and guesses.calendar_mismatch == "not_found":
        raise graph_errors.item_not_found()
    return found


def was_here(call: Call) -> bool:
    """Tell whether the path's event was in the mailbox once and is cancelled or deleted now."""
    return call.address.event_id in call.mailbox.retired


def calendar(address: Address, mailbox: Mailbox) -> Calendar | None:
    """Return the calendar that the path names; None if it names none.

    :raises GraphError: 404 if the mailbox has no such calendar or calendar group, or it is not in that group.
    """
    group = calendar_group(address, mailbox)
    if address.calendar is None:
        return None
    if address.calendar == DEFAULT and group is None:
        return mailbox.default_calendar
    found = mailbox.calendars.get(address.calendar)
    if found is None:
        raise (
            graph_errors.item_not_found()
            if identifiers.is_well_formed(address.calendar)
            else graph_errors.malformed_id()
        )
    if group is not None and found.group_id != group:
        raise graph_errors.item_not_found()
    return found


def calendar_group(address: Address, mailbox: Mailbox) -> str | None:
    """Return the id of the calendar group that the path names; None if it names none.

    :raises GraphError: 404 if the mailbox has no such group.
    """
    if address.calendar_group is None:
        return None
    if address.calendar_group == DEFAULT:
        return mailbox.default_calendar.group_id
    if address.calendar_group in mailbox.calendar_groups:
        return address.calendar_group
    well_formed = identifiers.is_well_formed(address.calendar_group)
    raise graph_errors.item_not_found() if well_formed else graph_errors.malformed_id()


def _by_occurrence_address(mailbox: Mailbox, wanted: str) -> Item | None:
    master, _, text = wanted.removeprefix("OID.").rpartition(".")
    series = mailbox.items.get(master)
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        raise graph_errors.malformed_id() from None
    if series is None or series.date or date not in series.event.meeting.slots or date in series.event.removed_dates:
        return None
    return Item(series.event, date)
