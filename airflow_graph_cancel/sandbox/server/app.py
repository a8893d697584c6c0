"""The whole sandbox as one ASGI application: Graph, the login authority, the control API and the front page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Router

from airflow_graph_cancel.sandbox.control.control_api import Control
from airflow_graph_cancel.sandbox.control.sign_in_control import SignInControl
from airflow_graph_cancel.sandbox.entra import authority
from airflow_graph_cancel.sandbox.graph_api.pipeline import GraphService
from airflow_graph_cancel.sandbox.graph_api.routes import ACTIONS
from airflow_graph_cancel.sandbox.traffic.asgi import GraphEndpoint, Receive, Scope, Send

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.state import World


class SandboxApp:
    """Sends what begins with a version of Graph to Graph, everything else to the rest.

    :param port: On which it will be reached, for links and for tokens that are meant for it.
    """

    def __init__(self, world: World, port: int) -> None:
        self._graph = GraphEndpoint(GraphService(world, ACTIONS, port))
        self._rest = Router([*Control(world).routes(), *SignInControl(world).routes(), *authority.routes(world, port)])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["raw_path"].split(b"/", 2)[1] in (b"v1.0", b"beta"):
            await self._graph(scope, receive, send)
        else:
            await self._rest(scope, receive, send)
