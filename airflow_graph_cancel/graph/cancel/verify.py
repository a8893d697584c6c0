"""Verify that events are gone: Graph's 202 only means that a cancellation was accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.state_machine import EVIDENCE
from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.requests import event_path

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient


@dataclass(frozen=True, slots=True)
class Remaining:
    """An event that is still there, or that could not be checked.

    :param message: a sentence for a person.
    """

    event: CancelInput
    message: str

    def as_row(self) -> dict[str, str | None]:
        """Return plain JSON types, from which the event can be addressed again."""
        address = self.event.address
        return {**address.as_row(), "mailbox": address.mailbox, "message": self.message}


async def find_remaining(client: GraphClient, inputs: Sequence[CancelInput], options: Options) -> list[Remaining]:
    """Return the events that are still there, and those that could not be checked.

    :param client: sends batches and single requests, only GETs here.
    :param inputs: the events.
    :param options: how many at a time, how long to retry, and who may stop it.
    """
    reads = [Read(event.address.mailbox, event_path(event.address, EVIDENCE)) for event in inputs]
    found = []
    for event, reply in zip(inputs, await read_many(client, reads, options), strict=True):
        if reply.error is not None:
            found.append(Remaining(event, str(reply.error)))
        elif reply.refusal is None:
            if not reply.values or reply.values[0].get("isCancelled") is not True:
                found.append(Remaining(event, f"Still there: {event.address}."))
        elif not reply.refusal.meaning.is_gone:
            found.append(Remaining(event, str(refusal(event.address, reply.refusal))))
    return found
