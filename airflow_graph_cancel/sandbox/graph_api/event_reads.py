"""Reading single things: an event, a calendar, a mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import lookup, serialize
from airflow_graph_cancel.sandbox.tenant.entities import Item
from airflow_graph_cancel.sandbox.traffic.messages import Answer, GraphError

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.pipeline import Call
    from airflow_graph_cancel.sandbox.graph_api.serialize import Style
    from airflow_graph_cancel.sandbox.tenant.entities import Json


def event(call: Call) -> Answer:
    """Answer ``GET .../events/{id}``, with a series' exceptions if they are asked for."""
    style = serialize.style_of(call)
    item = _found(call)
    body = serialize.event(item, style)
    if "exceptionoccurrences" in call.request.query.get("$expand", "").lower():
        copy = item.event
        changed = [each for each in copy.meeting.dates() if copy.meeting.slots[each].is_exception]
        left = [Item(copy, each) for each in changed if item.date is None and each not in copy.removed_dates]
        body["exceptionOccurrences"] = [serialize.event(each, style) for each in left]
    return shown(body, style)


def shown(body: Json, style: Style, status: int = 200) -> Answer:
    """Return an answer that says which preferences were honoured."""
    headers = {"Preference-Applied": ", ".join(style.applied)} if style.applied else {}
    return Answer(status, body, headers)


def _found(call: Call) -> Item:
    try:
        return lookup.item(call)
    except GraphError:
        wanted = call.address.event_id or ""
        deleted = call.mailbox.retired.get(wanted)
        if (
            deleted is None
            or wanted != deleted.immutable_id
            or call.world.settings.guesses.deleted_by_immutable_id == "not_found"
        ):
            raise
        return deleted
