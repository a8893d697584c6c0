"""A person's refresh token as a credential, for ``/me`` and group calendars, which an app cannot use by itself.

azure-identity has no such credential. MSAL implements the protocol; it is synchronous, so it runs in a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import AzureAuthorityHosts
from msal import ClientApplication, ConfidentialClientApplication, PublicClientApplication

from airflow_graph_cancel.graph.errors import AccessDeniedError, ServiceUnavailableError
from airflow_graph_cancel.graph.retry_after import parse_retry_after

_RENEW_BEFORE = 300.0
"""Seconds before a token's expiry at which it is renewed."""
_latest: dict[str, str] = {}
"""The newest refresh token by the digest of the one in the connection, for the lifetime of the process."""


@dataclass(frozen=True, slots=True)
class LoginServer:
    """The server that issues tokens, and how to reach it.

    :param authority: its address without the tenant, such as ``https://login.microsoftonline.us``; None for the public
        cloud.
    :param verify: True, False, or the path of a CA bundle.
    :param proxies: proxy URLs by scheme.
    :param trust_env: use the environment's proxies and CAs.
    :param instance_discovery: ask Microsoft whether the authority is one of its own.
    :param timeouts: for connecting and for reading, in seconds.
    """

    authority: str | None = None
    verify: bool | str = True
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    trust_env: bool = False
    instance_discovery: bool = True
    timeouts: tuple[float, float] = (10.0, 60.0)

    def authority_of(self, tenant_id: str) -> str:
        """Return the authority of one tenant."""
        return f"{self.authority or f'https://{AzureAuthorityHosts.AZURE_PUBLIC_CLOUD}'}/{tenant_id}"

    def session(self) -> requests.Session:
        """Return an HTTP session for MSAL that raises this package's errors when the server is busy or down."""
        session = requests.Session()
        session.trust_env = self.trust_env
        session.proxies.update(self.proxies)
        session.hooks["response"].append(_raise_for_unavailable)
        # With each request, as MSAL itself does: requests has no default timeout, and would prefer a CA bundle from the
        # environment.
        session.request = partial(session.request, timeout=self.timeouts, verify=self.verify)  # type: ignore[method-assign]
        return session


class RefreshTokenCredential:
    """Fetch access tokens for a person who has signed in once (protocol ``AsyncTokenCredential``).

    The server may answer with a new refresh token. This process uses the new one from then on; the next process starts
    with the connection's again, which Entra keeps valid.

    :param server: where to fetch them.
    :param tenant_id: the person's tenant.
    :param client_id: app that the person signed in to.
    :param secret: the app's secret if it is confidential, None if it is public.
    :param refresh_token: from the connection.

    Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
    """

    def __init__(
        self, server: LoginServer, *, tenant_id: str, client_id: str, secret: str | None, refresh_token: str
    ) -> None:
        self._server = server
        self._authority = server.authority_of(tenant_id)
        self._client_id = client_id
        self._secret = secret
        self._given = refresh_token
        self._key = hashlib.sha256("\0".join((self._authority, client_id, refresh_token)).encode()).hexdigest()
        self._token: AccessToken | None = None

    async def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        """Return a token, from the cache if there is one.

        :raises AzureError: if the server refuses, as azure-identity's credentials do.
        :raises ServiceUnavailableError: if the server is busy or down.
        """
        if self._token is None or claims or self._token.expires_on - time.time() < _RENEW_BEFORE:
            self._token = await asyncio.to_thread(self._fetch, list(scopes), claims)
        return self._token

    def _fetch(self, scopes: list[str], claims: str | None) -> AccessToken:
        try:
            with self._server.session() as session:
                return self._redeem(self._app(session), scopes, claims)
        except requests.exceptions.SSLError as error:
            raise AccessDeniedError(
                "The login server's TLS certificate is not trusted: set Verify to the path of your CA bundle."
            ) from error
        except requests.exceptions.RequestException as error:
            raise ServiceUnavailableError(f"The login server could not be reached ({type(error).__name__}).") from error
        except ValueError as error:
            # MSAL raises it for an authority or a tenant that does not answer as one.
            raise ClientAuthenticationError(message=str(error)) from None

    def _redeem(self, app: ClientApplication, scopes: list[str], claims: str | None) -> AccessToken:
        refresh_token = _latest.get(self._key, self._given)
        # MSAL's other flows take a claims challenge as an argument; this one only takes extra form data.
        options = {"data": {"claims": claims}} if claims else {}
        answer: dict[str, Any] = app.acquire_token_by_refresh_token(refresh_token, scopes, **options)
        if "access_token" not in answer and _latest.pop(self._key, ""):
            # The connection's refresh token may still be valid when its successor is not.
            return self._redeem(app, scopes, claims)
        if "access_token" not in answer:
            # azure-identity's error, because login_error explains AADSTS codes for both.
            raise ClientAuthenticationError(message=str(answer.get("error_description") or answer.get("error")))
        if rotated := answer.get("refresh_token"):
            _latest[self._key] = rotated
        return AccessToken(answer["access_token"], int(time.time()) + int(answer.get("expires_in", 0)))

    def _app(self, session: requests.Session) -> ClientApplication:
        options: dict[str, Any] = {
            "authority": self._authority,
            "http_client": session,
            # Otherwise MSAL asks Microsoft about an authority that is not Microsoft's.
            "instance_discovery": False,
        }
        if self._secret is None:
            return PublicClientApplication(self._client_id, **options)
        return ConfidentialClientApplication(self._client_id, client_credential=self._secret, **options)

    async def close(self) -> None:
        """Do nothing: no connection is open between requests."""

    async def __aenter__(self) -> RefreshTokenCredential:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _raise_for_unavailable(response: requests.Response, *_: object, **__: object) -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        retry_after = parse_retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
        raise ServiceUnavailableError(f"The login server answered {status}.", status=status, retry_after=retry_after)
