"""Putting a tenant into the sandbox, over its control API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.tenants.description import Change, Meeting, Reach, Tenant

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SECOND_CALENDAR = "Projects"


def fill(tenant: Tenant, sandbox: Sandbox) -> None:
    """Reset the sandbox, ledger included, and fill it with this tenant."""
    sandbox.reset()
    denied = [person.address for person in tenant.people if person.reach is Reach.DENIED]
    sandbox.settings(guesses=tenant.guesses, out_of_scope=denied)
    sandbox.add_mailboxes(_mailboxes(tenant))
    sandbox.create_events([_event(meeting) for meeting in tenant.meetings])


def _mailboxes(tenant: Tenant) -> list[dict[str, object]]:
    rooms: list[dict[str, object]] = [
        {
            "address": room.address,
            "display_name": room.name,
            "kind": "room",
            "building": room.building,
            "remove_canceled_meetings": room.tidy,
        }
        for room in tenant.rooms
    ]
    people: list[dict[str, object]] = [
        {
            "address": person.address,
            "display_name": person.name,
            "cloud": person.reach is not Reach.DEPARTED,
            "aliases": list(person.aliases),
            "calendars": [{"name": SECOND_CALENDAR}],
        }
        for person in tenant.people
    ]
    groups: list[dict[str, object]] = [{"address": address, "kind": "group"} for address in tenant.groups]
    lists: list[dict[str, object]] = [
        {"address": address, "kind": "room_list", "members": list(rooms)}
        for address, rooms in tenant.room_lists.items()
    ]
    return [*rooms, *people, *groups, *lists]


def _event(meeting: Meeting) -> dict[str, object]:
    cancelled = meeting.cancelled
    return {
        "organizer": meeting.organizer,
        "organizer_elsewhere": meeting.spelt,
        "subject": meeting.subject,
        "start": meeting.start.isoformat(),
        "end": meeting.end.isoformat(),
        "time_zone": getattr(meeting.start.tzinfo, "key", None),
        "is_all_day": meeting.is_all_day,
        "is_private": meeting.is_private,
        "attendees": [*meeting.people, *({"address": room, "type": "required"} for room in meeting.rooms_as_people)],
        "rooms": list(meeting.rooms),
        "recurrence": _recurrence(meeting),
        "exceptions": {change.date.isoformat(): _exception(change) for change in meeting.changes},
        "foreign_uid": meeting.foreign_uid,
        "calendar": SECOND_CALENDAR if meeting.second_calendar else None,
        "ids": {meeting.organizer: meeting.id_of()},
        "occurrence_ids": {date.isoformat(): meeting.id_of(date) for date in meeting.dates()},
        "cancelled": cancelled if isinstance(cancelled, bool) else [date.isoformat() for date in cancelled],
        "cancelled_in": list(meeting.flagged_in),
        "no_copy_in": list(meeting.missing_in),
    }


def _recurrence(meeting: Meeting) -> dict[str, object] | None:
    series = meeting.series
    if series is None:
        return None
    if series.weekdays:
        return {"type": "weekly", "days_of_week": [_WEEKDAYS[day] for day in series.weekdays], "count": series.count}
    return {"type": "daily", "interval": series.every, "count": series.count}


def _exception(change: Change) -> dict[str, object]:
    return {
        "start": change.start.isoformat() if change.start else None,
        "end": change.end.isoformat() if change.end else None,
        "subject": change.subject,
        "attendees": list(change.people),
        "rooms": list(change.rooms),
    }
