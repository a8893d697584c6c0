"""Cancel one event with single requests."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.state_machine import EVIDENCE, Cancellation, Step
from airflow_graph_cancel.graph.dispatch.backoff import call_with_backoff
from airflow_graph_cancel.graph.errors import GraphCancelError, StoppedError
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.requests import CancelRequest, GetRequest, event_path
from airflow_graph_cancel.graph.http.response import Meaning
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.journal import Journal
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.response import Response
    from airflow_graph_cancel.graph.model.address import EventAddress

log = logging.getLogger(__name__)


async def cancel_event(
    client: GraphClient, address: EventAddress, comment: str | None, *, journal: Journal, options: Options
) -> CancelResult:
    """Cancel the event and return its result.

    :param client: sends single requests.
    :param address: which event.
    :param comment: text for the attendees, None for none.
    :param journal: what earlier tries left and later ones need.
    :param options: how long to retry, and who may stop it.
    :raises RefusedError: if Graph or the login refuses.
    :raises TryLaterError: if the retry budget is spent.
    :raises StoppedError: if told to stop.
    """
    if (settled := journal.settled_before()) is not None:
        log.info("An earlier try of this task settled the event; nothing is sent: %s", address)
        return settled
    cancellation = Cancellation(address, journal)

    async def send() -> Response:
        if cancellation.step is not Step.SEND:
            return await client.send(GetRequest(event_path(address, EVIDENCE)))
        # Before the mark: if the login fails, certainly nothing was sent.
        await client.sign_in()
        if options.stopped():
            raise StoppedError(f"The task was told to stop before it sent the cancellation of {address}.")
        journal.sending()
        try:
            return await client.send(CancelRequest(address, comment))
        except (ResponseLostError, asyncio.CancelledError):
            cancellation.lost()
            raise

    async def send_with_valid_token() -> Response:
        response = await send()
        if response.meaning is Meaning.TOKEN_REFUSED and cancellation.step is Step.SEND:
            # A 401 certainly had no effect. A token that is really fresh may be accepted.
            await client.credential.renew()
            response = await send()
        return response

    async def run() -> CancelResult:
        while (result := cancellation.answered(await send_with_valid_token())) is None:
            pass
        return result

    try:
        result = await call_with_backoff(run, address, options.backoff, options.stopped)
    except GraphCancelError as error:
        error.attempts, error.in_doubt, error.mailbox = journal.sent, cancellation.in_doubt, address.mailbox
        if not cancellation.ever_in_doubt:
            journal.not_sent()
        raise
    if result.outcome is Outcome.CANCELLED:
        journal.settled(result)
    return result
