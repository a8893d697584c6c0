"""The sandbox as one ASGI application, and the server that runs it: one process, TLS, a stop within a second.

Its certificate authority is kept between starts, so saved connections keep working.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import ssl
import sys
from typing import TYPE_CHECKING

import trustme
import uvicorn
from starlette.routing import Router

from airflow_graph_cancel.sandbox.control.control_api import Control
from airflow_graph_cancel.sandbox.entra import authority
from airflow_graph_cancel.sandbox.graph_api.pipeline import GraphPipeline
from airflow_graph_cancel.sandbox.traffic.asgi import BreakableProtocol, Receive, Scope, Send

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

    from airflow_graph_cancel.sandbox.entra.sign_ins import IdentityProvider

#: Seconds in which requests in flight can finish when the sandbox is stopped.
GRACE = 0.3
#: The names in the server's certificate.
NAMES = ("localhost", "127.0.0.1", "::1")


class SandboxApp:
    """Routes paths that begin with a version of Graph to Graph, all others to sign-in and control.

    :param port: The port at which clients reach it, for links and for the audience of tokens.
    """

    def __init__(self, provider: IdentityProvider, port: int) -> None:
        self._graph = GraphPipeline(provider, port)
        self._others = Router([*Control(provider).routes(), *authority.routes(provider, port)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["raw_path"].split(b"/", 2)[1] in (b"v1.0", b"beta"):
            await self._graph(scope, receive, send)
        else:
            await self._others(scope, receive, send)


class SandboxServer(uvicorn.Server):
    """uvicorn, with a callback when it is ready, and without waiting for clients when it stops.

    :param secondary: A server that starts and stops together with this one, and its socket.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        on_ready: Callable[[], None] = lambda: None,
        secondary: tuple[uvicorn.Server, socket.socket] | None = None,
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._secondary = secondary
        self._secondary_task: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then call back."""
        if self._secondary:
            server, listener = self._secondary
            self._secondary_task = asyncio.create_task(server.serve(sockets=[listener]))
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening; close the connections that are left after the grace period."""
        asyncio.get_running_loop().call_later(GRACE, self._cut_off)
        if self._secondary:
            self._secondary[0].should_exit = True
        await super().shutdown(sockets)
        if self._secondary_task:
            await self._secondary_task

    def _cut_off(self) -> None:
        # These requests are aborted on purpose; uvicorn would log each as an error.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.force_exit = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()


class SecondaryServer(SandboxServer):
    """A server that leaves signals to the main server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def server_context(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """Return a TLS context for the server, and the path of the CA that its clients must trust.

    The CA is created once per directory, the server's certificate at each start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    certificate, key = directory / "ca.pem", directory / "ca-key.pem"
    if certificate.exists() and key.exists():
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    else:
        authority = trustme.CA(organization_name="Graph sandbox")
        with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(authority.private_key_pem.bytes())
        authority.cert_pem.write_to_path(str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    authority.issue_cert(*NAMES).configure_cert(context)
    return context, certificate.resolve()


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
    :param plain: Another application, and the socket for it, without TLS.
    """
    config = _config(app, context)
    secondary = (SecondaryServer(_config(plain[0])), plain[1]) if plain else None
    server = SandboxServer(config, on_ready, secondary)

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
