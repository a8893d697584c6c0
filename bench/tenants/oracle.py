"""What the sandbox itself would plan: a reader of its control API that sees every copy, to hold truth against."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from bench.tenants.filling import SECOND_CALENDAR

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox
    from bench.tenants.description import Closure, Tenant

Copy = dict[str, Any]
_GLOBAL_OBJECT_ID = "040000008200E00074C5B7101A82E008"


def reachable(sandbox: Sandbox, tenant: Tenant, closure: Closure) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return the organizers' copies that the closure concerns, and the copies of which no such one is to be had.

    :return: (mailbox, id) of organizers' copies; (iCalUId without its date, start) of rooms' copies.
    """
    copies = sandbox.meetings()
    organizers: dict[tuple[str, str], list[Copy]] = {}
    for copy in copies:
        if copy["is_organizer"]:
            organizers.setdefault(_key(copy), []).append(copy)
    rooms = closure.closed(tenant.rooms, tenant.room_lists)
    wanted = {address.lower() for address in closure.organizers or ()}
    calendars = ("Calendar", SECOND_CALENDAR) if tenant.guesses["unnamed_calendar"] == "all" else ("Calendar",)
    found, lost = set(), set()
    for copy in copies:
        if not _overlaps(copy, closure):
            continue
        if copy["mailbox"] in rooms and not copy["is_cancelled"]:
            own = organizers.get(_key(copy), [])
            found |= {(each["mailbox"], each["id"]) for each in own}
            lost |= set() if own else {_key(copy)}
        if copy["mailbox"].lower() in wanted and copy["is_organizer"] and copy["calendar"] in calendars:
            found.add((copy["mailbox"], copy["id"]))
    return found, lost


def _key(copy: Copy) -> tuple[str, str]:
    uid = copy["iCalUId"]
    return uid[:32] + uid[40:] if uid.startswith(_GLOBAL_OBJECT_ID) else uid, copy["start"]


def _overlaps(copy: Copy, closure: Closure) -> bool:
    low, high = closure.window()
    start, end = (datetime.datetime.fromisoformat(copy[name]) for name in ("start", "end"))
    if copy["is_all_day"]:
        zone = ZoneInfo(copy["time_zone"])
        start, end = (each.astimezone(zone).replace(tzinfo=low.tzinfo) for each in (start, end))
    start, end, low, high = (each.astimezone(datetime.UTC) for each in (start, end, low, high))
    return start < high and (end > low or start >= low)
