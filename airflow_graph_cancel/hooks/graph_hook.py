"""What every verb of the hook stands on: the connection's settings, and a client that lives as long as it is needed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from airflow.providers.common.compat.connection import get_async_connection, get_async_extra_dejson
from airflow.providers.microsoft.azure.hooks.msgraph import KiotaRequestAdapterHook

from airflow_graph_cancel.hooks.client_factory import open_client
from airflow_graph_cancel.hooks.connection.check import check_connection
from airflow_graph_cancel.hooks.connection.settings import GraphSettings

if TYPE_CHECKING:
    from types import TracebackType

    from kiota_abstractions.request_adapter import RequestAdapter

    from airflow_graph_cancel.graph.http.client import GraphClient

__all__ = ["GraphHook"]


class GraphHook(KiotaRequestAdapterHook):
    """Open clients for Graph through a ``graph_calendar`` or ``msgraph`` connection.

    A client is made for each use, or once for as long as the hook is used as a context manager; it is never cached
    beyond that, as the parent's is, whatever the version or the event loop.

    :param conn_id: Airflow connection.
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's.
    """

    conn_type = "graph_calendar"
    conn_name_attr = "conn_id"
    default_conn_name = "graph_calendar_default"
    hook_name = "Microsoft Graph Calendar"

    def __init__(self, conn_id: str = default_conn_name, api_version: str | None = None) -> None:
        super().__init__(conn_id=conn_id, api_version=api_version)
        self._shared: AsyncExitStack | None = None
        self._client: GraphClient | None = None
        self._settings: GraphSettings | None = None

    async def get_settings(self) -> GraphSettings:
        """Return what the connection says, checked.

        :raises ConnectionSettingsError: naming the form's label of the field that is wrong.
        """
        if self._settings is not None:
            return self._settings
        connection = await get_async_connection(conn_id=self.conn_id, hook=self)
        extra = await get_async_extra_dejson(connection)
        return GraphSettings.from_connection(connection, extra, api_version=self.api_version)

    def test_connection(self) -> tuple[bool, str]:
        """Sign in, say what the app may do, and read the connection's mailbox if it names one."""
        # In a thread of its own: the caller may be running an event loop, the API server for one.
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(asyncio.run, check_connection(self.get_settings)).result()

    async def __aenter__(self) -> Self:
        stack = AsyncExitStack()
        settings = await self.get_settings()
        self._client = await stack.enter_async_context(open_client(settings))
        self._shared, self._settings = stack, settings
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the shared client, if there is one."""
        stack, self._shared, self._client, self._settings = self._shared, None, None, None
        if stack is not None:
            await stack.aclose()

    async def get_async_conn(self) -> RequestAdapter:
        """Return the shared client's adapter, for msgraph-sdk's builders and the parent's ``run``.

        The parent's cache is one per connection for the whole process, whatever the version or the event loop; ours
        lives as long as the context manager.
        """
        if self._client is None:
            await self.__aenter__()
        assert self._client is not None
        return self._client.adapter

    def get_conn(self) -> RequestAdapter:
        """Refuse: the parent's synchronous adapter knows nothing of ``preview_only`` and of hosts that get no token.

        :raises RuntimeError: always.
        """
        raise RuntimeError("GraphEventHook has no synchronous adapter: use get_async_conn.")

    @staticmethod
    def normalize_url(url: str) -> str:
        """Return a path that fits behind our base URL, which has no trailing slash (the parent's has one)."""
        return f"/{url.lstrip('/')}"

    @asynccontextmanager
    async def _open(self, settings: GraphSettings) -> AsyncIterator[GraphClient]:
        if self._client is not None:
            yield self._client
        else:
            async with open_client(settings) as client:
                yield client

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return nothing: the form is drawn from the provider's metadata."""
        return {}

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return nothing: the form is drawn from the provider's metadata."""
        return {}
