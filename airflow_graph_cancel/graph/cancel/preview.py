"""Read events and predict what a cancellation would do. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.bulk import BulkResult
from airflow_graph_cancel.graph.dispatch.backoff import call_with_backoff
from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.errors import (
    GraphCancelError,
    InvalidInputError,
    RefusedError,
    ServiceUnavailableError,
    StoppedError,
)
from airflow_graph_cancel.graph.formatting import counted
from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.requests import GetRequest, event_path
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.address import EventAddress

_PREVIEW = ("id", "isCancelled", "isOrganizer", "type", "attendees")
_KINDS = {
    "seriesMaster": "a whole series, past dates too,",
    "occurrence": "one date of a series",
    "exception": "one date of a series",
}


async def read_event(
    client: GraphClient, address: EventAddress, options: Options, select: tuple[str, ...] = ()
) -> dict[str, object]:
    """Return the event as Graph writes it.

    :param client: sends single requests.
    :param address: which event.
    :param options: how long to retry.
    :param select: properties to read; all if empty.
    :raises GraphCancelError: if it cannot be read.
    """
    return (await _read(client, address, options, select)).json


async def preview_event(client: GraphClient, address: EventAddress, options: Options) -> CancelResult:
    """Predict what a cancellation would do.

    A missing event is a prediction; only what prevents reading is an error.

    :param client: sends single requests.
    :param address: which event.
    :param options: how long to retry.
    :raises GraphCancelError: if the mailbox cannot be read.
    """
    response = await _read(client, address, options, _PREVIEW, or_gone=True)
    return _predict(address, None if response.meaning.is_gone else response.json, response.request_id)


async def preview_events(client: GraphClient, inputs: Sequence[CancelInput], options: Options) -> BulkResult:
    """Predict what cancelling many events would do, and how many people would be told.

    :param client: sends batches and single requests.
    :param inputs: the events.
    :param options: how many at a time, how long to retry, and who may stop it.
    :raises StoppedError: if told to stop.
    """
    results: dict[int, CancelResult] = {}
    left: dict[int, GraphCancelError] = {}
    people = 0
    reads = [Read(each.address.mailbox, event_path(each.address, _PREVIEW)) for each in inputs]
    for number, reply in enumerate(await read_many(client, reads, options)):
        address, refused = inputs[number].address, reply.refusal
        if refused is not None and not refused.meaning.is_gone:
            error: GraphCancelError | None = refusal(address, refused)
        else:
            error = reply.error
        if isinstance(error, RefusedError):
            results[number] = address.failed(error)
        elif error is not None:
            left[number] = error
        elif refused is not None:
            results[number] = _predict(address, None, refused.request_id)
        elif not reply.values:
            left[number] = ServiceUnavailableError(f"Graph's response to reading {address} is empty.")
        else:
            results[number] = _predict(address, reply.values[0], reply.request_id)
            people += _people_told(reply.values[0])
    return BulkResult(inputs, results, left, people)


async def check_limits(
    client: GraphClient,
    inputs: Sequence[CancelInput],
    options: Options,
    *,
    max_meetings: int | None,
    max_people: int | None,
) -> None:
    """Refuse to cancel more than somebody thought possible.

    A group counts as one person, as it does for Exchange. People are counted from the rows if all of them have
    ``people``, else they are read from Graph.

    :param client: reads the events.
    :param inputs: the events.
    :param options: as for the cancelling.
    :param max_meetings: most events to cancel, None for any number.
    :param max_people: most people to tell, None for any number.
    :raises InvalidInputError: if it would be more.
    """
    if max_meetings is not None and len(inputs) > max_meetings:
        raise InvalidInputError(
            f"{counted(len(inputs), 'event is', 'events are')} more than max_meetings={max_meetings}. If that is "
            "intended, raise max_meetings."
        )
    if max_people is None:
        return
    counts = [each.row.get("people") for each in inputs]
    people = sum(count for count in counts if isinstance(count, int))
    if not all(isinstance(count, int) for count in counts):
        found = await preview_events(client, inputs, options)
        if found.left:
            raise next(iter(found.left.values()))
        people = found.people or 0
    if people > max_people:
        raise InvalidInputError(
            f"{counted(people, 'person', 'people')} would get a message, more than max_people={max_people}. If that is "
            "intended, raise max_people."
        )


async def _read(
    client: GraphClient, address: EventAddress, options: Options, select: tuple[str, ...], *, or_gone: bool = False
) -> Response:
    async def call() -> Response:
        if options.stopped():
            raise StoppedError(f"The task was told to stop before it read {address}.")
        response = await client.send(GetRequest(event_path(address, select)))
        if response.meaning is Meaning.ACCEPTED or (or_gone and response.meaning.is_gone):
            return response
        raise refusal(address, response)

    return await call_with_backoff(call, address, options.backoff, options.stopped)


def _predict(address: EventAddress, event: dict[str, object] | None, request_id: str | None) -> CancelResult:
    return address.result(Outcome.PREVIEW, f"Nothing was sent. {_prediction(event)}", request_id=request_id)


def _prediction(event: dict[str, object] | None) -> str:
    if event is None:
        return "The mailbox has no such event; a cancellation would end as missing."
    if event.get("isCancelled") is True:
        return "This copy is cancelled already."
    if event.get("isOrganizer") is False:
        return "This is not the organizer's copy; a cancellation would end as not_organizer."
    attendees = event.get("attendees")
    people = len(attendees) if isinstance(attendees, list) else 0
    kind = _KINDS.get(str(event.get("type")), "one meeting")
    return f"{kind.capitalize()} with {people} attendees would be cancelled."


def _people_told(event: dict[str, object]) -> int:
    """Return how many people a cancellation would tell; rooms are not people."""
    attendees = event.get("attendees")
    if event.get("isCancelled") is True or event.get("isOrganizer") is False or not isinstance(attendees, list):
        return 0
    return sum(isinstance(each, dict) and each.get("type") != "resource" for each in attendees)
