"""What the front page shows, in one document that costs little when little has changed."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from airflow_graph_cancel.sandbox.graph_api import serialize

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.state import World
    from airflow_graph_cancel.sandbox.tenant.entities import Item, Json, Mailbox
    from airflow_graph_cancel.sandbox.tenant.store import Store

#: The page shows no more than this many messages; the ledger has them all.
MESSAGES = 500


class StateView:
    """Renders the tenant; a mailbox is rendered anew only if it changed."""

    def __init__(self, world: World) -> None:
        self._world = world
        # Mailboxes of a tenant that was reset away take their drawings with them.
        self._drawn: WeakKeyDictionary[Mailbox, tuple[int, str]] = WeakKeyDictionary()

    def body(self, since: int | None) -> bytes:
        """Return the document; if possible only what is new, if nothing is new next to nothing.

        :param since: Version that the reader has. A ``partial`` answer leaves out unchanged mailboxes and older
            messages.
        """
        world = self._world
        version = world.revision.number
        if since == version:
            return json.dumps({"version": version, "unchanged": True}).encode()
        partial = since is not None and since >= world.anew_since
        known = since if partial and since is not None else 0
        head = {
            "version": version,
            "partial": partial,
            "now": datetime.datetime.now(datetime.UTC).isoformat(),
            "messages": world.outbox.to_json(world.outbox.since(known)[-MESSAGES:]),
            "messages_total": len(world.outbox.messages),
            "requests": dict(world.ledger.statuses),
            "faults": world.faults.to_json(),
            "settings": world.settings.to_json(),
        }
        changed = [mailbox for mailbox in world.store.mailboxes.values() if mailbox.version > known]
        mailboxes = ",".join(map(self._draw, changed))
        return f'{json.dumps(head)[:-1]}, "mailboxes": [{mailboxes}]}}'.encode()

    def _draw(self, mailbox: Mailbox) -> str:
        drawn = self._drawn.get(mailbox)
        if drawn and drawn[0] == mailbox.version:
            return drawn[1]
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
        self._drawn[mailbox] = mailbox.version, text
        return text


def meetings(store: Store, address: str | None) -> list[Json]:
    """Return every single event and every date of a series in all calendars, or in one mailbox's, in full.

    :raises ValueError: if there is no such mailbox.
    """
    found = store.mailbox(address) if address else None
    if address and found is None:
        raise ValueError(f"there is no mailbox {address!r}")
    boxes = [found] if found else store.mailboxes.values()
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
