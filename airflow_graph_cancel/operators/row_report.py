"""A line of JSON for every event, whatever became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from airflow_graph_cancel.hooks.storage import write_whole

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.cancel.bulk import BulkResult

__all__ = ["write_report"]


def write_report(path: str, result: BulkResult) -> None:
    """Write the report as JSON Lines, whole or not at all: a row for every event, in the order of the inputs.

    :param path: anything that ``ObjectStoragePath`` takes: a file, ``s3://...``, ``abfs://...``.
    """
    lines = []
    for number, event in enumerate(result.inputs):
        given = {name: value for name, value in event.address.as_row().items() if value}
        # Whatever a feed or a plan says of an event goes with it; our own keys cannot be overwritten.
        lines.append(json.dumps({**event.further, **result.row(number).as_row(), **given}, default=str) + "\n")
    # One write of the whole, since object stores cannot append and a reader must never see half a row.
    write_whole(path, "".join(lines).encode())
