"""Is each event of a plan still what somebody approved? Looked at before the first of them is cancelled.

All at once and not one by one: the dates of a series change with it in Exchange, so that cancelling one of them changes
what the others' ``changeKey`` says.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.errors import RefusedError, ServiceUnavailableError
from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.requests import look_path
from airflow_graph_cancel.graph.model.event import CalendarEvent, parse_event, series_uid
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.bulk import BulkCancellation
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.dispatch.dispatcher import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.plan import PlanRow

__all__ = ["hold_changed"]

_SELECT = ("id", "changeKey", "start", "end", "isAllDay", "type", "attendees")
_DAY = timedelta(days=1)


async def hold_changed(client: GraphClient, work: BulkCancellation, options: Options) -> None:
    """Settle as ``changed`` what is no longer as it was planned, so that it is not cancelled.

    What is gone is left to the work, which knows whether it was sent before. What cannot be looked at is not sent
    either.

    :param client: sends batches and single requests, only GETs here.
    :param work: before it runs.
    :param options: how to go about it.
    """
    planned = [
        (number, order, order.planned)
        for number, order in enumerate(work.orders)
        if order.planned is not None and number not in work.results
    ]
    if not planned:
        return
    begun = {number: _series(work.orders[number]) for number in work.begun()}
    dates_begun = Counter(begun.values())
    reads = [Read(order.address.mailbox, look_path(order.address, _SELECT)) for _, order, _ in planned]
    for (number, order, before), reply in zip(planned, await read_many(client, reads, options), strict=True):
        if reply.error is not None:
            work.leave(number, reply.error)
        elif reply.refusal is None and not reply.values:
            work.leave(number, ServiceUnavailableError(f"Graph answered a look at {order.address} with nothing."))
        elif reply.refusal is None:
            now = parse_event(reply.values[0])
            # A date has the key of its series, which a neighbour's cancellation changes as well: by another closure, or
            # by this task. What tells is whether the date itself is still what it was.
            by_a_neighbour = before.type == "occurrence" or (
                before.type == "exception" and dates_begun[_series(order)] > (number in begun)
            )
            if now.change_key != before.change_key and not (by_a_neighbour and not _differs(now, before, order)):
                work.settle(number, _changed(order, reply.request_id))
        elif not reply.refusal.meaning.is_gone:
            error = refusal(order.address, reply.refusal)
            work.refuse(number, error) if isinstance(error, RefusedError) else work.leave(number, error)


def _series(order: CancelInput) -> tuple[str, str]:
    uid = order.planned.uid if order.planned is not None else None
    return order.address.mailbox.casefold(), series_uid(uid or "")


def _differs(now: CalendarEvent, before: PlanRow, order: CancelInput) -> bool:
    """Return whether a date of a series is another one than it was, by what people see of it."""
    try:
        start, end = datetime.fromisoformat(before.start or ""), datetime.fromisoformat(before.end or "")
        # An all-day meeting's dates were planned where people are and are read in UTC.
        moved = abs(now.start - start) >= _DAY if now.is_all_day else now.start != start
        # A date that somebody changed by itself is an exception from then on.
        return (
            moved
            or now.end - now.start != end - start
            or now.type != before.type
            or _people(now, order, before) != before.people
        )
    except (ValueError, TypeError):
        return True


def _people(now: CalendarEvent, order: CancelInput, before: PlanRow) -> int:
    return len(now.people - {order.address.mailbox.casefold(), *map(str.casefold, before.rooms)})


def _changed(order: CancelInput, request_id: str | None) -> CancelResult:
    return order.address.result(
        Outcome.CHANGED,
        "Held back: the event has changed since the plan was made (changeKey). Make a new plan, or set "
        'if_changed="cancel".',
        request_id=request_id,
    )
