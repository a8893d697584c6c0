"""ASGI in and out, and connections that really break."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.traffic.messages import Delivery, Response

# ASGI's own types, which leave the values of scope and messages open.
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

TRANSPORT = "sandbox.transport"
_JSON = b"application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


class BreakableProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, with the transport in the scope, where the application can break the connection."""

    def on_message_begin(self) -> None:
        """Begin a request as uvicorn does, and add the transport to its scope."""
        super().on_message_begin()
        cast("Scope", self.scope)[TRANSPORT] = self.transport


async def read_body(receive: Receive) -> bytes | None:
    """Return the whole body; None if the client disconnected first."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += cast("bytes", message.get("body", b""))
        if not message.get("more_body"):
            return body


async def send_response(response: Response, send: Send) -> None:
    """Send a response with its length, which keeps the connection reusable."""
    body = response.encoded()
    await send({"type": "http.response.start", "status": response.status, "headers": _headers(response, len(body))})
    await send({"type": "http.response.body", "body": body})


async def break_connection(delivery: Delivery, scope: Scope, receive: Receive, send: Send) -> None:
    """Fail as the delivery says: reset, close without a response, half a response, or silence first."""
    transport = cast("asyncio.Transport", scope[TRANSPORT])
    if delivery.seconds:
        # The wait ends early if the client disconnects.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(_disconnected(receive), delivery.seconds)
    if delivery.breaks == "truncated":
        response = delivery.response
        whole = response.encoded() or b'{"value":'
        half = whole[: max(1, len(whole) // 2)]
        headers = _headers(response, len(whole) + 1)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        await send({"type": "http.response.body", "body": half, "more_body": True})
    if delivery.breaks == "reset":
        _reset(transport)
    else:
        transport.close()
    await _disconnected(receive)


def _reset(transport: asyncio.Transport) -> None:
    """End the connection with a TCP RST: without lingering, the kernel drops unsent data and resets."""
    descriptor = transport.get_extra_info("socket").fileno()
    # uvloop's socket object cannot set options; a second handle on the same connection can.
    with socket.socket(fileno=os.dup(descriptor)) as handle:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _headers(response: Response, length: int) -> list[tuple[bytes, bytes]]:
    headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in response.headers.items()]
    if length and "Content-Type" not in response.headers:
        headers.append((b"Content-Type", _JSON))
    headers.append((b"Cache-Control", b"private"))
    if response.status != 204:
        headers.append((b"Content-Length", str(length).encode()))
    return headers
