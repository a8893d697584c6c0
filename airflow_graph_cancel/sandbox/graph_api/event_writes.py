"""Creating, changing and deleting events."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import lookup, serialize, time_zones
from airflow_graph_cancel.sandbox.graph_api.event_reads import shown
from airflow_graph_cancel.sandbox.tenant import effects, recurrence
from airflow_graph_cancel.sandbox.tenant.entities import Attendee, Item, Json, Meeting
from airflow_graph_cancel.sandbox.tenant.scheduling import lay_out
from airflow_graph_cancel.sandbox.traffic import graph_errors
from airflow_graph_cancel.sandbox.traffic.messages import Answer, GraphError

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.pipeline import Call


def create(call: Call) -> Answer:
    """Answer ``POST .../events``: the owner becomes the organizer, everybody invited gets a copy."""
    body, mailbox = call.request.json(), call.mailbox
    start, end = time_zones.from_graph(body.get("start")), time_zones.from_graph(body.get("end"))
    pattern, location = body.get("recurrence"), body.get("location")
    calendar = lookup.calendar(call.address, mailbox)
    try:
        rule = recurrence.from_graph(pattern, start.date()) if isinstance(pattern, dict) else None
        is_all_day = body.get("isAllDay") is True
        meeting = Meeting(
            uid=call.world.store.new_uid(),
            organizer=Attendee(mailbox.address, mailbox.display_name),
            subject=str(body.get("subject") or ""),
            body=_text(body.get("body")),
            attendees=_attendees(call, body),
            slots=lay_out(start, end, rule, is_all_day=is_all_day),
            time_zone=start.tzinfo or datetime.UTC,
            recurrence=rule,
            is_private=body.get("sensitivity") == "private",
            location=str(location.get("displayName") or "") if isinstance(location, dict) else "",
            is_all_day=is_all_day,
        )
    except ValueError as error:
        raise GraphError(400, "ErrorInvalidRequest", f"Your request can't be completed. {error}.") from error
    call.world.store.distribute(meeting, calendar.id if calendar else None)
    style = serialize.style_of(call)
    answer = shown(serialize.event(Item(meeting.copies[0], None), style), style, 201)
    answer.effect = True
    return answer


def change(call: Call) -> Answer:
    """Answer ``PATCH .../events/{id}``: a shorter series, or another subject or time, told to everybody invited."""
    item, body, world = lookup.item(call), call.request.json(), call.world
    event = item.event
    if not event.is_organizer:
        raise graph_errors.access_denied()
    start, end = _moment(body, "start"), _moment(body, "end")
    is_master = item.date is None and event.meeting.recurrence is not None
    try:
        rule = body.get("recurrence")
        if isinstance(rule, dict):
            if not is_master or start or end:
                raise ValueError("A recurrence belongs to a series master, and its times stay as they are")
            old = event.meeting.slots[None].start.astimezone(event.meeting.time_zone).date()
            effects.shorten(world.store, world.outbox, event, recurrence.from_graph(rule, old))
        if is_master and (start or end):
            raise ValueError("The sandbox moves single dates of a series, not the whole of it")
        subject = body.get("subject")
        if subject is not None or start or end:
            effects.change(
                world.store,
                world.outbox,
                item,
                subject=None if subject is None else str(subject),
                start=start,
                end=end,
            )
    except ValueError as error:
        raise GraphError(400, "ErrorInvalidRequest", f"Your request can't be completed. {error}.") from error
    style = serialize.style_of(call)
    answer = shown(serialize.event(item, style), style)
    answer.effect = True
    return answer


def delete(call: Call) -> Answer:
    """Answer ``DELETE .../events/{id}``: by the organizer a cancel without a comment, else the copy alone goes."""
    item, world = lookup.item(call), call.world
    if item.event.is_organizer:
        effect = effects.cancel(world.store, world.outbox, item, None)
    else:
        effects.remove(world.store, item)
        effect = True
    return Answer(204, effect=effect)


def _attendees(call: Call, body: Json) -> list[Attendee]:
    invited = body.get("attendees") or []
    if not isinstance(invited, list):
        raise graph_errors.bad_request("attendees must be a collection.")
    found: list[Attendee] = []
    for each in invited:
        email = each.get("emailAddress") if isinstance(each, dict) else None
        if not isinstance(email, dict) or not isinstance(email.get("address"), str):
            raise graph_errors.invalid_recipients()
        mailbox = call.world.store.mailbox(email["address"])
        kind = "resource" if mailbox and mailbox.kind == "room" else str(each.get("type") or "required")
        name = email.get("name") or (mailbox.display_name if mailbox else email["address"])
        found.append(Attendee(mailbox.address if mailbox else email["address"], str(name), kind))
    return found


def _text(body: object) -> str:
    return str(body.get("content") or "") if isinstance(body, dict) else ""


def _moment(body: Json, name: str) -> datetime.datetime | None:
    value = body.get(name)
    return None if value is None else time_zones.from_graph(value).astimezone(datetime.UTC)
