"""From settings to a client that can send: credential, HTTP transport and kiota adapter, for one event loop."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider
from kiota_http.httpx_request_adapter import HttpxRequestAdapter
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory

from airflow_graph_cancel import __version__
from airflow_graph_cancel.graph.auth.credential import RenewableCredential
from airflow_graph_cancel.graph.errors import AccessDeniedError, ConnectionSettingsError, InvalidInputError
from airflow_graph_cancel.graph.http.client import GraphClient
from airflow_graph_cancel.hooks.credentials import CONNECT_TIMEOUT, READ_TIMEOUT, make_credential

if TYPE_CHECKING:
    from airflow_graph_cancel.hooks.connection.settings import GraphSettings

__all__ = ["TIMEOUT", "open_client"]

TIMEOUT = httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
"""Seconds; kiota's own default is none at all, so that a silent server would hold a task for ever."""

# The Outlook service serves four requests at a time for one mailbox; this is for many mailboxes side by side.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30.0)


@asynccontextmanager
async def open_client(settings: GraphSettings) -> AsyncIterator[GraphClient]:
    """Open a client for the running event loop and close it at the end.

    Never cached: an adapter is bound to the loop that made it, and tests and Airflow use many.

    :param settings: where to, and as whom.
    """
    _quieten()
    credential = RenewableCredential(lambda: make_credential(settings))
    http = HttpxAiohttpClient(
        verify=_ssl_context(settings),
        limits=_LIMITS,
        mounts=_proxy_mounts(settings),
        trust_env=settings.trust_env,
        timeout=TIMEOUT,
        headers={"User-Agent": f"airflow-graph-cancel/{__version__}"},
        event_hooks={"request": [_only_graph(settings), *([_only_read] if settings.preview_only else [])]},
    )
    try:
        provider = BaseBearerTokenAuthenticationProvider(
            AzureIdentityAccessTokenProvider(
                credential, None, list(settings.scopes), allowed_hosts=list(settings.allowed_hosts)
            )
        )
        adapter = HttpxRequestAdapter(
            provider,
            parse_node_factory=JsonParseNodeFactory(),
            serialization_writer_factory=JsonSerializationWriterFactory(),
            http_client=http,
        )
        adapter.base_url = settings.base_url
        yield GraphClient(adapter, credential, settings.scopes)
    finally:
        await http.aclose()
        await credential.close()


def _only_graph(settings: GraphSettings) -> Callable[[httpx.Request], Awaitable[None]]:
    # Kiota sends a request for another host as well, without a token and without a word.
    async def check(request: httpx.Request) -> None:
        if request.url.host not in settings.allowed_hosts:
            raise AccessDeniedError(
                f"A request for {request.url.host} was not sent: this connection is for {settings.allowed_hosts[0]}. "
                "Check Base URL and Allowed hosts."
            )

    return check


async def _only_read(request: httpx.Request) -> None:
    # Below everything that could send: a preview_only connection is a promise to people who do not read DAGs.
    if request.method not in {"GET", "HEAD"} and not _is_batch_of_reads(request):
        raise InvalidInputError(f"This connection is preview_only: {request.method} {request.url.path} was not sent.")


def _is_batch_of_reads(request: httpx.Request) -> bool:
    if not request.url.path.endswith("/$batch"):
        return False
    return all(part.get("method") == "GET" for part in json.loads(request.content)["requests"])


def _ssl_context(settings: GraphSettings) -> ssl.SSLContext:
    if isinstance(settings.verify, bool):
        return httpx.create_ssl_context(verify=settings.verify, trust_env=settings.trust_env)
    try:
        if Path(settings.verify).is_dir():
            return ssl.create_default_context(capath=settings.verify)
        return ssl.create_default_context(cafile=settings.verify)
    except ssl.SSLError as error:
        raise ConnectionSettingsError(
            f'Connection "{settings.conn_id}": Verify names {settings.verify}, which holds no certificate in PEM.'
        ) from error


def _transport(settings: GraphSettings, proxy: str | None) -> AiohttpTransport:
    return AiohttpTransport(
        verify=_ssl_context(settings),
        trust_env=settings.trust_env,
        limits=_LIMITS,
        proxy=httpx.Proxy(proxy) if proxy else None,
    )


def _proxy_mounts(settings: GraphSettings) -> dict[str, AiohttpTransport | None]:
    mounts: dict[str, AiohttpTransport | None] = {}
    for scheme in ("http", "https"):
        if proxy := settings.proxies.get(scheme):
            mounts[f"{scheme}://"] = _transport(settings, proxy)
    if mounts:
        for host in settings.proxies.get("no", "").split(","):
            if host.strip():
                name = host.strip().removeprefix("*")
                mounts[name if "://" in name else f"all://{name}"] = _transport(settings, None)
    return mounts


def _quieten() -> None:
    # azure-identity says at INFO that it has a token, once for every request, and at WARNING what a proxy answered,
    # with the proxy's password; our own errors say the rest. A level set by a person stays.
    # MSAL puts what a login answered into an ERROR if it is no JSON, and a gateway may have put the request into that.
    warning, error = logging.WARNING, logging.ERROR
    levels = {"azure": warning, "azure.identity": error, "httpx": warning, "msal": warning}
    for name, level in {**levels, "msal.oauth2cli.oauth2": logging.CRITICAL}.items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)
