"""Make a client from a connection's settings: credential, HTTP transport and kiota adapter, for one event loop."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from httpx_aiohttp import AiohttpTransport, HttpxAiohttpClient
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider
from kiota_http.httpx_request_adapter import HttpxRequestAdapter
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from kiota_serialization_json.json_serialization_writer_factory import JsonSerializationWriterFactory

from airflow_graph_cancel import __version__
from airflow_graph_cancel.graph.auth.credential import RenewableCredential
from airflow_graph_cancel.graph.auth.refresh_token import LoginServer
from airflow_graph_cancel.graph.errors import AccessDeniedError, ConnectionSettingsError, InvalidInputError
from airflow_graph_cancel.graph.http.client import GraphClient
from airflow_graph_cancel.hooks.connection.clouds import CLOUDS, GLOBAL

if TYPE_CHECKING:
    from airflow_graph_cancel.hooks.connection.settings import GraphSettings

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
"""Seconds. Kiota has no default timeout, so a server that never responds would block a task."""

# For many mailboxes at once; Outlook works on four requests at a time in one mailbox.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30.0)


@asynccontextmanager
async def open_client(settings: GraphSettings) -> AsyncIterator[GraphClient]:
    """Open a client for the running event loop, and close it at the end.

    It is never cached, because an adapter is bound to the event loop that made it.

    :param settings: the connection's.
    """
    _quieten_loggers()
    server = _login_server(settings)
    credential = RenewableCredential(lambda: settings.sign_in.make_credential(server))
    http = HttpxAiohttpClient(
        verify=_ssl_context(settings),
        limits=_LIMITS,
        mounts=_proxy_mounts(settings),
        trust_env=settings.trust_env,
        timeout=TIMEOUT,
        headers={"User-Agent": f"airflow-graph-cancel/{__version__}"},
        event_hooks={"request": [_check_host(settings), *([_check_read_only] if settings.preview_only else [])]},
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


def _login_server(settings: GraphSettings) -> LoginServer:
    proxies = {scheme: url for scheme, url in settings.proxies.items() if scheme in {"http", "https"}}
    host = urlsplit(settings.authority or CLOUDS[GLOBAL].authority).hostname or ""
    direct = [name.strip().removeprefix("*") for name in settings.proxies.get("no", "").split(",") if name.strip()]
    return LoginServer(
        authority=settings.authority,
        verify=settings.verify,
        proxies={} if any(host.endswith(name) for name in direct) else proxies,
        trust_env=settings.trust_env,
        instance_discovery=not settings.disable_instance_discovery,
    )


def _check_host(settings: GraphSettings) -> Callable[[httpx.Request], Awaitable[None]]:
    # Kiota sends a request to any other host too, without a token and without an error.
    async def check(request: httpx.Request) -> None:
        if request.url.host not in settings.allowed_hosts:
            raise AccessDeniedError(
                f"A request to {request.url.host} was not sent: it is not an allowed host. Check Base URL and Allowed "
                f"hosts ({', '.join(settings.allowed_hosts)})."
            )

    return check


async def _check_read_only(request: httpx.Request) -> None:
    # In the transport, below all code that sends: people who do not read DAGs rely on preview_only.
    if request.method not in {"GET", "HEAD"} and not _is_batch_of_reads(request):
        raise InvalidInputError(f"This connection is preview_only, so it refuses {request.method} {request.url.path}.")


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
            f'Connection "{settings.conn_id}": Verify names {settings.verify}, which contains no PEM certificate.'
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


def _quieten_loggers() -> None:
    # azure-identity logs each use of a token at INFO and a proxy's response, with the proxy's password, at WARNING.
    # MSAL logs a response that is not JSON as an ERROR, and a gateway may have quoted the request in it. This package's
    # own errors say what matters. A level that was set explicitly stays.
    warning, error = logging.WARNING, logging.ERROR
    levels = {"azure": warning, "azure.identity": error, "httpx": warning, "msal": warning}
    for name, level in {**levels, "msal.oauth2cli.oauth2": logging.CRITICAL}.items():
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)
