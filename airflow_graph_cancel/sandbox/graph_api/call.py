"""A request that was understood: caller, address, mailbox, and the item or calendar that the path names."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api.paths import DEFAULT
from airflow_graph_cancel.sandbox.tenant import identifiers
from airflow_graph_cancel.sandbox.tenant.entities import Calendar, Item, Mailbox
from airflow_graph_cancel.sandbox.traffic import graph_errors

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Guesses
    from airflow_graph_cancel.sandbox.graph_api.paths import Address
    from airflow_graph_cancel.sandbox.state import SandboxState
    from airflow_graph_cancel.sandbox.traffic.messages import Caller, GraphError, Request


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
            raise graph_errors.bad_request("Resource not found.")
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
            raise graph_errors.item_not_found()
        if named and named.id != found.event.calendar_id and guesses.calendar_mismatch == "not_found":
            raise graph_errors.item_not_found()
        return found

    def was_here(self) -> bool:
        """Tell whether the path's event was in the mailbox before, and is now cancelled or deleted."""
        return self.address.event_id in self.mailbox.retired

    def calendar(self) -> Calendar | None:
        """Return the calendar that the path names; None if it names none.

        :raises GraphError: 404 if the mailbox has no such calendar or calendar group, or the group has not.
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
            raise graph_errors.item_not_found()
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


def _not_found(identifier: str) -> GraphError:
    well_formed = identifiers.is_well_formed(identifier)
    return graph_errors.item_not_found() if well_formed else graph_errors.malformed_id()


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
