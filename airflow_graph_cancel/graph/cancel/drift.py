"""Compare the events of a plan with what they are now, before the first of them is cancelled.

All are compared before any is sent: the dates of a series change together in Exchange, so cancelling one of them
changes the ``changeKey`` of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.errors import GraphCancelError, ServiceUnavailableError
from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.requests import event_path
from airflow_graph_cancel.graph.model.event import CalendarEvent, parse_event, series_uid
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.plan import PlanRow

_SELECT = ("id", "changeKey", "start", "end", "isAllDay", "type", "attendees")
_DAY = timedelta(days=1)


async def find_drift(
    client: GraphClient,
    inputs: Sequence[CancelInput],
    numbers: Collection[int],
    begun: Collection[int],
    options: Options,
) -> Mapping[int, CancelResult | GraphCancelError]:
    """Return what must not be sent: a result for what has changed, an error for what cannot be read.

    Events that are gone are not among them: the run knows whether it sent their cancellation before.

    :param client: sends batches and single requests, only GETs here.
    :param inputs: all events of the run.
    :param numbers: the places of those to compare; events without a plan are skipped.
    :param begun: the places of those for which this task may have sent something.
    :param options: how many at a time, how long to retry, and who may stop it.
    """
    planned = [(number, inputs[number], before) for number in numbers if (before := inputs[number].planned) is not None]
    if not planned:
        return {}
    dates_begun = Counter(_series(inputs[number]) for number in begun)
    reads = [Read(event.address.mailbox, event_path(event.address, _SELECT)) for _, event, _ in planned]
    drift: dict[int, CancelResult | GraphCancelError] = {}
    for (number, event, before), reply in zip(planned, await read_many(client, reads, options), strict=True):
        if reply.error is not None:
            drift[number] = reply.error
        elif reply.refusal is not None:
            if not reply.refusal.meaning.is_gone:
                drift[number] = refusal(event.address, reply.refusal)
        elif not reply.values:
            drift[number] = ServiceUnavailableError(f"Graph's response to reading {event.address} is empty.")
        else:
            now = parse_event(reply.values[0])
            # A date has the changeKey of its series, which the cancellation of another date changes too: by another
            # closure, or by this task. Then it counts whether the date itself is still what it was.
            by_another_date = before.type == "occurrence" or (
                before.type == "exception" and dates_begun[_series(event)] > (number in begun)
            )
            if now.change_key != before.change_key and not (by_another_date and not _differs(now, before, event)):
                drift[number] = _changed(event, reply.request_id)
    return drift


def _series(event: CancelInput) -> tuple[str, str]:
    uid = event.planned.uid if event.planned is not None else None
    return event.address.mailbox.casefold(), series_uid(uid or "")


def _differs(now: CalendarEvent, before: PlanRow, event: CancelInput) -> bool:
    """Return whether a date of a series differs from the plan in what people see of it."""
    try:
        start, end = datetime.fromisoformat(before.start or ""), datetime.fromisoformat(before.end or "")
        # The dates of an all-day meeting were planned in the local time zone and are read in UTC.
        moved = abs(now.start - start) >= _DAY if now.is_all_day else now.start != start
        # A date that somebody changed on its own is an exception from then on.
        return (
            moved
            or now.end - now.start != end - start
            or now.type != before.type
            or _people(now, event, before) != before.people
        )
    except (ValueError, TypeError):
        return True


def _people(now: CalendarEvent, event: CancelInput, before: PlanRow) -> int:
    return len(now.people - {event.address.mailbox.casefold(), *map(str.casefold, before.rooms)})


def _changed(event: CancelInput, request_id: str | None) -> CancelResult:
    return event.address.result(
        Outcome.CHANGED,
        "Held back: the event has changed since the plan was made (changeKey). Make a new plan, or set "
        'if_changed="cancel".',
        request_id=request_id,
    )
