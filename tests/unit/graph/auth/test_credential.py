"""Tokens: one fetch for many requests, a fresh one when Graph asks for it, and sign-ins that fail explained.

A failed sign-in is explained without repeating what was sent or what a stranger answered.
"""

from __future__ import annotations

import asyncio
import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.identity import CredentialUnavailableError

from airflow_graph_cancel.graph.auth.credential import (
    CALENDAR_WRITE,
    RenewableCredential,
    granted,
    login_error,
    raise_for_unavailable,
)
from airflow_graph_cancel.graph.errors import AccessDeniedError, GraphCancelError, ServiceUnavailableError
from tests.support.virtual_clock import virtual_clock

SCOPE = "https://graph.example/.default"
SECRET = "s3cr3t%2Bvalue"


class Azure:
    """Credentials as azure-identity makes them: a cache, and a fetch that takes a second."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.options: list[tuple[str | None, dict[str, Any]]] = []
        self._made = 0

    def make(self) -> Any:
        """Return a credential with an empty cache."""
        self._made += 1
        number = self._made
        cache: list[AccessToken] = []

        async def get_token(*scopes: str, claims: str | None = None, **options: Any) -> AccessToken:
            self.options.append((claims, options))
            if not cache:
                self.log.append(f"fetch {number} for {' '.join(scopes)}")
                await asyncio.sleep(1)
                cache.append(AccessToken(f"token-{number}", 4_000_000_000))
            return cache[0]

        async def close() -> None:
            self.log.append(f"close {number}")

        return SimpleNamespace(get_token=get_token, close=close)


def test_many_first_calls_fetch_one_token() -> None:
    """azure-identity alone fetches one for each of them, and the login throttles."""
    azure = Azure()

    async def first_calls() -> list[AccessToken]:
        credential = RenewableCredential(azure.make)
        return await asyncio.gather(*[credential.get_token(SCOPE) for _ in range(50)])

    with virtual_clock() as clock:
        tokens = clock.run(first_calls())
        assert clock.now == 1001
    assert {token.token for token in tokens} == {"token-1"}
    assert azure.log == [f"fetch 1 for {SCOPE}"]


def test_a_renewed_credential_fetches_again_and_closes_the_old_one() -> None:
    """azure-identity keeps serving a cached token that Graph has refused."""
    azure = Azure()

    async def renew() -> list[str]:
        credential = RenewableCredential(azure.make)
        before = await credential.get_token(SCOPE)
        await credential.renew()
        return [before.token, (await credential.get_token(SCOPE)).token]

    with virtual_clock() as clock:
        assert clock.run(renew()) == ["token-1", "token-2"]
    assert azure.log == [f"fetch 1 for {SCOPE}", "close 1", f"fetch 2 for {SCOPE}"]


def test_a_renewal_waits_for_the_fetch_that_is_under_way() -> None:
    """A session that is closed in mid-request would fail it."""
    azure = Azure()

    async def renew_while_fetching() -> str:
        credential = RenewableCredential(azure.make)
        fetching = asyncio.create_task(credential.get_token(SCOPE))
        await asyncio.sleep(0.5)
        await credential.renew()
        return (await fetching).token

    with virtual_clock() as clock:
        assert clock.run(renew_while_fetching()) == "token-1"
    assert azure.log == [f"fetch 1 for {SCOPE}", "close 1"]


def test_one_cache_is_used_for_all_callers() -> None:
    """azure-identity keeps two, with continuous access evaluation and without; kiota asks the first."""
    azure = Azure()

    async def ask() -> None:
        credential = RenewableCredential(azure.make)
        await credential.get_token(SCOPE)
        await credential.get_token(SCOPE, claims="{}", tenant_id="t", enable_cae=False)

    with virtual_clock() as clock:
        clock.run(ask())
    assert azure.options == [(None, {"enable_cae": True}), ("{}", {"tenant_id": "t", "enable_cae": True})]


def test_the_session_to_the_login_is_closed() -> None:
    """By name and at the end of a block."""
    azure = Azure()

    async def close() -> None:
        await RenewableCredential(azure.make).close()
        async with RenewableCredential(azure.make) as credential:
            assert isinstance(credential, RenewableCredential)

    asyncio.run(close())
    assert azure.log == ["close 1", "close 2"]


EXPLAINED = [
    ("AADSTS7000215", "client secret is wrong"),
    ("AADSTS7000222", "client secret has expired"),
    ("AADSTS700016", "has no app with this client ID"),
    ("AADSTS90002", "no such tenant"),
    ("AADSTS900023", "neither a GUID nor a domain name"),
    ("AADSTS700027", "certificate is not registered"),
    ("AADSTS70011", "scope is invalid"),
    ("AADSTS53003", "Conditional Access"),
    ("AADSTS700211", "issuer"),
    ("AADSTS700213", "subject"),
    ("AADSTS700212", "audience"),
    ("AADSTS50173", "revoked"),
    ("AADSTS700082", "was not used"),
    ("AADSTS50076", "multifactor"),
    ("AADSTS50078", "multifactor"),
    ("AADSTS65001", "consent is missing"),
]


@pytest.mark.parametrize(("code", "says"), EXPLAINED)
def test_the_common_refusals_are_explained(code: str, says: str) -> None:
    """Each by its own sentence, though some numbers begin like others, and with the number, which a search finds."""
    error = login_error(ClientAuthenticationError(f"Authentication failed: {code}: Something. Trace ID: 0 {SECRET}"))
    assert type(error) is AccessDeniedError
    assert says in str(error)
    assert f"({code})" in str(error)
    assert error.code == code
    assert SECRET not in str(error)


def test_among_several_refusals_the_one_that_is_known_is_explained() -> None:
    """DefaultAzureCredential strings together what each of its credentials was told."""
    error = login_error(ClientAuthenticationError("AADSTS1: x. AADSTS7000222: expired."))
    assert error.code == "AADSTS7000222"


def http_error(status: int, **headers: str) -> HttpResponseError:
    """An error of azure-core's with an answer."""
    return HttpResponseError("x", response=cast("Any", SimpleNamespace(status_code=status, reason="", headers=headers)))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ClientAuthenticationError("AADSTS9002313: Invalid request"), "AADSTS9002313"),
        (ClientAuthenticationError("<html>No</html>"), "ClientAuthenticationError"),
        (http_error(400), "answered 400"),
        (http_error(428), "answered 428"),
        (http_error(499), "answered 499"),
        (CredentialUnavailableError("Azure CLI not found on path"), "not installed"),
        (CredentialUnavailableError("Please run 'az login' to set up an account"), "az login"),
        (
            CredentialUnavailableError("ManagedIdentityCredential authentication unavailable"),
            "no such managed identity",
        ),
        (CredentialUnavailableError(SECRET), "CredentialUnavailableError"),
        (ClientAuthenticationError("ManagedIdentity"), "ClientAuthenticationError"),
        (ServiceRequestError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "Verify"),
        (ServiceResponseError("[SSL: CERTIFICATE_VERIFY_FAILED]"), "Verify"),
    ],
)
def test_what_a_retry_would_not_change_is_denied(error: AzureError, says: str) -> None:
    """Explained if it can be, else by its number, its status or at least its kind."""
    explained = login_error(error)
    assert type(explained) is AccessDeniedError
    assert says in str(explained)
    assert SECRET not in str(explained)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_login_that_is_down_may_be_asked_later(status: int) -> None:
    """With its own delay, if it names one."""
    error = login_error(http_error(status, **{"Retry-After": "7"}))
    assert type(error) is ServiceUnavailableError
    assert (error.status, error.retry_after) == (status, 7)
    assert login_error(http_error(status)).retry_after is None
    now, until = "Tue, 01 Jan 2030 00:00:00 GMT", "Tue, 01 Jan 2030 00:01:00 GMT"
    assert login_error(http_error(status, **{"Retry-After": until, "Date": now})).retry_after == 60


@pytest.mark.parametrize(
    ("error", "names"),
    [
        (ServiceRequestError(f"Cannot connect to {SECRET}"), "ServiceRequestError"),
        (ServiceResponseError(f"Hung up on {SECRET}"), "ServiceResponseError"),
        (ServiceRequestError(SECRET, error=ConnectionResetError(SECRET)), "ConnectionResetError"),
    ],
)
def test_a_login_that_cannot_be_reached_may_be_asked_later(error: AzureError, names: str) -> None:
    """Only the kind of the error is told: its text may hold a proxy's password."""
    explained = login_error(error)
    assert type(explained) is ServiceUnavailableError
    assert names in str(explained)
    assert SECRET not in str(explained)


@pytest.mark.parametrize("make", [ClientAuthenticationError, ServiceRequestError, HttpResponseError, AzureError])
def test_what_a_gateway_echoes_is_not_repeated(make: type[AzureError]) -> None:
    """Proxies put the request, with the secret, or their own password into what they answer."""
    error = make("407, url='http://svc:pr0xyPW@proxy' body=client_secret=s3cr3t%2Bvalue")
    assert "pr0xyPW" not in str(login_error(error))
    assert "s3cr3t" not in str(login_error(error))


@pytest.mark.parametrize(("status", "raises"), [(200, False), (400, False), (428, False), (429, True), (500, True)])
def test_a_login_that_is_busy_is_not_taken_for_a_refusal(status: int, raises: bool) -> None:
    """azure-identity would take it for one if the body is not JSON; it reads other responses itself."""
    answer = cast("Any", SimpleNamespace(http_response=http_error(status).response))
    if not raises:
        return raise_for_unavailable(answer)
    with pytest.raises(HttpResponseError) as caught:
        raise_for_unavailable(answer)
    assert type(login_error(caught.value)) is ServiceUnavailableError
    return None


def jwt(**claims: object) -> str:
    """An unsigned token with these claims."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}."


@pytest.mark.parametrize(
    ("token", "permissions"),
    [
        (jwt(roles=["Calendars.ReadWrite"]), {"Calendars.ReadWrite"}),
        (jwt(scp="Calendars.ReadWrite.Shared User.Read"), {"Calendars.ReadWrite.Shared", "User.Read"}),
        (jwt(roles=["A"], scp="B"), {"A", "B"}),
        (jwt(), set()),
        (jwt(roles=None), set()),
        (jwt(scp=7), set()),
        ("", set()),
        ("a.b.c", set()),
        ("x", set()),
        ("a.e30.c", set()),
        ("a.W10.c", set()),
        ("a.\udcff.c", set()),
    ],
)
def test_what_a_token_grants(token: str, permissions: set[str]) -> None:
    """It is for messages only and must never fail."""
    assert granted(token) == permissions


def test_either_permission_lets_events_be_cancelled() -> None:
    """An app has the first; a person may have the second for a calendar that is shared."""
    assert {"Calendars.ReadWrite", "Calendars.ReadWrite.Shared"} == CALENDAR_WRITE


def test_errors_of_the_login_are_ours() -> None:
    """All of them carry an outcome."""
    assert isinstance(login_error(AzureError("x")), GraphCancelError)
