"""Graph on the wire: ASGI in and out, and connections that really break."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from airflow_graph_cancel.sandbox.graph_api import paths
from airflow_graph_cancel.sandbox.traffic.messages import Answer, Request

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.pipeline import GraphService, Outcome

# The types of ASGI itself, which leaves the values of scope and messages open.
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TRANSPORT = "sandbox.transport"
_JSON = b"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


class BreakableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the connection put where the application can break it."""

    def on_message_begin(self) -> None:
        """Begin a request as uvicorn does, and let the application know the transport."""
        super().on_message_begin()
        cast("Scope", self.scope)[TRANSPORT] = self.transport


class GraphEndpoint:
    """The ASGI application below ``/v1.0`` and ``/beta``.

    Written on ASGI itself: a request costs a fraction of what a routing framework takes for one.
    """

    def __init__(self, service: GraphService) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await read_body(receive)
        if body is None:
            return
        raw_path = scope["raw_path"].decode("ascii")
        query = scope["query_string"].decode("ascii")
        version, slash, below = raw_path[1:].partition("/")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(
            method=scope["method"],
            path=f"{raw_path}?{query}" if query else raw_path,
            version=version,
            below=slash + below,
            query=paths.parse_query(query),
            headers=headers,
            body=body,
            origin=f"https://{headers.get('host', 'localhost')}",
            number=self._service.world.ledger.next_number(),
        )
        outcome = await self._service.serve(request)
        if outcome.breaks:
            await break_connection(outcome, scope, receive, send)
        else:
            await send_answer(outcome.answer, send)


async def read_body(receive: Receive) -> bytes | None:
    """Return the whole body; None if the client went away before it was there."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += cast("bytes", message.get("body", b""))
        if not message.get("more_body"):
            return body


async def send_answer(answer: Answer, send: Send) -> None:
    """Send an answer with its length, so that the connection can be used again."""
    body = answer.encoded()
    await send({"type": "http.response.start", "status": answer.status, "headers": _headers(answer, len(body))})
    await send({"type": "http.response.body", "body": body})


async def break_connection(outcome: Outcome, scope: Scope, receive: Receive, send: Send) -> None:
    """Fail in the way that the outcome names: reset, close without an answer, half an answer, or silence first."""
    transport = cast("asyncio.Transport", scope[TRANSPORT])
    if outcome.seconds:
        # A client that gives up earlier ends the wait.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_disconnected(receive), outcome.seconds)
    if outcome.breaks == "truncated":
        whole = outcome.answer.encoded() or b'{"value":'
        half = whole[: max(1, len(whole) // 2)]
        headers = _headers(outcome.answer, len(whole) + 1)
        await send({"type": "http.response.start", "status": outcome.answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})
    if outcome.breaks == "reset":
        reset(transport)
    else:
        transport.close()
    await _disconnected(receive)


def reset(transport: asyncio.Transport) -> None:
    """End the connection with a TCP RST: without lingering, the kernel drops what is unsent and resets."""
    descriptor = transport.get_extra_info("socket").fileno()
    # uvloop's own socket object cannot set options; a second handle on the same connection can.
    with socket.socket(fileno=os.dup(descriptor)) as handle:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(answer: Answer, length: int) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in answer.headers.items()]
    if length and "Content-Type" not in answer.headers:
        headers.append((b"Content-Type", _JSON))
    headers.append((b"Cache-Control", b"private"))
    if answer.status != 204:
        headers.append((b"Content-Length", str(length).encode()))
    return headers
