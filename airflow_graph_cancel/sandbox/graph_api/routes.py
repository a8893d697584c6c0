"""Which action answers which resource and method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import cancelling, directory, event_reads, event_writes, viewing

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.pipeline import Action

ACTIONS: dict[tuple[str, str], Action] = {
    ("cancel", "POST"): cancelling.cancel,
    ("event", "GET"): event_reads.event,
    ("event", "PATCH"): event_writes.change,
    ("event", "DELETE"): event_writes.delete,
    ("events", "GET"): viewing.events,
    ("events", "POST"): event_writes.create,
    ("calendarView", "GET"): viewing.calendar_view,
    ("instances", "GET"): viewing.instances,
    ("calendar", "GET"): directory.calendar,
    ("calendars", "GET"): directory.calendars,
    ("calendarGroup", "GET"): directory.calendar_group,
    ("calendarGroups", "GET"): directory.calendar_groups,
    ("mailbox", "GET"): directory.mailbox,
    ("users", "GET"): directory.users,
    ("groups", "GET"): directory.groups,
    ("rooms", "GET"): directory.rooms,
    ("roomLists", "GET"): directory.room_lists,
    ("service", "GET"): directory.service,
}
