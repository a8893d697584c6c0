"""Read an event, and say what a cancellation of it would meet. Nothing here sends anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.dispatch.backoff import Backoff, call_with_backoff
from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.address import EventAddress

__all__ = ["PREVIEW", "forecast", "people_told", "preview_event", "read_event"]

PREVIEW = ("id", "isCancelled", "isOrganizer", "type", "attendees")
"""Properties that a forecast needs."""
_KINDS = {
    "seriesMaster": "a whole series, past dates too,",
    "occurrence": "one date of a series",
    "exception": "one date of a series",
}


async def read_event(
    client: GraphClient, address: EventAddress, backoff: Backoff, select: tuple[str, ...] = ()
) -> dict[str, object]:
    """Return the event as Graph writes it.

    :param client: sends single requests.
    :param address: which event.
    :param backoff: how long to go on within the process.
    :param select: properties to read; all if empty.
    :raises GraphCancelError: if it cannot be read.
    """
    return (await _read(client, address, backoff, select)).json


async def preview_event(client: GraphClient, address: EventAddress, backoff: Backoff) -> CancelResult:
    """Return what a cancellation would meet.

    A missing event is part of the report; only what keeps us from reading is an error.

    :param client: sends single requests, only GETs here.
    :param address: which event.
    :param backoff: how long to go on within the process.
    :raises GraphCancelError: if the mailbox cannot be read.
    """
    return forecast(address, await _read(client, address, backoff, PREVIEW, or_gone=True))


def forecast(address: EventAddress, answer: Response) -> CancelResult:
    """Return what a cancellation would meet, from the answer to a look.

    :param address: the event that was looked at.
    :param answer: to a look that selected :data:`PREVIEW`.
    :raises GraphCancelError: if the answer does not show that.
    """
    if answer.meaning is not Meaning.ACCEPTED and not answer.meaning.is_gone:
        raise refusal(address, answer)
    return address.result(Outcome.PREVIEW, _forecast(answer), request_id=answer.request_id)


def people_told(answer: Response) -> int:
    """Return how many people a cancellation would be sent to, from the answer to such a look; rooms are no people."""
    event = answer.json
    attendees = event.get("attendees")
    if event.get("isCancelled") is True or event.get("isOrganizer") is False or not isinstance(attendees, list):
        return 0
    return sum(isinstance(each, dict) and each.get("type") != "resource" for each in attendees)


async def _read(
    client: GraphClient,
    address: EventAddress,
    backoff: Backoff,
    select: tuple[str, ...],
    *,
    or_gone: bool = False,
) -> Response:
    async def once() -> Response:
        answer = await client.look(address, select)
        if answer.meaning is Meaning.ACCEPTED or (or_gone and answer.meaning.is_gone):
            return answer
        raise refusal(address, answer)

    return await call_with_backoff(once, address, backoff)


def _forecast(answer: Response) -> str:
    event = answer.json
    if answer.meaning.is_gone:
        return "Nothing was sent. The mailbox has no such event; a cancellation would end as missing."
    if event.get("isCancelled") is True:
        return "Nothing was sent. This copy is cancelled already."
    if event.get("isOrganizer") is False:
        return "Nothing was sent. This is not the organizer's copy; a cancellation would end as not_organizer."
    attendees = event.get("attendees")
    people = len(attendees) if isinstance(attendees, list) else 0
    kind = _KINDS.get(str(event.get("type")), "one meeting")
    return f"Nothing was sent. {kind.capitalize()} with {people} attendees would be cancelled."
