"""From cases to requests and back to answers: many in a batch, one alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.cancel.preview import PREVIEW
from airflow_graph_cancel.graph.cancel.state_machine import EVIDENCE, Cancellation, Step
from airflow_graph_cancel.graph.errors import GraphCancelError, TryLaterError
from airflow_graph_cancel.graph.http.batch import Part
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.requests import cancel_body, look_path

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.response import Response
    from airflow_graph_cancel.graph.model.address import EventAddress, Form

__all__ = ["Asking"]


class Asking:
    """Make the request that each case needs next.

    :param client: sends batches and single requests.
    :param preview: look at every event, whatever its case says.
    """

    def __init__(self, client: GraphClient, *, preview: bool) -> None:
        self._client = client
        self._preview = preview
        self._bodies: dict[tuple[Form, bool, str | None], dict[str, object]] = {}

    def sends(self, case: Cancellation) -> bool:
        """Return whether the case's next request is a cancellation."""
        return not self._preview and case.step is Step.SEND

    async def ask(
        self, cases: Sequence[Cancellation], comments: Sequence[str | None]
    ) -> Sequence[Response | GraphCancelError]:
        """Return each case's answer, or the error that stands for it.

        :param cases: at most twenty.
        :param comments: the cases' texts for the attendees.
        :raises RefusedError: if the login says no.
        """
        try:
            if len(cases) == 1:
                return [await self._alone(cases[0], comments[0])]
            parts = [self._part(case, comment) for case, comment in zip(cases, comments, strict=True)]
            lost = ResponseLostError("Graph's answer to a batch lacked this part.")
            return [answer or lost for answer in await self._client.batch(parts)]
        except TryLaterError as error:
            return [error] * len(cases)

    @property
    def _select(self) -> tuple[str, ...]:
        return PREVIEW if self._preview else EVIDENCE

    async def _alone(self, case: Cancellation, comment: str | None) -> Response:
        if self.sends(case):
            return await self._client.cancel(case.address, comment)
        return await self._client.look(case.address, self._select)

    def _part(self, case: Cancellation, comment: str | None) -> Part:
        if self.sends(case):
            return Part("POST", f"{case.address.path}/cancel", self._body(case.address, comment))
        return Part("GET", look_path(case.address, self._select))

    def _body(self, address: EventAddress, comment: str | None) -> dict[str, object]:
        # Most events share a comment, and the SDK takes its time over a body.
        key = (address.form, bool(address.group_id), comment)
        if key not in self._bodies:
            self._bodies[key] = cancel_body(self._client.adapter, address, comment)
        return self._bodies[key]
