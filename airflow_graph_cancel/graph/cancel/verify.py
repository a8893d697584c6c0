"""Which events are still there: Graph's 202 means "accepted" and no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.state_machine import EVIDENCE
from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.http.error_mapping import refusal
from airflow_graph_cancel.graph.http.requests import look_path

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.inputs import CancelInput
    from airflow_graph_cancel.graph.dispatch.dispatcher import Options
    from airflow_graph_cancel.graph.http.client import GraphClient

__all__ = ["Remaining", "find_remaining"]


@dataclass(frozen=True, slots=True)
class Remaining:
    """An event that is not known to be gone.

    :param message: a sentence for a person: it is there, or why that cannot be told.
    """

    order: CancelInput
    message: str

    def as_row(self) -> dict[str, str | None]:
        """Return plain JSON types, from which the event can be addressed again."""
        address = self.order.address
        return {**address.as_row(), "mailbox": address.mailbox, "message": self.message}


async def find_remaining(client: GraphClient, orders: Sequence[CancelInput], options: Options) -> list[Remaining]:
    """Return the events that are still there, and those of which it cannot be told.

    :param client: sends batches and single requests, only GETs here.
    :param options: how to go about it.
    """
    reads = [Read(order.address.mailbox, look_path(order.address, EVIDENCE)) for order in orders]
    found = []
    for order, reply in zip(orders, await read_many(client, reads, options), strict=True):
        if reply.error is not None:
            found.append(Remaining(order, str(reply.error)))
        elif reply.refusal is None:
            if reply.values[0].get("isCancelled") is not True:
                found.append(Remaining(order, f"There still is {order.address}."))
        elif not reply.refusal.meaning.is_gone:
            found.append(Remaining(order, str(refusal(order.address, reply.refusal))))
    return found
