"""Access tokens: fetch one for many requests, replace one that Graph refuses, explain a failed sign-in."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError, ServiceResponseError
from azure.identity import CredentialUnavailableError

from airflow_graph_cancel.graph.errors import AccessDeniedError, GraphCancelError, ServiceUnavailableError
from airflow_graph_cancel.graph.retry_after import parse_retry_after

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.pipeline import PipelineResponse

_REASONS = {
    "AADSTS7000215": "the client secret is wrong: enter its value, not its ID",
    "AADSTS7000222": "the client secret has expired",
    "AADSTS700016": "this tenant has no app with this client ID",
    "AADSTS90002": "there is no such tenant",
    "AADSTS900023": "the tenant ID is neither a GUID nor a domain name",
    "AADSTS700027": "the certificate is not registered with the app",
    "AADSTS70011": "the scope is invalid",
    "AADSTS53003": "a Conditional Access policy blocks the app",
    "AADSTS700211": "the app trusts no federated token from this issuer",
    "AADSTS700213": "the app trusts no federated token with this subject",
    "AADSTS700212": "the app trusts no federated token for this audience",
    "AADSTS50173": "the refresh token was revoked: the person must sign in again",
    "AADSTS700082": "the refresh token has expired because it was not used: the person must sign in again",
    "AADSTS50076": "multifactor authentication is required: the person must sign in again",
    "AADSTS50078": "multifactor authentication has expired: the person must sign in again",
    "AADSTS65001": "consent is missing: grant it, then let the person sign in again",
}
"""What Entra's error codes mean for the owner of the connection.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""
_MISSING_ON_MACHINE = {
    "Azure CLI not found": "the Azure CLI is not installed on this machine",
    "az login": "nobody is signed in to the Azure CLI on this machine: run az login",
    "ManagedIdentity": "this machine has no such managed identity, or it does not respond",
}
"""Explanations by phrase for a credential that the machine does not have; azure-identity's texts may quote others."""


class RenewableCredential:
    """An azure-identity credential that can be replaced by a fresh one.

    azure-identity keeps serving a cached token after Graph has answered 401 to it, so a fresh token needs a fresh
    credential. It also fetches one token for each of many concurrent first calls; a lock reduces them to one.

    :param make: returns a new credential with an empty cache.
    """

    def __init__(self, make: Callable[[], AsyncTokenCredential]) -> None:
        self._make = make
        self._credential = make()
        self._lock = asyncio.Lock()

    async def get_token(self, *scopes: str, claims: str | None = None, **kwargs: Any) -> AccessToken:
        """Return a token, from the cache if there is one (protocol ``AsyncTokenCredential``).

        :raises AzureError: if the login refuses or cannot be reached; :func:`login_error` explains it.
        :raises AccessDeniedError: if the login's response holds no token.
        """
        # azure-identity has two caches, with and without continuous access evaluation; kiota asks the first.
        kwargs["enable_cae"] = True
        async with self._lock:
            try:
                return await self._credential.get_token(*scopes, claims=claims, **kwargs)
            except (TypeError, KeyError, ValueError):
                # azure-identity indexes the response unchecked. Not chained: what it quotes may hold the secret.
                raise AccessDeniedError("Sign-in failed: the login's response holds no token.") from None

    async def renew(self) -> None:
        """Discard the cached token; the next call fetches a new one."""
        async with self._lock:
            await self._credential.close()
            self._credential = self._make()

    async def close(self) -> None:
        """Close the HTTP session to the login server."""
        await self._credential.close()

    async def __aenter__(self) -> RenewableCredential:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def login_error(error: AzureError) -> GraphCancelError:
    """Return the error for a failed token request, as one sentence without a secret in it.

    :param error: as azure-identity raised it.
    """
    text = str(error.message)
    if isinstance(error, ServiceRequestError | ServiceResponseError):
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return AccessDeniedError(
                "The login server's TLS certificate is not trusted: set Verify to the path of your CA bundle."
            )
        return ServiceUnavailableError(
            f"The login server could not be reached ({type(error.inner_exception or error).__name__})."
        )
    for phrase, reason in _MISSING_ON_MACHINE.items():
        if isinstance(error, CredentialUnavailableError) and phrase in text:
            return AccessDeniedError(f"Sign-in failed: {reason}.")
    status = error.status_code if isinstance(error, HttpResponseError) else None
    if status is not None and (status == 429 or status >= 500):
        headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", {})
        retry_after = parse_retry_after(headers.get("Retry-After"), headers.get("Date"))
        return ServiceUnavailableError(f"The login server answered {status}.", status=status, retry_after=retry_after)
    codes = re.findall(r"AADSTS\d+", text)
    for code in codes:
        if code in _REASONS:
            return AccessDeniedError(f"Sign-in failed: {_REASONS[code]} ({code}).", status=status, code=code)
    # Never the text itself: a gateway may have quoted the request in it, including the secret.
    code = codes[0] if codes else None
    reason = code or (f"the login server answered {status}" if status else type(error).__name__)
    return AccessDeniedError(f"Sign-in failed: {reason}.", status=status, code=code)


def raise_for_unavailable(response: PipelineResponse[Any, Any]) -> None:
    """Raise if the login server is busy or down.

    azure-identity would take that for a refusal if the body is not JSON.

    :param response: from azure-core, which calls this as its ``raw_response_hook``.
    """
    status = response.http_response.status_code
    if status == 429 or status >= 500:
        raise HttpResponseError(response=response.http_response)


CALENDAR_WRITE = frozenset({"Calendars.ReadWrite", "Calendars.ReadWrite.Shared"})
"""Permissions that let an app or a person cancel events."""


def granted(token: str) -> frozenset[str]:
    """Return the permissions in an access token (claims ``roles`` and ``scp``).

    Microsoft asks clients not to rely on a token's content, so use this for messages to people, never for decisions.

    :param token: a JWT; anything else gives an empty set.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return frozenset([*claims.get("roles", []), *claims.get("scp", "").split()])
    except (IndexError, ValueError, AttributeError, TypeError):
        return frozenset()
