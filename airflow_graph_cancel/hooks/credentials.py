"""From settings to a credential that fetches tokens: azure-identity's, or ours for a person's refresh token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.identity.aio import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from airflow_graph_cancel.graph.auth.credential import raise_for_unavailable
from airflow_graph_cancel.graph.auth.refresh_token import LoginServer, RefreshTokenCredential
from airflow_graph_cancel.hooks.connection.clouds import CLOUDS, GLOBAL
from airflow_graph_cancel.hooks.connection.credential_kind import Kind

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from airflow_graph_cancel.hooks.connection.settings import GraphSettings

__all__ = ["CONNECT_TIMEOUT", "READ_TIMEOUT", "make_credential"]

CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 60.0
"""Seconds; kiota's own default is none at all, so that a silent server would hold a task for ever."""


def make_credential(settings: GraphSettings) -> AsyncTokenCredential:
    """Return a new credential with an empty cache.

    :param settings: as whom, and over which way to the login.
    """
    sign_in = settings.sign_in
    app: dict[str, Any] = {"tenant_id": sign_in.tenant_id, "client_id": sign_in.client_id}
    match sign_in.kind:
        case Kind.CLIENT_SECRET:
            return ClientSecretCredential(client_secret=sign_in.secret or "", **app, **_transport(settings))
        case Kind.CERTIFICATE:
            return CertificateCredential(
                certificate_path=sign_in.certificate_path,
                certificate_data=sign_in.private_key.encode() if sign_in.private_key else None,
                password=sign_in.certificate_password,
                **app,
                **_transport(settings),
            )
        case Kind.WORKLOAD_IDENTITY:
            return WorkloadIdentityCredential(token_file_path=sign_in.federated_file, **app, **_transport(settings))
        case Kind.MANAGED_IDENTITY:
            # Answered by the machine itself: no proxy is on the way to it, and it has its own way of retrying.
            return ManagedIdentityCredential(client_id=sign_in.client_id, use_env_settings=False)
        case Kind.AZURE_CLI:
            return AzureCliCredential(tenant_id=sign_in.tenant_id or "")
        case Kind.DEFAULT:
            return DefaultAzureCredential(
                authority=settings.authority,
                managed_identity_client_id=sign_in.client_id,
                workload_identity_tenant_id=sign_in.tenant_id,
                connection_verify=settings.verify,
                proxies=_proxies(settings),
            )
        case Kind.REFRESH_TOKEN:
            return RefreshTokenCredential(
                LoginServer(
                    f"{settings.authority or CLOUDS[GLOBAL].authority}/{sign_in.tenant_id}",
                    settings.verify,
                    _proxies(settings) or {},
                    settings.trust_env,
                    (CONNECT_TIMEOUT, READ_TIMEOUT),
                ),
                sign_in.client_id or "",
                sign_in.secret,
                sign_in.refresh_token or "",
            )


def _transport(settings: GraphSettings) -> dict[str, Any]:
    return {
        "authority": settings.authority,
        "disable_instance_discovery": settings.disable_instance_discovery,
        "connection_verify": settings.verify,
        "proxies": _proxies(settings),
        "use_env_settings": settings.trust_env,
        # azure-core's own retries would sleep through any Retry-After with the worker slot held; ours do not.
        "retry_total": 0,
        "raw_response_hook": raise_for_unavailable,
        "connection_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
    }


def _proxies(settings: GraphSettings) -> dict[str, str] | None:
    proxies = {scheme: url for scheme, url in settings.proxies.items() if scheme in {"http", "https"}}
    host = urlsplit(settings.authority or CLOUDS[GLOBAL].authority).hostname or ""
    direct = [name.strip().removeprefix("*") for name in settings.proxies.get("no", "").split(",") if name.strip()]
    return None if any(host.endswith(name) for name in direct) else proxies or None
