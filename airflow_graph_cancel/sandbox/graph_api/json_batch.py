"""``POST /$batch``: up to twenty requests in one, four at a time."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections import Counter
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api import paths
from airflow_graph_cancel.sandbox.traffic import graph_errors
from airflow_graph_cancel.sandbox.traffic.messages import Answer, GraphError, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_graph_cancel.sandbox.graph_api.pipeline import Call, GraphService
    from airflow_graph_cancel.sandbox.tenant.entities import Json

LARGEST = 20
LANES = 4
_WITH_BODY = ("POST", "PATCH", "PUT")


class Batch:
    """Runs batches on the service that answers single requests.

    :param seed: Of the order of the answers, which is never that of the requests.
    """

    def __init__(self, service: GraphService, seed: int) -> None:
        self._service = service
        self._random = random.Random(seed)

    async def run(self, call: Call) -> Answer:
        """Answer a batch: 200 if it could be read, whatever became of the requests in it."""
        steps = _steps(call.request.json())
        answers: dict[str, Answer] = {}
        surplus = self._surplus(call, steps)
        waiting = iter(steps)
        # Requests that depend on others run one by one, as the service documents.
        lanes = 1 if any(step.get("dependsOn") for step in steps) else LANES
        await asyncio.gather(*(self._lane(call, waiting, answers, surplus) for _ in range(lanes)))
        responses = [_response(step_id, answer) for step_id, answer in answers.items()]
        self._random.shuffle(responses)
        return Answer(200, {"responses": responses})

    async def _lane(self, call: Call, waiting: Iterator[Json], answers: dict[str, Answer], surplus: set[str]) -> None:
        for step in waiting:
            step_id = str(step["id"])
            request = self._request(call.request, step)
            wanted = step.get("dependsOn") or []
            if isinstance(wanted, list) and any(answers[str(each)].status >= 400 for each in wanted):
                message = "Execution of request failed due to dependency on a failed request."
                answers[step_id] = GraphError(424, "FailedDependency", message).answer(request)
                continue
            refusal = _refusal(step, request)
            if step_id in surplus:
                refusal = graph_errors.mailbox_concurrency(call.world.settings.retry_after())
            outcome = await self._service.serve(request, refusal)
            answers[step_id] = outcome.answer

    def _request(self, outer: Request, step: Json) -> Request:
        headers = step.get("headers")
        own = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
        url = str(step.get("url"))
        raw_path, _, query = (url if url.startswith("/") else f"/{url}").partition("?")
        return Request(
            method=str(step.get("method", "")).upper(),
            path=f"/{outer.version}{raw_path}" + (f"?{query}" if query else ""),
            version=outer.version,
            below=raw_path,
            query=paths.parse_query(query),
            headers={**own, "authorization": outer.headers.get("authorization", "")},
            body=_body(step, own.get("content-type", "")),
            origin=outer.origin,
            number=self._service.world.ledger.next_number(),
            batch=outer.number,
        )

    def _surplus(self, call: Call, steps: list[Json]) -> set[str]:
        """Return the requests that are one too many for their mailbox, if that is what is assumed of the service."""
        settings = call.world.settings
        if settings.guesses.batch_surplus == "queued" or any(step.get("dependsOn") for step in steps):
            return set()
        seen: Counter[str] = Counter()
        surplus: set[str] = set()
        for step in steps:
            owner = "/".join(str(step.get("url")).strip("/").split("/")[:2]).lower()
            seen[owner] += 1
            if seen[owner] > settings.per_mailbox_concurrency:
                surplus.add(str(step["id"]))
        return surplus


def _steps(body: Json) -> list[Json]:
    steps = body.get("requests")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise graph_errors.bad_request("Invalid batch payload format.")
    if len(steps) > LARGEST:
        message = f"Number of batch request steps exceeds the maximum value of {LARGEST}."
        raise GraphError(400, "MaximumValueExceeded", message)
    known: set[str] = set()
    for step in steps:
        step_id = step.get("id")
        if not isinstance(step_id, str | int) or isinstance(step_id, bool) or step_id == "":
            raise graph_errors.bad_request("Request Id is required in a batch.")
        if str(step_id) in known:
            raise graph_errors.bad_request("Request Id has to be unique in a batch.")
        if not isinstance(step.get("url"), str) or not isinstance(step.get("method"), str):
            raise graph_errors.bad_request("A request in a batch needs a method and a url.")
        wanted = step.get("dependsOn") or []
        if not isinstance(wanted, list) or not {str(each) for each in wanted} <= known:
            raise graph_errors.bad_request(f"Request '{step_id}' depends on a request that does not come before it.")
        known.add(str(step_id))
    return steps


def _refusal(step: Json, request: Request) -> GraphError | None:
    if request.below.lower().startswith("/$batch"):
        return graph_errors.bad_request("Batch requests cannot be nested.")
    if request.method in _WITH_BODY and (step.get("body") is None or "content-type" not in request.headers):
        message = f"Write request id : {step['id']} does not contain Content-Type header or body."
        return graph_errors.bad_request(message)
    return None


def _body(step: Json, content_type: str) -> bytes:
    body = step.get("body")
    if body is None:
        return b""
    if isinstance(body, str) and not content_type.startswith("application/json"):
        return base64.b64decode(body, validate=False)
    return json.dumps(body).encode()


def _response(step_id: str, answer: Answer) -> Json:
    response: Json = {"id": step_id, "status": answer.status}
    headers = {"Cache-Control": "private", **answer.headers}
    if isinstance(answer.body, bytes):
        response["body"] = base64.b64encode(answer.body).decode()
    elif answer.body is not None:
        headers["Content-Type"] = "application/json"
        response["body"] = answer.body
    response["headers"] = headers
    return response
