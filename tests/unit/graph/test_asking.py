"""A batch whose answer lacks a part: the local Graph always answers every part, so a stand-in answers here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from airflow_graph_cancel.graph.cancel.asking import Asking
from airflow_graph_cancel.graph.cancel.journal import NoJournal
from airflow_graph_cancel.graph.cancel.state_machine import Cancellation
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.response import Response
from airflow_graph_cancel.graph.model.address import EventAddress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_graph_cancel.graph.http.batch import Part
    from airflow_graph_cancel.graph.http.client import GraphClient


class HalfDeaf:
    """Answers the first part of every batch and no other."""

    def __init__(self) -> None:
        self.parts: Sequence[Part] = ()

    async def batch(self, parts: Sequence[Part]) -> list[Response | None]:
        """Keep what was asked."""
        self.parts = parts
        return [Response(404, {}), *[None] * (len(parts) - 1)]


def test_a_part_without_an_answer_is_lost_and_not_done() -> None:
    """It may have been carried out; only a look can tell."""
    client = HalfDeaf()
    cases = [Cancellation(EventAddress(event, "u"), NoJournal(sent_before=True)) for event in ("A", "B")]
    answers = asyncio.run(Asking(cast("GraphClient", client), preview=False).ask(cases, [None, None]))
    assert isinstance(answers[0], Response)
    assert isinstance(answers[1], ResponseLostError)
    assert [part.method for part in client.parts] == ["GET", "GET"]
