"""Proxies serve the login and Graph alike, or neither."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from airflow_graph_cancel.hooks.graph_event import GraphEventHook
from tests.support.contoso import ADA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_graph_cancel.sandbox.client import Sandbox


class Proxy:
    """An HTTP proxy that tunnels, and counts the tunnels."""

    def __init__(self) -> None:
        self.tunnels: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self._started.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._started.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.tunnels.append(target)
        host, _, port = target.rpartition(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def stop(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """One that is up."""
    proxy = Proxy()
    yield proxy
    proxy.stop()


def cancel(sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    """Cancel through a connection with these extras."""
    changed = {**sandbox.connection, "extra": {**sandbox.connection["extra"], **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_PROXIED", json.dumps(changed))
    result = asyncio.run(GraphEventHook("proxied").cancel_event(event_id, "Closed.", user_id=ADA))
    assert result.outcome == "cancelled"


def test_the_connections_proxies(
    sandbox: Sandbox, event_id: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One tunnel to the login, one to Graph."""
    cancel(sandbox, event_id, monkeypatch, proxies={"https": proxy.url})
    assert len(proxy.tunnels) == 2


def test_a_host_without_proxy(sandbox: Sandbox, event_id: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands under "no" is reached directly, by both."""
    cancel(sandbox, event_id, monkeypatch, proxies={"https": proxy.url, "no": "localhost"})
    assert proxy.tunnels == []


@pytest.mark.parametrize("trusted", [True, False])
def test_the_environments_proxies(
    sandbox: Sandbox, event_id: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    """Trust environment decides for both."""
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    cancel(sandbox, event_id, monkeypatch, trust_env=trusted)
    assert len(proxy.tunnels) == (2 if trusted else 0)


def test_verification_can_be_switched_off(sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the login and Graph alike; it is on unless somebody says so."""
    cancel(sandbox, event_id, monkeypatch, verify=False)
