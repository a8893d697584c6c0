"""What the control API and the front page show of the tenant."""

from __future__ import annotations

import datetime
import functools
import importlib.resources
import json
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_graph_cancel.sandbox.graph_api import serialize

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.state import SandboxState
    from airflow_graph_cancel.sandbox.tenant.entities import Item, Json, Mailbox
    from airflow_graph_cancel.sandbox.tenant.store import Store

#: The page shows at most this many messages; the ledger has all of them.
MESSAGES = 500


class TenantView:
    """Serializes the tenant for the front page; a mailbox is serialized again only if it changed."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        # After a reset the old mailboxes and their documents are garbage-collected.
        self._documents: WeakKeyDictionary[Mailbox, tuple[int, str]] = WeakKeyDictionary()

    def body(self, since: int | None) -> bytes:
        """Return the document, if possible only what changed.

        :param since: The reader's version. A ``partial`` document leaves out unchanged mailboxes and older
            messages.
        """
        state = self._state
        version = state.revision.number
        if since == version:
            return json.dumps({"version": version, "unchanged": True}).encode()
        partial = since is not None and since >= state.complete_since
        known = since if partial and since is not None else 0
        head = {
            "version": version,
            "partial": partial,
            "now": datetime.datetime.now(datetime.UTC).isoformat(),
            "messages": state.outbox.to_json(state.outbox.since(known)[-MESSAGES:]),
            "messages_total": len(state.outbox.messages),
            "requests": dict(state.ledger.statuses),
            "faults": state.faults.to_json(),
            "settings": state.settings.to_json(),
        }
        changed = [mailbox for mailbox in state.store.mailboxes.values() if mailbox.version > known]
        mailboxes = ",".join(map(self._document, changed))
        return f'{json.dumps(head)[:-1]}, "mailboxes": [{mailboxes}]}}'.encode()

    def _document(self, mailbox: Mailbox) -> str:
        known = self._documents.get(mailbox)
        if known and known[0] == mailbox.version:
            return known[1]
        document: Json = {
            "address": mailbox.address,
            "display_name": mailbox.display_name,
            "kind": mailbox.kind,
            "building": mailbox.building,
            "floor": mailbox.floor,
            "capacity": mailbox.capacity,
            "members": list(mailbox.members),
            "aliases": list(mailbox.aliases),
            "cloud": mailbox.cloud,
            "meetings": [_meeting(entry.item) for entry in mailbox.agenda.entries],
            "cancelled": mailbox.cancelled,
        }
        text = json.dumps(document)
        self._documents[mailbox] = mailbox.version, text
        return text


@functools.cache
def front_page() -> str:
    """Return the front page as self-contained HTML; it fetches ``/sandbox/state``."""
    return importlib.resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")


def meetings(store: Store, address: str | None) -> list[Json]:
    """Return every single event and every date of a series in all calendars, or in one mailbox, in full.

    :raises ValueError: if there is no such mailbox.
    """
    boxes = [store.require(address)] if address else store.mailboxes.values()
    return [{**_meeting(line.item), **_more(line.item)} for box in boxes for line in box.agenda.entries]


def _more(item: Item) -> Json:
    event, meeting = item.event, item.event.meeting
    return {
        "mailbox": event.mailbox.address,
        "calendar": event.mailbox.calendars[event.calendar_id].name,
        "original_date": item.date and item.date.isoformat(),
        "time_zone": str(meeting.time_zone),
        "is_private": meeting.is_private,
        "invited": [{"address": each.address, "type": each.kind} for each in meeting.invited(item.date)],
    }


def _meeting(item: Item) -> Json:
    meeting = item.event.meeting
    return {
        "id": item.id,
        "subject": serialize.subject(item),
        "start": item.slot.start.isoformat(),
        "end": item.slot.end.isoformat(),
        "organizer": meeting.organizer.address,
        "is_organizer": item.event.is_organizer,
        "is_cancelled": item.is_cancelled,
        "is_all_day": meeting.is_all_day,
        "type": serialize.kind(item),
        "series_master_id": None if item.date == item.event.only else item.event.id,
        "attendees": sum(each.kind != "resource" for each in meeting.invited(item.date)),
        "rooms": [each.address for each in meeting.invited(item.date) if each.kind == "resource"],
        "iCalUId": item.uid,
    }
