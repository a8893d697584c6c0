"""Running the application: one process, TLS, and an end within a second of being asked."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from typing import TYPE_CHECKING

import uvicorn

from airflow_graph_cancel.sandbox.traffic.asgi import BreakableProtocol

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

    from airflow_graph_cancel.sandbox.server.app import SandboxApp

#: Seconds that requests in flight are given when the sandbox is stopped.
GRACE = 0.3


class SandboxServer(uvicorn.Server):
    """uvicorn, which says when it answers and does not wait for clients when it is stopped.

    :param beside: A server that is started and stopped together with it, and the socket that it listens on.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None] = lambda: None,
        beside: tuple[uvicorn.Server, socket.socket] | None = None,
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._beside = beside
        self._beside_task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        if self._beside:
            server, listener = self._beside
            self._beside_task = asyncio.create_task(server.serve(sockets=[listener]))
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening; cut off whoever is still connected after the grace."""
        asyncio.get_running_loop().call_later(GRACE, self._cut_off)
        if self._beside:
            self._beside[0].should_exit = True
        await super().shutdown(sockets)
        if self._beside_task:
            await self._beside_task

    def _cut_off(self) -> None:
        # What is cut off here is meant to be; uvicorn would log each request of it as an error.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.force_exit = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()


class ServerBeside(SandboxServer):
    """A server that leaves signals to the one that it stands beside."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def run(
    app: SandboxApp,
    listener: socket.socket,
    context: ssl.SSLContext,
    on_ready: Callable[[], None],
    *,
    until_eof: bool,
    plain: tuple[ASGIApp, socket.socket] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM.

    :param until_eof: Also stop when standard input ends, as it does when the parent process dies.
    :param plain: Another application, and the socket on which it is served without TLS.
    """
    config = _config(app, context)
    beside = (ServerBeside(_config(plain[0])), plain[1]) if plain else None
    server = SandboxServer(config, on_ready, beside)

    async def serve() -> None:
        if until_eof:
            asyncio.get_running_loop().add_reader(sys.stdin.fileno(), _stop_at_eof, server)
        await server.serve(sockets=[listener])

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(serve())


def _config(app: SandboxApp | ASGIApp, context: ssl.SSLContext | None = None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        http=BreakableProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=120,
        backlog=4096,
        ssl_context_factory=(lambda _config, _default: context) if context else None,
    )


def _stop_at_eof(server: uvicorn.Server) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        server.should_exit = True
