"""A person's refresh token as a credential: for ``/me`` and for group calendars, which no app may use by itself.

azure-identity has no such credential; MSAL speaks the protocol, and is synchronous, so it runs in a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from msal import ClientApplication, ConfidentialClientApplication, PublicClientApplication

from airflow_graph_cancel.graph.errors import AccessDeniedError, ServiceUnavailableError
from airflow_graph_cancel.graph.retry_after import parse_retry_after

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["LoginServer", "RefreshTokenCredential"]

_EARLY = 300.0
"""Seconds before its end that a token is renewed."""
_latest: dict[str, str] = {}
"""What a refresh token was rotated to, by the digest of the one in the connection; as long as the process lives."""


@dataclass(frozen=True, slots=True)
class LoginServer:
    """Where the login is, and how to get there.

    :param authority: with the tenant, such as ``https://login.microsoftonline.com/contoso.example``.
    :param verify: True, False, or the path of a CA bundle.
    :param proxies: by scheme.
    :param trust_env: use proxies and CAs of the environment.
    :param timeouts: of connecting and of reading, in seconds.
    """

    authority: str
    verify: bool | str = True
    proxies: Mapping[str, str] = field(default_factory=dict, repr=False)
    trust_env: bool = False
    timeouts: tuple[float, float] = (10.0, 60.0)

    def session(self) -> requests.Session:
        """Return an HTTP session for MSAL, which raises our errors when the login is down or away."""
        session = requests.Session()
        session.trust_env = self.trust_env
        session.proxies.update(self.proxies)
        session.hooks["response"].append(_raise_for_unavailable)
        # On each request, as MSAL does itself: requests has no timeout otherwise, and would let a CA of the environment
        # win over ours.
        session.request = partial(session.request, timeout=self.timeouts, verify=self.verify)  # type: ignore[method-assign]
        return session


class RefreshTokenCredential:
    """Fetch access tokens for the person who once signed in (protocol ``AsyncTokenCredential``).

    A login may answer with another refresh token, which is used from then on in this process; the one in the connection
    goes on being tried first by the next process, as Entra leaves it valid.

    :param server: the login.
    :param client_id: of the app that the person signed in to.
    :param secret: of a confidential app, None for a public one.
    :param refresh_token: as the connection has it.

    Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#refresh-the-access-token
    """

    def __init__(self, server: LoginServer, client_id: str, secret: str | None, refresh_token: str) -> None:
        self._server = server
        self._client_id = client_id
        self._secret = secret
        self._given = refresh_token
        self._key = hashlib.sha256("\0".join((server.authority, client_id, refresh_token)).encode()).hexdigest()
        self._token: AccessToken | None = None

    async def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        """Return a token, from the cache if there is one.

        :raises AzureError: if the login refuses, as azure-identity's credentials do.
        :raises ServiceUnavailableError: if the login is down.
        """
        if self._token is None or claims or self._token.expires_on - time.time() < _EARLY:
            self._token = await asyncio.to_thread(self._fetch, list(scopes), claims)
        return self._token

    def _fetch(self, scopes: list[str], claims: str | None) -> AccessToken:
        try:
            with self._server.session() as session:
                return self._redeem(self._app(session), scopes, claims)
        except requests.exceptions.SSLError as error:
            raise AccessDeniedError(
                "The login's TLS certificate is not trusted: give the CA bundle's path as Verify."
            ) from error
        except requests.exceptions.RequestException as error:
            raise ServiceUnavailableError(f"The login could not be reached ({type(error).__name__}).") from error
        except ValueError as error:
            # MSAL's word for an authority or a tenant that does not answer as one.
            raise ClientAuthenticationError(message=str(error)) from None

    def _redeem(self, app: ClientApplication, scopes: list[str], claims: str | None) -> AccessToken:
        refresh_token = _latest.get(self._key, self._given)
        # MSAL's other ways of signing in take a claims challenge, this one only what it posts.
        more = {"data": {"claims": claims}} if claims else {}
        answer: dict[str, Any] = app.acquire_token_by_refresh_token(refresh_token, scopes, **more)
        if "access_token" not in answer and _latest.pop(self._key, ""):
            # The one in the connection may be good where what it was rotated to is not.
            return self._redeem(app, scopes, claims)
        if "access_token" not in answer:
            # azure-identity's error, so that one place explains AADSTS codes.
            raise ClientAuthenticationError(message=str(answer.get("error_description") or answer.get("error")))
        if rotated := answer.get("refresh_token"):
            _latest[self._key] = rotated
        return AccessToken(answer["access_token"], int(time.time()) + int(answer.get("expires_in", 0)))

    def _app(self, session: requests.Session) -> ClientApplication:
        options: dict[str, Any] = {
            "authority": self._server.authority,
            "http_client": session,
            # Otherwise an authority that is not Microsoft's own is looked up at Microsoft's.
            "instance_discovery": False,
        }
        if self._secret is None:
            return PublicClientApplication(self._client_id, **options)
        return ConfidentialClientApplication(self._client_id, client_credential=self._secret, **options)

    async def close(self) -> None:
        """Nothing is open between requests."""

    async def __aenter__(self) -> RefreshTokenCredential:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        await self.close()


def _raise_for_unavailable(response: requests.Response, *_: object, **__: object) -> None:
    status = response.status_code
    if status == 429 or status >= 500:
        retry_after = parse_retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
        raise ServiceUnavailableError(f"The login answered {status}.", status=status, retry_after=retry_after)
