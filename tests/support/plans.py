"""Make a plan of North Tower and carry it out, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_graph_cancel.operators.find import GraphFindEventsOperator
from tests.support.contoso import ADA, BEACON, create_meeting
from tests.support.operators import cancel_events, run_operator
from tests.support.task_state import TaskStateStore

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

DAY: dict[str, Any] = {"start": "2030-01-07T08:00:00Z", "end": "2030-01-08T00:00:00Z"}
WEEK: dict[str, Any] = {"start": "2030-01-07T00:00:00Z", "end": "2030-01-14T00:00:00Z"}

Plan = dict[str, Any]


def create_booking(sandbox: Sandbox, organizer: str = ADA, **changes: object) -> dict[str, Any]:
    """Create a meeting in Beacon, with some of it changed; return what the control API says of it."""
    return create_meeting(sandbox, organizer, **{"rooms": [BEACON], **changes})


def book(sandbox: Sandbox, organizer: str = ADA, **changes: object) -> str:
    """Create a meeting in Beacon and return the id of its organizer's copy."""
    return str(create_booking(sandbox, organizer, **changes)["copies"][organizer])


def find(**arguments: Any) -> Plan:
    """Find what takes place in North Tower on one day, or what the arguments say."""
    where = {} if {"rooms", "room_list", "building", "organizers"} & arguments.keys() else {"building": "North Tower"}
    return dict(run_operator(GraphFindEventsOperator(task_id="find", **{**where, **DAY, **arguments})))


def ids(plan: Plan) -> set[str]:
    """Return the ids of the events that a plan would cancel."""
    return {row["event_id"] for row in plan["meetings"]}


def carry_out(plan: object, store: TaskStateStore | None = None, **arguments: Any) -> dict[str, Any]:
    """Carry a plan out, with a new store if none is given."""
    return cancel_events(plan, TaskStateStore() if store is None else store, **arguments)


def cancelled(sandbox: Sandbox) -> list[str]:
    """Return the ids of the events whose attendees were told of a cancellation, in that order."""
    return [message["event_id"] for message in sandbox.messages() if message["kind"] == "cancellation"]
