"""What must hold before the first of many cancellations goes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.bulk import BulkCancellation
from airflow_graph_cancel.graph.cancel.inputs import CancelInput, people_in_rows
from airflow_graph_cancel.graph.cancel.journal import NoBulkJournal
from airflow_graph_cancel.graph.errors import InvalidInputError

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.dispatcher import Options
    from airflow_graph_cancel.graph.http.client import GraphClient

__all__ = ["refuse_too_many_people"]


async def refuse_too_many_people(
    client: GraphClient, rows: Sequence[object], orders: Sequence[CancelInput], most: int, options: Options
) -> None:
    """Refuse if more people would get a message than somebody thought possible.

    A group counts as one, as it does for Exchange. Read from the rows if all of them say, else from Graph.

    :param client: reads the events.
    :param rows: as they were given, for their ``people``.
    :param orders: the events.
    :param most: people that may be told.
    :param options: as for the cancelling.
    :raises InvalidInputError: if it would be more; nothing was sent.
    """
    people = people_in_rows(rows)
    if people is None:
        reading = BulkCancellation(client, orders, NoBulkJournal(), options, preview=True)
        await reading.run()
        if reading.left:
            raise next(iter(reading.left.values()))
        people = reading.people
    if people > most:
        raise InvalidInputError(f"{people} people would get a message, more than max_people={most}.")
