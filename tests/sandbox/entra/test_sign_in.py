"""Applications sign in with certificates and secrets, through azure-identity and MSAL."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from airflow_graph_cancel.sandbox.client import SandboxError
from tests.support.contoso import ADA
from tests.support.signing import (
    GRAPH,
    ask,
    assertion,
    certificate,
    fetch,
    may_cancel,
    options,
    refusal,
    signer,
    with_assertion,
)

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office


class TestCertificates:
    """RFC 7523, signed by the application."""

    def test_azure_identity_signs_in(self, graph: GraphClient, office: Office) -> None:
        """CertificateCredential (PS256, x5t#S256) gets a token that may cancel."""
        from azure.identity.aio import CertificateCredential

        graph.sandbox.register_app("sandbox-app", certificates=[signer("app").pem])
        known = options(graph.sandbox, client_id="sandbox-app")
        assert may_cancel(graph, office, fetch(CertificateCredential(certificate_data=signer("app").whole, **known)))
        (request,) = graph.sandbox.token_requests()
        assert (request["credential"], request["client_id"], request["status"]) == ("certificate", "sandbox-app", 200)

    def test_msal_signs_in_by_thumbprint(self, graph: GraphClient, office: Office) -> None:
        """MSAL's older format (RS256, x5t) works too."""
        from msal import ConfidentialClientApplication

        graph.sandbox.register_app("sandbox-app", certificates=[signer("other").pem, signer("app").pem])
        app = ConfidentialClientApplication(
            "sandbox-app",
            client_credential={"private_key": signer("app").whole.decode(), "thumbprint": signer("app").thumbprint()},
            authority=f"{graph.sandbox.url}/{graph.sandbox.connection['extra']['tenant_id']}",
            instance_discovery=False,
            verify=str(graph.sandbox.ca),
        )
        assert may_cancel(graph, office, app.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"])

    def test_another_certificate_is_refused(self, graph: GraphClient) -> None:
        """As soon as one is registered, no other is accepted; azure-identity shows Entra's number."""
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity.aio import CertificateCredential

        graph.sandbox.register_app("sandbox-app", certificates=[signer("app").pem])
        known = options(graph.sandbox, client_id="sandbox-app", certificate_data=signer("other").whole)
        with pytest.raises(ClientAuthenticationError, match=r"AADSTS700027.*key was not found"):
            fetch(CertificateCredential(**known))
        (request,) = graph.sandbox.token_requests()
        assert (request["status"], request["error"], request["code"]) == (401, "invalid_client", 700027)

    @pytest.mark.parametrize(
        ("changes", "number"),
        [
            ({}, None),
            ({"aud": ["https://login.example/x", "mine"]}, None),
            ({"aud": "https://login.example/contoso/oauth2/v2.0/token"}, 700023),
            ({"aud": None}, 700023),
            ({"exp": 1}, 700024),
            ({"exp": None}, 50027),
            ({"nbf": 4102444800}, 700024),
            ({"nbf": 10**30}, 700024),
            ({"iss": "sandbox-reader", "sub": "sandbox-reader"}, 700021),
            ({"sub": "sandbox-reader"}, 700021),
        ],
        ids=str,
    )
    def test_claims_are_checked(self, graph: GraphClient, changes: dict[str, Any], number: int | None) -> None:
        """Issuer, audience and time each have their own number."""
        graph.sandbox.register_app("sandbox-app", certificates=[signer("app").pem])
        if isinstance(changes.get("aud"), list):
            tenant = graph.sandbox.connection["extra"]["tenant_id"]
            changes = {"aud": [changes["aud"][0], f"{graph.sandbox.url}/{tenant}/v2.0"]}
        text = assertion(graph, signer("app"), **changes)
        reply = with_assertion(graph, text)
        if number is None:
            assert reply.status == 200
        else:
            assert refusal(reply) == (401, "invalid_client", number)

    def test_a_signature_is_checked(self, graph: GraphClient) -> None:
        """The right thumbprint with another key's signature is refused."""
        graph.sandbox.register_app("sandbox-app", certificates=[signer("app").pem])
        reply = with_assertion(graph, assertion(graph, signer("other"), signer("app").thumbprint()))
        assert refusal(reply) == (401, "invalid_client", 700027)
        assert "did not match the expected signature" in reply.body["error_description"]
        assert signer("app").thumbprint().upper() in reply.body["error_description"]

    def test_an_expired_certificate_is_refused(self, graph: GraphClient) -> None:
        """It is refused although it is registered and the signature is valid."""
        old = signer("old", ends=-timedelta(days=1))
        graph.sandbox.register_app("sandbox-app", certificates=[old.pem])
        reply = with_assertion(graph, assertion(graph, old))
        assert refusal(reply) == (401, "invalid_client", 700027)
        assert "The key used is expired" in reply.body["error_description"]

    def test_without_a_registration_any_assertion_in_the_own_name_is_accepted(
        self, graph: GraphClient, office: Office
    ) -> None:
        """ClientAssertionCredential gets a token with any key, but not in another application's name."""
        from azure.identity.aio import ClientAssertionCredential

        def made() -> str:
            return assertion(graph, signer("anything"))

        known = options(graph.sandbox, client_id="sandbox-app", func=made)
        assert may_cancel(graph, office, fetch(ClientAssertionCredential(**known)))
        other = assertion(graph, signer("anything"), iss="sandbox-reader", sub="sandbox-reader")
        assert refusal(with_assertion(graph, other)) == (401, "invalid_client", 700021)

    def test_an_invalid_assertion_is_refused(self, graph: GraphClient) -> None:
        """A garbled assertion, and one without its type."""
        assert refusal(with_assertion(graph, "a.b.c")) == (401, "invalid_client", 50027)
        good = assertion(graph, signer("app"))
        assert refusal(with_assertion(graph, good, client_assertion_type="saml")) == (400, "invalid_request", 900144)

    def test_a_certificate_must_have_an_rsa_key(self, graph: GraphClient) -> None:
        """Entra's documentation of certificates requires it."""
        key = ec.generate_private_key(ec.SECP256R1())
        elliptic = certificate("elliptic", key, timedelta(days=1)).public_bytes(Encoding.PEM).decode()
        with pytest.raises(SandboxError, match="must have an RSA key"):
            graph.sandbox.register_app("sandbox-app", certificates=[elliptic])

    @pytest.mark.parametrize(
        ("properties", "sentence"),
        [
            ({"certificates": ["no PEM"]}, "certificate must be in PEM"),
            ({"certificates": "no list"}, "certificates must be a list"),
            ({"federations": [{"issuer": "https://x"}]}, "invalid federation"),
            ({"federations": ["x"]}, "federation must be an object"),
            ({"federations": None}, "federations must be a list"),
            ({"federations": [{"issuer": "x", "subject": "y", "key": "z"}]}, "must be a public key in PEM"),
            ({"public": "yes"}, "public must be true or false"),
            ({"identity": "robot"}, "identity must be"),
            ({"secret": 1}, "secret must be text"),
            ({"nosuch": 1}, "no 'nosuch'"),
        ],
        ids=str,
    )
    def test_an_invalid_registration_is_explained(
        self, graph: GraphClient, properties: dict[str, Any], sentence: str
    ) -> None:
        """The error is a sentence, and nothing changes."""
        before = graph.sandbox.apps()
        with pytest.raises(SandboxError, match=sentence):
            graph.sandbox.register_app("sandbox-app", **properties)
        assert graph.sandbox.apps() == before


class TestSecrets:
    """Which applications must present a secret, and which must not."""

    @pytest.mark.parametrize(
        ("form", "status", "error", "number"),
        [
            ({"grant_type": "client_credentials", "client_id": "sandbox-app"}, 401, "invalid_client", 7000216),
            ({"grant_type": "client_credentials", "client_id": "sandbox-public"}, 401, "invalid_client", 7000216),
            ({"grant_type": "refresh_token", "client_id": "sandbox-app"}, 401, "invalid_client", 7000218),
            ({"grant_type": "refresh_token", "client_id": "sandbox-public"}, 400, "invalid_request", 900144),
            (
                {"grant_type": "refresh_token", "client_id": "sandbox-public", "client_secret": "sandbox-secret"},
                401, "invalid_client", 700025,
            ),
            (
                {"grant_type": "client_credentials", "client_id": "sandbox-machine", "client_secret": "sandbox-secret"},
                401, "invalid_client", 7000215,
            ),
        ],
    )  # fmt: skip
    def test_it_depends_on_the_application(
        self, graph: GraphClient, form: dict[str, str], status: int, error: str, number: int
    ) -> None:
        """A confidential application must, a public one must not, a managed identity has none."""
        assert refusal(ask(graph, scope=f"{GRAPH}/.default", **form)) == (status, error, number)

    def test_an_application_can_be_added(self, graph: GraphClient, office: Office) -> None:
        """It has its own secret and roles; a reset removes it."""
        made = graph.sandbox.register_app("planner", secret="its-own", roles=["Calendars.ReadWrite"])
        assert "secret" not in made
        graph.tokens["planner"] = graph.ask_for_token(client_id="planner", client_secret="its-own").body["access_token"]
        assert graph.cancel(ADA, office.meet().id, app="planner").status == 202
        graph.sandbox.reset()
        assert refusal(graph.ask_for_token(client_id="planner", client_secret="its-own"))[2] == 700016

    def test_a_token_without_the_calendar_role(self, graph: GraphClient, office: Office) -> None:
        """It can read rooms; calendars are refused with another error than without any role."""
        assert graph.get("/places/microsoft.graph.room", app="sandbox-places").status == 200
        reply = graph.cancel(ADA, office.meet().id, app="sandbox-places")
        assert (reply.status, reply.code) == (403, "ErrorAccessDenied")


def test_the_ledger_has_everything_but_secrets(graph: GraphClient, office: Office) -> None:
    """The ledger has grant, client, kind of credential and result of each request, but no secret."""
    graph.sandbox.register_app("sandbox-app", certificates=[signer("app").pem])
    text = assertion(graph, signer("app"))
    refresh_token = graph.sandbox.refresh_token(ADA, client_id="sandbox-app")
    replies = [
        with_assertion(graph, text),
        graph.ask_for_token(client_secret="wrong-secret-value"),
        graph.ask_for_token(grant_type="refresh_token", refresh_token=refresh_token, scope=f"{GRAPH}/User.Read"),
    ]
    assert [
        tuple(each[name] for name in ("grant_type", "client_id", "credential", "person", "status", "error", "code"))
        for each in graph.sandbox.token_requests()
    ] == [
        ("client_credentials", "sandbox-app", "certificate", None, 200, None, None),
        ("client_credentials", "sandbox-app", None, None, 401, "invalid_client", 7000215),
        ("refresh_token", "sandbox-app", "secret", ADA, 200, None, None),
    ]
    ledger = json.dumps(graph.sandbox.ledger())
    secrets = [text, refresh_token, "sandbox-secret", "wrong-secret-value"]
    secrets += [
        reply.body[name] for reply in replies for name in ("access_token", "refresh_token") if name in reply.body
    ]
    assert len(secrets) == 7
    assert [secret for secret in secrets if secret in ledger] == []
    assert graph.sandbox.ledger()["tokens"] == 2


def test_a_fault_at_sign_in_is_logged_too(graph: GraphClient) -> None:
    """It is logged with its kind, and without a status if the connection broke; "after" only loses the response."""
    import aiohttp

    graph.sandbox.add_fault("503", match={"path": "/oauth2/"}, retry_after="1")
    graph.sandbox.add_fault("reset", match={"path": "/oauth2/"}, after_effect=True)
    assert graph.ask_for_token().headers["Retry-After"] == "1"
    with pytest.raises(aiohttp.ClientError):
        graph.ask_for_token()
    assert [(each["fault"], each["status"]) for each in graph.sandbox.token_requests()] == [
        ("503", 503),
        ("reset", None),
    ]
    assert graph.sandbox.ledger()["tokens"] == 1
