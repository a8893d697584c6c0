"""Cancel one event with single requests, as often as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.state_machine import EVIDENCE, Cancellation, Step
from airflow_graph_cancel.graph.dispatch.backoff import Backoff, call_with_backoff, never_stopped
from airflow_graph_cancel.graph.errors import GraphCancelError, RefusedError, StoppedError
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.response import Meaning
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.journal import Journal
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.response import Response
    from airflow_graph_cancel.graph.model.address import EventAddress

__all__ = ["cancel_event"]

log = logging.getLogger(__name__)


async def cancel_event(
    client: GraphClient,
    address: EventAddress,
    comment: str | None,
    *,
    journal: Journal,
    backoff: Backoff,
    stopped: Callable[[], bool] = never_stopped,
) -> CancelResult:
    """Return how the event came to be cancelled.

    :param client: sends single requests.
    :param address: which event.
    :param comment: text for the attendees, None for none.
    :param journal: what earlier tries left and later ones will need.
    :param backoff: how long to go on within the process.
    :param stopped: asked before every cancel request; True ends it.
    :raises RefusedError: if Graph says no.
    :raises TryLaterError: if it goes on saying "later" for longer than backoff allows.
    :raises StoppedError: if told to stop.
    """
    if (settled := journal.settled_before()) is not None:
        log.info("%s was cancelled by an earlier try of this task; nothing is sent", address)
        return settled
    case = Cancellation(address, journal)

    async def ask() -> Response:
        if case.step is not Step.SEND:
            return await client.look(address, EVIDENCE)
        # Before the mark: a login that fails has certainly cancelled nothing.
        await client.sign_in()
        if stopped():
            raise StoppedError(f"The task was told to stop before it sent the cancellation of {address}.")
        journal.sending()
        try:
            return await client.cancel(address, comment)
        except (ResponseLostError, asyncio.CancelledError):
            case.lost()
            raise

    async def ask_with_a_good_token() -> Response:
        answer = await ask()
        if answer.meaning is Meaning.TOKEN_REFUSED and case.step is Step.SEND:
            # A 401 is certain to have had no effect; a really fresh token may.
            await client.credential.renew()
            answer = await ask()
        return answer

    async def once() -> CancelResult:
        while (result := case.answered(await ask_with_a_good_token())) is None:
            pass
        return result

    try:
        result = await call_with_backoff(once, address, backoff, stopped)
    except GraphCancelError as error:
        error.attempts, error.in_doubt, error.mailbox = journal.sent, case.in_doubt, address.mailbox
        if case.in_doubt and isinstance(error, RefusedError):
            error.message += " An earlier request may have taken effect, so that people may have been told."
        if not case.ever_in_doubt:
            journal.not_sent()
        raise
    if result.outcome is Outcome.CANCELLED:
        journal.settled(result)
    return result
