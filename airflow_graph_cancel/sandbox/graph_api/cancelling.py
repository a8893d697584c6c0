"""``POST .../cancel``: the action that this sandbox is about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import lookup
from airflow_graph_cancel.sandbox.tenant import effects
from airflow_graph_cancel.sandbox.traffic import graph_errors
from airflow_graph_cancel.sandbox.traffic.messages import Answer, GraphError

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.pipeline import Call
    from airflow_graph_cancel.sandbox.state import World
    from airflow_graph_cancel.sandbox.tenant.entities import Item


def cancel(call: Call) -> Answer:
    """Accept or refuse a cancel; ``comment`` may be written in any case, be null, or be missing with the whole body.

    :raises GraphError: with the service's reason for refusing.
    """
    guesses = call.world.settings.guesses
    comment = _comment(call)
    try:
        item = lookup.item(call)
    except GraphError as refusal:
        if refusal.status == 404 and guesses.second_cancel == "accepted" and lookup.was_here(call):
            return Answer(202)
        raise
    if not item.event.is_organizer:
        raise graph_errors.not_organizer(guesses.not_organizer_code)
    if not item.event.meeting.invited(item.date) and guesses.no_attendees == "invalid_recipients":
        raise graph_errors.no_recipients()
    if guesses.effect_delay:
        effect = _begin(call.world, item, comment, guesses.effect_delay)
    else:
        effect = effects.cancel(call.world.store, call.world.outbox, item, comment)
    return Answer(202, effect=effect)


def _comment(call: Call) -> str | None:
    found: str | None = None
    for name, value in call.request.json().items():
        if name.lower() != "comment":
            if call.world.settings.guesses.unknown_members == "reject":
                raise graph_errors.bad_request(
                    f"The parameter '{name}' in the request payload is not a valid parameter."
                )
        elif value is not None and not isinstance(value, str):
            raise graph_errors.bad_request("Cannot convert the value of parameter 'Comment' to type 'Edm.String'.")
        else:
            found = value
    return found


def _begin(world: World, item: Item, comment: str | None, delay: float) -> bool:
    """Let the change come later; a second cancel before it came is accepted and changes nothing."""
    if item in world.pending:
        return False
    world.pending.add(item)
    store, outbox, pending = world.store, world.outbox, world.pending

    def carry_out() -> None:
        pending.discard(item)
        effects.cancel(store, outbox, item, comment)

    asyncio.get_running_loop().call_later(delay, carry_out)
    return True
