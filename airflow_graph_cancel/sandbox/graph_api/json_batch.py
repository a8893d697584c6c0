"""``POST /$batch``: up to twenty requests in one, four at a time."""

from __future__ import annotations

import asyncio
import base64
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.graph_api.call import parse_query
from airflow_graph_cancel.sandbox.traffic.faults import mailbox_concurrency
from airflow_graph_cancel.sandbox.traffic.messages import Delivery, GraphError, Request, Response, bad_request

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_graph_cancel.sandbox.graph_api.call import Call
    from airflow_graph_cancel.sandbox.tenant.entities import Json

LARGEST = 20
CONCURRENCY = 4
_WITH_BODY = ("POST", "PATCH", "PUT")
#: Serves a single request, or refuses it with an error that is already known.
Serve = Callable[[Request, GraphError | None], Awaitable[Delivery]]


class Batch:
    """Runs batches.

    :param serve: Serves the single requests.
    :param seed: For the order of the responses, which is never that of the requests.
    """

    def __init__(self, serve: Serve, seed: int) -> None:
        self._serve = serve
        self._random = random.Random(seed)

    async def run(self, call: Call) -> Response:
        """Answer a batch: 200 if it is well-formed, whatever the responses to its requests."""
        steps = _steps(call.request.json())
        responses: dict[str, Response] = {}
        surplus = _surplus(call, steps)
        waiting = iter(steps)
        # If requests depend on others, the service runs them one by one, as documented.
        concurrency = 1 if any(step.get("dependsOn") for step in steps) else CONCURRENCY
        await asyncio.gather(*(self._work(call, waiting, responses, surplus) for _ in range(concurrency)))
        rows = [_response(step_id, response) for step_id, response in responses.items()]
        self._random.shuffle(rows)
        return Response(200, {"responses": rows})

    async def _work(
        self, call: Call, waiting: Iterator[Json], responses: dict[str, Response], surplus: set[str]
    ) -> None:
        for step in waiting:
            step_id = str(step["id"])
            request = _request(call, step)
            wanted = step.get("dependsOn") or []
            if isinstance(wanted, list) and any(responses[str(each)].status >= 400 for each in wanted):
                message = "Execution of request failed due to dependency on a failed request."
                responses[step_id] = GraphError(424, "FailedDependency", message).response(request)
                continue
            refusal = _refusal(step, request)
            if step_id in surplus:
                refusal = mailbox_concurrency(call.state.settings.retry_after())
            responses[step_id] = (await self._serve(request, refusal)).response


def _request(call: Call, step: Json) -> Request:
    outer, headers = call.request, step.get("headers")
    own = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
    url = str(step.get("url"))
    raw_path, _, query = (url if url.startswith("/") else f"/{url}").partition("?")
    return Request(
        method=str(step.get("method", "")).upper(),
        path=f"/{outer.version}{raw_path}" + (f"?{query}" if query else ""),
        version=outer.version,
        below=raw_path,
        query=parse_query(query),
        headers={**own, "authorization": outer.headers.get("authorization", "")},
        body=_body(step, own.get("content-type", "")),
        origin=outer.origin,
        number=call.state.ledger.next_number(),
        batch=outer.number,
    )


def _surplus(call: Call, steps: list[Json]) -> set[str]:
    """Return the requests above their mailbox's limit, if the guess says that the service throttles them."""
    if call.guesses.batch_surplus == "queued" or any(step.get("dependsOn") for step in steps):
        return set()
    seen: Counter[str] = Counter()
    surplus: set[str] = set()
    for step in steps:
        owner = "/".join(str(step.get("url")).strip("/").split("/")[:2]).lower()
        seen[owner] += 1
        if seen[owner] > call.state.settings.per_mailbox_concurrency:
            surplus.add(str(step["id"]))
    return surplus


def _steps(body: Json) -> list[Json]:
    steps = body.get("requests")
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise bad_request("Invalid batch payload format.")
    if len(steps) > LARGEST:
        message = f"Number of batch request steps exceeds the maximum value of {LARGEST}."
        raise GraphError(400, "MaximumValueExceeded", message)
    known: set[str] = set()
    for step in steps:
        step_id = step.get("id")
        if not isinstance(step_id, str | int) or isinstance(step_id, bool) or step_id == "":
            raise bad_request("Request Id is required in a batch.")
        if str(step_id) in known:
            raise bad_request("Request Id has to be unique in a batch.")
        if not isinstance(step.get("url"), str) or not isinstance(step.get("method"), str):
            raise bad_request("A request in a batch needs a method and a url.")
        wanted = step.get("dependsOn") or []
        if not isinstance(wanted, list) or not {str(each) for each in wanted} <= known:
            raise bad_request(f"Request '{step_id}' depends on a request that does not come before it.")
        known.add(str(step_id))
    return steps


def _refusal(step: Json, request: Request) -> GraphError | None:
    if request.below.lower().startswith("/$batch"):
        return bad_request("Batch requests cannot be nested.")
    if request.method in _WITH_BODY and (step.get("body") is None or "content-type" not in request.headers):
        message = f"Write request id : {step['id']} does not contain Content-Type header or body."
        return bad_request(message)
    return None


def _body(step: Json, content_type: str) -> bytes:
    body = step.get("body")
    if body is None:
        return b""
    if isinstance(body, str) and not content_type.startswith("application/json"):
        return base64.b64decode(body, validate=False)
    return json.dumps(body).encode()


def _response(step_id: str, response: Response) -> Json:
    row: Json = {"id": step_id, "status": response.status}
    headers = {"Cache-Control": "private", **response.headers}
    if isinstance(response.body, bytes):
        row["body"] = base64.b64encode(response.body).decode()
    elif response.body is not None:
        headers["Content-Type"] = "application/json"
        row["body"] = response.body
    row["headers"] = headers
    return row
