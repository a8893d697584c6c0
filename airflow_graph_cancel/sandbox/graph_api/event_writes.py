"""Write events: cancel, which this sandbox is about, and create, change and delete."""

from __future__ import annotations

import asyncio
import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import serialize
from airflow_graph_cancel.sandbox.tenant import effects
from airflow_graph_cancel.sandbox.tenant.entities import Attendee, Item, Json, Meeting
from airflow_graph_cancel.sandbox.tenant.recurrence import from_graph
from airflow_graph_cancel.sandbox.tenant.scheduling import lay_out
from airflow_graph_cancel.sandbox.traffic.messages import (
    GraphError,
    Response,
    access_denied,
    bad_request,
    cannot_complete,
)

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.call import Call
    from airflow_graph_cancel.sandbox.state import SandboxState

_INVALID_RECIPIENT = "At least one recipient isn't valid."


def cancel(call: Call) -> Response:
    """Answer ``POST .../events/{id}/cancel``.

    ``comment`` may be written in any case, be null, or be missing with the whole body.

    :raises GraphError: with the service's reason to refuse.
    """
    guesses = call.guesses
    comment = _comment(call)
    try:
        item = call.item()
    except GraphError as error:
        if error.status == 404 and guesses.second_cancel == "accepted" and call.was_here():
            return Response(202)
        raise
    if not item.event.is_organizer:
        message = "Your request can't be completed. You need to be an organizer to cancel a meeting."
        raise GraphError(400, guesses.not_organizer_code, message)
    if not item.event.meeting.invited(item.date) and guesses.no_attendees == "invalid_recipients":
        reason = "A message can't be sent because it contains no recipients."
        raise GraphError(400, "ErrorInvalidRecipients", f"{_INVALID_RECIPIENT}, {reason}")
    if guesses.effect_delay:
        effect = _cancel_later(call.state, item, comment, guesses.effect_delay)
    else:
        effect = effects.cancel(call.state.store, call.state.outbox, item, comment)
    return Response(202, effect=effect)


def create(call: Call) -> Response:
    """Answer ``POST .../events``: the owner becomes the organizer, all attendees get a copy."""
    body, mailbox = call.request.json(), call.mailbox
    start, end = serialize.read_time(body.get("start")), serialize.read_time(body.get("end"))
    pattern, location = body.get("recurrence"), body.get("location")
    is_all_day = body.get("isAllDay") is True
    calendar = call.calendar()
    try:
        rule = from_graph(pattern, start.date()) if isinstance(pattern, dict) else None
        meeting = Meeting(
            uid=call.state.store.new_uid(),
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
        raise cannot_complete(str(error)) from error
    call.state.store.distribute(meeting, calendar.id if calendar else None)
    return _written(call, Item(meeting.copies[0], None), 201)


def change(call: Call) -> Response:
    """Answer ``PATCH .../events/{id}``: shorten a series, or change subject or time, and tell all attendees."""
    item, body, state = call.item(), call.request.json(), call.state
    event, meeting = item.event, item.event.meeting
    if not event.is_organizer:
        raise access_denied()
    start, end = _moment(body, "start"), _moment(body, "end")
    is_master = item.date is None and meeting.recurrence is not None
    try:
        rule = body.get("recurrence")
        if isinstance(rule, dict):
            if not is_master or start or end:
                raise ValueError("A recurrence belongs to a series master, and its times stay as they are")
            old = meeting.slots[None].start.astimezone(meeting.time_zone).date()
            effects.shorten(state.store, state.outbox, event, from_graph(rule, old))
        if is_master and (start or end):
            raise ValueError("The sandbox moves single dates of a series, not the whole series")
        subject = body.get("subject")
        if subject is not None or start or end:
            text = None if subject is None else str(subject)
            effects.change(state.store, state.outbox, item, subject=text, start=start, end=end)
    except ValueError as error:
        raise cannot_complete(str(error)) from error
    return _written(call, item, 200)


def delete(call: Call) -> Response:
    """Answer ``DELETE .../events/{id}``: for the organizer a cancel without a comment, else only the copy goes."""
    item, state = call.item(), call.state
    if item.event.is_organizer:
        effect = effects.cancel(state.store, state.outbox, item, None)
    else:
        effects.remove(state.store, item)
        effect = True
    return Response(204, effect=effect)


def _written(call: Call, item: Item, status: int) -> Response:
    style = serialize.style_of(call)
    return style.applied_to(Response(status, serialize.event(item, style), effect=True))


def _comment(call: Call) -> str | None:
    found: str | None = None
    for name, value in call.request.json().items():
        if name.lower() != "comment":
            if call.guesses.unknown_members == "reject":
                message = f"The parameter '{name}' in the request payload is not a valid parameter."
                raise bad_request(message)
        elif value is not None and not isinstance(value, str):
            raise bad_request("Cannot convert the value of parameter 'Comment' to type 'Edm.String'.")
        else:
            found = value
    return found


def _cancel_later(state: SandboxState, item: Item, comment: str | None, delay: float) -> bool:
    """Cancel after a delay; a second cancel before that is accepted and changes nothing."""
    if item in state.pending:
        return False
    state.pending.add(item)
    # A reset replaces these; the cancel belongs to the tenant in which it was accepted.
    store, outbox, pending = state.store, state.outbox, state.pending

    def carry_out() -> None:
        pending.discard(item)
        effects.cancel(store, outbox, item, comment)

    asyncio.get_running_loop().call_later(delay, carry_out)
    return True


def _attendees(call: Call, body: Json) -> list[Attendee]:
    invited = body.get("attendees") or []
    if not isinstance(invited, list):
        raise bad_request("attendees must be a collection.")
    found: list[Attendee] = []
    for each in invited:
        email = each.get("emailAddress") if isinstance(each, dict) else None
        if not isinstance(email, dict) or not isinstance(email.get("address"), str):
            raise GraphError(400, "ErrorInvalidRecipients", _INVALID_RECIPIENT)
        mailbox = call.state.store.mailbox(email["address"])
        kind = "resource" if mailbox and mailbox.kind == "room" else str(each.get("type") or "required")
        name = email.get("name") or (mailbox.display_name if mailbox else email["address"])
        found.append(Attendee(mailbox.address if mailbox else email["address"], str(name), kind))
    return found


def _text(body: object) -> str:
    return str(body.get("content") or "") if isinstance(body, dict) else ""


def _moment(body: Json, name: str) -> datetime.datetime | None:
    value = body.get(name)
    return None if value is None else serialize.read_time(value).astimezone(datetime.UTC)
