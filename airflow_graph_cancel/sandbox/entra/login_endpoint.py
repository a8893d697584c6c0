"""What all endpoints that issue tokens have in common: faults apply to them, and each request is logged."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError
from airflow_graph_cancel.sandbox.traffic import messages
from airflow_graph_cancel.sandbox.traffic.asgi import Receive, Scope, Send, break_connection
from airflow_graph_cancel.sandbox.traffic.faults import BREAKS, HEADER, Fault

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.identity_provider import IdentityProvider
    from airflow_graph_cancel.sandbox.traffic.ledger import TokenRequest

Form = dict[str, str]


class LoginEndpoint(ABC):
    """An ASGI application that answers requests for tokens.

    Faults apply to it if their ``path`` matches.
    """

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider

    @abstractmethod
    def describe(self, form: Form) -> TokenRequest:
        """Return the ledger's entry for a request, before it is checked."""

    @abstractmethod
    def answer(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        """Return the response to a request, and complete its entry in the ledger.

        :raises EntraError: if the request is refused.
        """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, unless a fault applies."""
        request = Request(scope, receive, send)
        sent = await request.body() if request.method == "POST" else scope["query_string"]
        form = {name: values[-1] for name, values in parse_qs(sent.decode("utf-8", "replace")).items()}
        entry = self.describe(form)
        try:
            fault = self._provider.state.faults.pick(
                request.method, request.url.path, request.headers.get(HEADER), at_sign_in=True
            )
        except ValueError as error:
            response: Response = EntraError(400, "invalid_request", 900144, f"{error}.").response()
            await response(scope, receive, send)
            return
        if fault and fault.delay and fault.kind != "hang":
            await asyncio.sleep(fault.delay)
        if fault is None or fault.kind == "slow" or fault.after_effect:
            response = self._answer_or_refuse(request, form, entry)
        if fault and fault.kind != "slow":
            entry.fault = fault.kind
            if fault.kind in BREAKS:
                self._log(entry, None)
                seconds = fault.delay if fault.kind == "hang" else 0.0
                delivery = messages.Delivery(messages.Response(503), fault.kind, seconds)
                await break_connection(delivery, scope, receive, send)
                return
            response = _failed(fault)
        self._log(entry, response.status_code)
        await response(scope, receive, send)

    def _answer_or_refuse(self, request: Request, form: Form, entry: TokenRequest) -> Response:
        try:
            return self.answer(request, form, entry)
        except EntraError as error:
            entry.error, entry.code = error.error, error.number
            return error.response()

    def _log(self, entry: TokenRequest, status: int | None) -> None:
        entry.status, entry.at = status, time.time()
        self._provider.state.ledger.add_token_request(entry)


def token_response(body: dict[str, object]) -> JSONResponse:
    """Return a response with a token, which no intermediary may store."""
    return JSONResponse(body, headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"})


def _failed(fault: Fault) -> Response:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else None
    status = int(fault.kind.removeprefix("empty-")[:3])
    if fault.kind == "502-html":
        return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", status, headers)
    if fault.kind == "empty-500":
        return Response(None, status, headers)
    message = "A transient error has occurred. Please try again."
    response = EntraError(status, "temporarily_unavailable", 90033, message).response()
    response.headers.update(headers or {})
    return response
