"""The token endpoint, and how Graph checks tokens."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.support.contoso import ADA

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office


def test_a_token_has_its_claims(graph: GraphClient) -> None:
    """Client credentials give a JWT with audience, roles, application and tenant."""
    reply = graph.ask_for_token()
    claims = jwt.decode(reply.body["access_token"], options={"verify_signature": False})
    assert reply.body["token_type"] == "Bearer"
    assert reply.body["expires_in"] == 3599
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["appid"] == "sandbox-app"
    assert claims["tid"] == graph.sandbox.connection["extra"]["tenant_id"]
    assert set(claims["roles"]) == {"Calendars.ReadWrite", "Place.Read.All"}
    assert graph.sandbox.ledger()["tokens"] == 1


def test_a_persons_token_is_delegated(graph: GraphClient, office: Office) -> None:
    """The person's application gets scopes and a name instead of roles."""
    claims = jwt.decode(graph.token("sandbox-person"), options={"verify_signature": False})
    assert claims["upn"] == ADA
    assert "Calendars.ReadWrite" in claims["scp"]
    assert "roles" not in claims


@pytest.mark.parametrize(
    ("change", "status", "error", "number"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_id": "somebody"}, 400, "unauthorized_client", 700016),
        ({"tenant": "fabrikam.example"}, 400, "invalid_request", 90002),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "https://graph.microsoft.com/Calendars.Read"}, 400, "invalid_scope", 1002012),
    ],
)
def test_refusals_are_worded_as_by_entra(
    graph: GraphClient, change: dict[str, Any], status: int, error: str, number: int
) -> None:
    """A wrong secret, application, tenant, grant or scope has its own error and AADSTS code."""
    reply = graph.ask_for_token(**change)
    assert (reply.status, reply.body["error"], reply.body["error_codes"]) == (status, error, [number])
    assert f"AADSTS{number}" in reply.body["error_description"]
    assert {"trace_id", "correlation_id", "timestamp"} <= set(reply.body)


def test_discovery_names_the_sandbox(graph: GraphClient) -> None:
    """OpenID configuration and instance discovery name endpoints of the same server."""
    tenant, url = graph.sandbox.connection["extra"]["tenant_id"], graph.sandbox.url

    for path, key in (
        (f"/{tenant}/v2.0/.well-known/openid-configuration", "token_endpoint"),
        ("/common/discovery/instance", "tenant_discovery_endpoint"),
    ):
        assert graph.request("GET", url + path).body[key].startswith(url)


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "Access token is empty."),
        ("Bearer ", "Access token is empty."),
        ("Bearer abc.def.ghi", "CompactToken parsing failed with error code: 80049217"),
    ],
)
def test_graph_requires_a_valid_token(
    graph: GraphClient, office: Office, authorization: str | None, message: str
) -> None:
    """A missing and a garbled token both get a 401, with different messages."""
    headers = {"Authorization": authorization} if authorization else {}
    reply = graph.get(f"/users/{ADA}/events", app=None, **headers)
    assert (reply.status, reply.code) == (401, "InvalidAuthenticationToken")
    assert reply.body["error"]["message"] == message


def test_a_token_with_another_signature_is_refused(graph: GraphClient, office: Office) -> None:
    """Valid claims with another signature are refused."""
    claims = jwt.decode(graph.token(), options={"verify_signature": False})
    forged = jwt.encode(claims, "another key that is long enough for HS256", algorithm="HS256")
    assert graph.get(f"/users/{ADA}/events", app=None, Authorization=f"Bearer {forged}").status == 401


def test_a_token_for_another_service_is_refused(graph: GraphClient, office: Office) -> None:
    """The audience has to be Graph."""
    token = graph.ask_for_token(scope="https://vault.azure.net/.default").body["access_token"]
    reply = graph.get(f"/users/{ADA}/events", app=None, Authorization=f"Bearer {token}")
    assert "Invalid audience" in reply.body["error"]["message"]


def test_tokens_expire_on_command_and_new_ones_work(graph: GraphClient, office: Office) -> None:
    """After the command every older token gets a 401 although it has not expired; a new one works."""
    old = graph.token()
    graph.sandbox.expire_tokens()
    reply = graph.get(f"/users/{ADA}/events", app=None, Authorization=f"Bearer {old}")
    assert reply.body["error"]["message"] == "Access token has expired or is not yet valid."
    graph.tokens.clear()
    assert graph.get(f"/users/{ADA}/events").status == 200


def test_tokens_live_as_long_as_the_setting_says(graph: GraphClient, office: Office) -> None:
    """A token with a lifetime of one second works at first and then expires."""
    graph.sandbox.settings(token_lifetime=1)
    assert graph.get(f"/users/{ADA}/events").status == 200
    time.sleep(1.05)
    assert graph.get(f"/users/{ADA}/events").status == 401
