"""A person's refresh token: redeemed through MSAL, with a login that answers in this process."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError

from airflow_graph_cancel.graph.auth import refresh_token
from airflow_graph_cancel.graph.auth.credential import login_error
from airflow_graph_cancel.graph.auth.refresh_token import LoginServer, RefreshTokenCredential
from airflow_graph_cancel.graph.errors import AccessDeniedError, ServiceUnavailableError

HOST, TENANT = "https://login.example", "contoso.example"
AUTHORITY = f"{HOST}/{TENANT}"
SCOPE = "https://graph.example/Calendars.ReadWrite"
SECRET = "s3cr3t-value"
SERVER = LoginServer(HOST)


class Login:
    """Entra's endpoints, and what was asked of them.

    ``refuses`` holds refresh tokens that it rejects; ``rotates`` makes every answer bring another one; ``answer``
    replaces any answer of the token endpoint.
    """

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.ways: list[dict[str, Any]] = []
        self.refuses: set[str] = set()
        self.rotates = False
        self.lifetime = 3600
        self.error: Exception | None = None
        self.answer: tuple[int, str, dict[str, str]] | None = None
        self.discovery = 200

    def send(self, adapter: object, request: requests.PreparedRequest, **way: Any) -> requests.Response:
        """Answer in place of a connection."""
        self.ways.append(way)
        if self.error is not None:
            raise self.error
        if str(request.url).endswith("/.well-known/openid-configuration"):
            return self._response(request, self.discovery, {
                "authorization_endpoint": f"{AUTHORITY}/authorize", "token_endpoint": f"{AUTHORITY}/token",
                "issuer": AUTHORITY,
            })  # fmt: skip
        form = {name: values[0] for name, values in parse_qs(str(request.body)).items()}
        self.forms.append(form)
        if self.answer is not None:
            status, text, headers = self.answer
            return self._response(request, status, text, **headers)
        if form["refresh_token"] in self.refuses:
            return self._response(
                request,
                400,
                {"error": "invalid_grant", "error_description": "AADSTS700082: The refresh token expired."},
            )
        number = len(self.forms)
        token: dict[str, object] = {"access_token": f"access-{number}", "expires_in": self.lifetime}
        return self._response(request, 200, token | ({"refresh_token": f"rotated-{number}"} if self.rotates else {}))

    def _response(
        self, request: requests.PreparedRequest, status: int, body: object, **headers: str
    ) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url, response.request = status, str(request.url), request
        response.headers.update(headers)
        response._content = (body if isinstance(body, str) else json.dumps(body)).encode()
        return response

    @property
    def redeemed(self) -> list[str]:
        """The refresh tokens that were presented."""
        return [form["refresh_token"] for form in self.forms]


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Login:
    """A login, and a process that has not seen any refresh token."""
    login = Login()
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda self, request, **way: login.send(self, request, **way)
    )
    monkeypatch.setattr(refresh_token, "_latest", {})
    return login


def credential(
    secret: str | None = None,
    server: LoginServer = SERVER,
    given: str = "given",
    client_id: str = "the-app",
    tenant_id: str = TENANT,
) -> RefreshTokenCredential:
    """A credential with an empty cache, as a process makes it from a connection."""
    return RefreshTokenCredential(server, tenant_id=tenant_id, client_id=client_id, secret=secret, refresh_token=given)


def tokens(credential: RefreshTokenCredential, *claims: str | None) -> list[str]:
    """The tokens of so many calls."""

    async def ask() -> list[str]:
        async with credential:
            return [(await credential.get_token(SCOPE, claims=each, enable_cae=True)).token for each in claims]

    return asyncio.run(ask())


def test_the_refresh_token_is_redeemed_for_the_scope(login: Login) -> None:
    """As the protocol says; a public app sends no secret."""
    assert tokens(credential(), None) == ["access-1"]
    form = login.forms[0]
    assert (form["grant_type"], form["refresh_token"], form["client_id"]) == ("refresh_token", "given", "the-app")
    assert SCOPE in form["scope"]
    assert "client_secret" not in form


def test_a_confidential_app_sends_its_secret(login: Login) -> None:
    """Without its secret, the login refuses a confidential app."""
    tokens(credential(SECRET), None)
    assert login.forms[0]["client_secret"] == SECRET


def test_the_way_to_the_login_is_the_connections(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """CA bundle, proxy and timeouts of every request; the environment has no say."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://environment.example:1")
    server = LoginServer(HOST, "/our/ca.pem", {"https": "http://proxy.example:3128"}, timeouts=(3.0, 4.0))
    tokens(credential(server=server), None)
    assert len(login.ways) == 2
    for way in login.ways:
        assert (way["verify"], way["timeout"]) == ("/our/ca.pem", (3.0, 4.0))
        assert way["proxies"]["https"] == "http://proxy.example:3128"


def test_the_environments_proxy_is_used_if_it_is_trusted(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CA bundle of the connection holds all the same."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    monkeypatch.setenv("HTTPS_PROXY", "http://environment.example:1")
    tokens(credential(server=LoginServer(HOST, "/our/ca.pem", trust_env=True)), None)
    for way in login.ways:
        assert way["verify"] == "/our/ca.pem"
        assert way["proxies"]["https"] == "http://environment.example:1"


def test_verification_can_be_switched_off_and_is_on(login: Login) -> None:
    """TLS is verified unless the connection switches that off."""
    tokens(credential(), None)
    tokens(credential(server=LoginServer(HOST, verify=False)), None)
    assert [way["verify"] for way in login.ways] == [True, True, False, False]


def test_proxies_are_not_shown() -> None:
    """Their password is in their URL."""
    assert "pw" not in repr(LoginServer(HOST, proxies={"https": "http://svc:pw@proxy"}))


def test_a_token_is_fetched_once(login: Login) -> None:
    """As long as it is good."""
    assert tokens(credential(), None, None, None) == ["access-1"] * 3
    assert len(login.forms) == 1


def test_a_token_is_renewed_five_minutes_before_its_end(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that is under way when it ends would be refused."""
    now = 1_000_000.0
    monkeypatch.setattr(time, "time", lambda: now)
    given = credential()
    assert tokens(given, None) == ["access-1"]
    now += 3600 - 300
    assert tokens(given, None) == ["access-1"]
    now += 1
    assert tokens(given, None) == ["access-2"]


def test_a_claims_challenge_is_redeemed_at_once(login: Login) -> None:
    """Continuous access evaluation: the token in the cache is the one that Graph has just refused."""
    assert tokens(credential(), None, '{"access_token":{"nbf":{"essential":true}}}') == ["access-1", "access-2"]
    assert "claims" not in login.forms[0]
    assert json.loads(login.forms[1]["claims"])["access_token"]["nbf"] == {"essential": True}


def test_a_rotated_refresh_token_is_used_from_then_on(login: Login) -> None:
    """By every credential of the same connection in this process; the first may have been revoked with it."""
    login.rotates = True
    tokens(credential(), None)
    tokens(credential(), None)
    assert login.redeemed == ["given", "rotated-1"]


@pytest.mark.parametrize(
    "other",
    [
        credential(given="another"),
        credential(client_id="another-app"),
        credential(tenant_id=f"{TENANT}.au"),
    ],
    ids=["person", "app", "tenant"],
)
def test_a_rotated_refresh_token_belongs_to_one_connection(login: Login, other: RefreshTokenCredential) -> None:
    """Another person, app or tenant has its own."""
    login.rotates = True
    tokens(credential(), None)
    tokens(other, None)
    assert not login.redeemed[1].startswith("rotated")


def test_a_rotated_refresh_token_that_is_refused_gives_way_to_the_connections(login: Login) -> None:
    """The person signed in again, or the login forgot the rotated one: the connection's may be valid."""
    login.rotates, login.refuses = True, {"rotated-1"}
    tokens(credential(), None)
    assert tokens(credential(), None) == ["access-3"]
    assert login.redeemed == ["given", "rotated-1", "given"]


def test_a_refresh_token_that_is_refused_is_explained(login: Login) -> None:
    """Asked once; one place explains AADSTS codes."""
    login.rotates, login.refuses = True, {"given", "rotated-1"}
    refresh_token._latest.clear()
    with pytest.raises(ClientAuthenticationError) as caught:
        tokens(credential(), None)
    assert login.redeemed == ["given"]
    assert "was not used" in str(login_error(caught.value))
    login.refuses = {"rotated-2"}
    tokens(credential(), None)
    login.refuses = {"given", "rotated-2"}
    with pytest.raises(ClientAuthenticationError):
        tokens(credential(), None)
    assert login.redeemed == ["given", "given", "rotated-2", "given"]


def test_a_refusal_without_a_description_has_its_error(login: Login) -> None:
    """The message falls back to the login's error code."""
    login.answer = (400, '{"error": "invalid_client"}', {})
    with pytest.raises(ClientAuthenticationError, match="invalid_client"):
        tokens(credential(), None)


def test_a_token_without_a_lifetime_is_not_kept(login: Login) -> None:
    """A token without a lifetime is fetched again for the next request."""
    login.answer = (200, '{"access_token": "brief"}', {})
    given = credential()
    assert tokens(given, None, None) == ["brief", "brief"]
    assert len(login.forms) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_login_that_is_down_may_be_asked_later(login: Login, status: int) -> None:
    """With its own delay, in seconds or as a date by its own clock."""
    login.answer = (status, "<html>Busy</html>", {"Retry-After": "7"})
    with pytest.raises(ServiceUnavailableError) as caught:
        tokens(credential(SECRET), None)
    assert (caught.value.status, caught.value.retry_after) == (status, 7)
    headers = {"Retry-After": "Tue, 01 Jan 2030 00:01:00 GMT", "Date": "Tue, 01 Jan 2030 00:00:00 GMT"}
    login.answer = (status, "<html>Busy</html>", headers)
    with pytest.raises(ServiceUnavailableError) as caught:
        tokens(credential(SECRET), None)
    assert caught.value.retry_after == 60


def test_a_login_that_is_down_at_discovery_may_be_asked_later(login: Login) -> None:
    """MSAL would call that an invalid authority."""
    login.discovery = 503
    with pytest.raises(ServiceUnavailableError):
        tokens(credential(), None)


def test_an_unknown_tenant_is_refused(login: Login) -> None:
    """MSAL's ValueError becomes the error that azure-identity's credentials raise."""
    login.discovery = 404
    with pytest.raises(ClientAuthenticationError) as caught:
        tokens(credential(), None)
    assert type(login_error(caught.value)) is AccessDeniedError
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        (requests.exceptions.SSLError("certificate verify failed"), AccessDeniedError, "Verify"),
        (requests.exceptions.ConnectionError("refused"), ServiceUnavailableError, "ConnectionError"),
        (requests.exceptions.ProxyError("407"), ServiceUnavailableError, "ProxyError"),
        (requests.exceptions.ReadTimeout("60 s"), ServiceUnavailableError, "ReadTimeout"),
    ],
)
def test_a_login_that_cannot_be_reached(login: Login, error: Exception, kind: type[Exception], says: str) -> None:
    """A retry does not mend a certificate; it may mend the rest."""
    login.error = error
    with pytest.raises(kind, match=says) as caught:
        tokens(credential(SECRET), None)
    printed = "".join(traceback.format_exception(caught.value))
    assert SECRET not in printed
    assert "given" not in printed.replace("given by", "")


def test_nothing_is_left_open(login: Login) -> None:
    """No session stays open between requests: closing costs nothing and the credential can be used again."""
    given = credential()
    asyncio.run(given.close())
    assert tokens(given, None) == ["access-1"]
