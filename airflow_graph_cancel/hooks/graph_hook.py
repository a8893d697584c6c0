"""Base of the hook: reads the Airflow connection, and opens and closes clients."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from airflow.sdk import BaseHook

from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.check import check_connection
from airflow_graph_cancel.hooks.client_factory import open_client
from airflow_graph_cancel.hooks.connection.settings import GraphSettings

if TYPE_CHECKING:
    from airflow.sdk import Connection
    from kiota_abstractions.request_adapter import RequestAdapter

    from airflow_graph_cancel.graph.http.client import GraphClient

_reader = ThreadPoolExecutor(max_workers=1)
"""Reads connections one by one: ``dag.test()`` returns answers in order, so two reads at once could swap them.

It is not one of asyncio's own threads. Reads that wait for the supervisor could occupy all of those, and Airflow needs
one to receive the supervisor's answer.
"""


def _replace_reader() -> None:
    global _reader
    _reader = ThreadPoolExecutor(max_workers=1)


# A thread does not survive a fork.
os.register_at_fork(after_in_child=_replace_reader)


class GraphHook(BaseHook):
    """Open clients for Graph through a ``graph_calendar`` or ``msgraph`` connection.

    Each call opens its own client, or shares one while the hook is used as a context manager. No client outlives that:
    it is bound to one event loop.

    :param conn_id: Airflow connection.
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's.
    """

    conn_type = "graph_calendar"
    conn_name_attr = "conn_id"
    default_conn_name = "graph_calendar_default"
    hook_name = "Microsoft Graph Calendar"

    def __init__(self, conn_id: str = default_conn_name, api_version: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.api_version = api_version
        self._shared: AsyncExitStack | None = None
        self._client: GraphClient | None = None
        self._settings: GraphSettings | None = None

    async def get_settings(self) -> GraphSettings:
        """Read the connection and validate it.

        :raises ConnectionSettingsError: names the invalid field by its label in the form.
        """
        if self._settings is not None:
            return self._settings
        read = partial(copy_context().run, self._read_connection)
        connection, extra = await asyncio.get_running_loop().run_in_executor(_reader, read)
        return GraphSettings.from_connection(connection, extra, api_version=self.api_version)

    def _read_connection(self) -> tuple[Connection, dict[str, Any]]:
        # Runs in a thread, because masking secrets is a request to the supervisor: on the event loop, it raises
        # DeadlockImminentError while another request is in flight. In Airflow 3.3.1, so does aget_connection.
        connection = self.get_connection(self.conn_id)
        extra = connection.extra_dejson or {}
        if not isinstance(extra, dict):
            raise ConnectionSettingsError(f'Connection "{self.conn_id}": the extras must be a JSON object.')
        return connection, extra

    def test_connection(self) -> tuple[bool, str]:
        """Sign in, report the app's permissions, and read the mailbox if the connection names one."""
        # In a thread, because the caller may be running an event loop, as the API server does. Airflow's workers keep
        # the connection that they test in a context variable, which a thread does not inherit.
        with ThreadPoolExecutor(max_workers=1) as thread:
            check = check_connection(self.get_settings)
            return thread.submit(copy_context().run, asyncio.run, check).result()

    async def __aenter__(self) -> Self:
        stack = AsyncExitStack()
        settings = await self.get_settings()
        self._client = await stack.enter_async_context(open_client(settings))
        self._shared, self._settings = stack, settings
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the shared client, if there is one."""
        stack, self._shared, self._client, self._settings = self._shared, None, None, None
        if stack is not None:
            await stack.aclose()

    async def get_async_conn(self) -> RequestAdapter:
        """Return the shared client's adapter, for msgraph-sdk's ``GraphServiceClient(request_adapter=...)``.

        It is valid until the hook is closed. The connection's rules apply to it, too: allowed hosts, ``preview_only``,
        proxies and TLS.
        """
        if self._client is None:
            await self.__aenter__()
        assert self._client is not None
        return self._client.adapter

    def get_conn(self) -> RequestAdapter:
        """Refuse: Graph's SDK is asynchronous.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError("GraphEventHook has no synchronous adapter: use get_async_conn.")

    @asynccontextmanager
    async def _open(self, settings: GraphSettings) -> AsyncIterator[GraphClient]:
        if self._client is not None:
            yield self._client
        else:
            async with open_client(settings) as client:
                yield client
