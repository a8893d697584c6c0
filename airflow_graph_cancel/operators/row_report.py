"""A line of JSON for every event, whatever became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_graph_cancel.hooks.files import write_whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_graph_cancel.graph.cancel.inputs import CancelInput

__all__ = ["write_report"]

Row = dict[str, str | int | None]


def write_report(path: str, orders: Iterable[CancelInput], rows: Mapping[int, Row]) -> None:
    """Write the report as JSON Lines, whole or not at all.

    :param path: anything that ``ObjectStoragePath`` takes: a file, ``s3://...``, ``abfs://...``.
    :param orders: the events, in the order in which they were given.
    :param rows: what became of them, by place.
    """
    lines = []
    for place, order in enumerate(orders):
        given = {name: value for name, value in order.address.as_row().items() if value}
        # Whatever a feed or a plan says of an event goes with it; our own words cannot be overwritten.
        lines.append(json.dumps({**order.further, **rows[place], **given}, default=str) + "\n")
    # One write of the whole, since object stores cannot append and a reader must never see half a row.
    write_whole(path, "".join(lines).encode())
