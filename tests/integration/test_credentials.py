"""Each kind of credential signs in over TLS and cancels; what the login refuses is explained, and not asked again."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from airflow_graph_cancel.graph.auth import refresh_token as refreshing
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import AccessDeniedError, GraphCancelError, TryLaterError
from airflow_graph_cancel.hooks.graph_event import GraphEventHook
from tests.support.contoso import ADA, BEN, TEAM, WHEN
from tests.support.signing import signer

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.fixture(autouse=True)
def clean_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """No identity that this machine happens to have, and no refresh token that another test has used."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "IDENTITY_", "MSI_")):
            monkeypatch.delenv(name)
    refreshing._latest.clear()


def connect(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
    *,
    login: str | None = None,
    password: str | None = None,
    **extra: Any,
) -> None:
    """Make the default connection one that reaches the sandbox, and signs in as is said."""
    network = {
        name: value for name, value in sandbox.connection["extra"].items() if name not in {"tenant_id", "mailbox"}
    }
    connection = {"conn_type": "graph_calendar", "login": login, "password": password, "extra": {**network, **extra}}
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps(connection))


def tenant(sandbox: Sandbox) -> str:
    """The sandbox's tenant."""
    return str(sandbox.connection["extra"]["tenant_id"])


def cancel(event_id: str, user_id: str | None = ADA, **more: Any) -> str:
    """Cancel and return the outcome."""
    verb = GraphEventHook().cancel_event(
        event_id, "Closed.", user_id=user_id, options=Options(Backoff(retry_for=0)), **more
    )
    return str(asyncio.run(verb).outcome)


class TestApps:
    """Without a person."""

    def test_a_certificate(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Registered with the app; another one is refused with a sentence."""
        sandbox.register_app("sandbox-app", certificates=[signer("app").pem])
        app = {"login": "sandbox-app", "tenant_id": tenant(sandbox)}
        connect(monkeypatch, sandbox, **app, private_key=signer("other").whole.decode())
        with pytest.raises(AccessDeniedError, match="certificate is not registered"):
            cancel(event_id)
        connect(monkeypatch, sandbox, **app, private_key=signer("app").whole.decode())
        assert cancel(event_id) == "cancelled"
        assert sandbox.token_requests(status=200)[-1]["credential"] == "certificate"

    @pytest.mark.parametrize("kind", ["virtual-machine", "app-service"])
    @pytest.mark.parametrize("login", [None, "sandbox-identity"])
    def test_a_managed_identity(
        self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, kind: str, login: str | None
    ) -> None:
        """System-assigned or named by its client id, as the platform answers for it, and never through a proxy."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        machine = sandbox.managed_identity if kind == "virtual-machine" else sandbox.managed_identity_app_service
        for name, value in machine.items():
            monkeypatch.setenv(name, value)
        connect(monkeypatch, sandbox, credential="managed_identity", login=login)
        assert cancel(event_id) == "cancelled"

    def test_a_machine_without_that_identity(
        self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Is told at once, in a sentence, and not retried."""
        for name, value in sandbox.managed_identity.items():
            monkeypatch.setenv(name, value)
        connect(monkeypatch, sandbox, credential="managed_identity", login="no-such-identity")
        with pytest.raises(AccessDeniedError, match="identity"):
            cancel(event_id)

    def test_a_workload(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A platform's token is exchanged; the file is read each time, since the platform renews it."""
        import jwt

        issuer, subject = "https://cluster.example/", "system:serviceaccount:airflow:worker"
        sandbox.register_app("sandbox-app", federations=[{"issuer": issuer, "subject": subject}])
        claims = {"iss": issuer, "sub": subject, "aud": "api://AzureADTokenExchange", "exp": 4102444800}
        token = tmp_path / "token"
        token.write_text(jwt.encode({**claims, "sub": "somebody-else"}, signer("app").key, algorithm="RS256"))
        workload = {"credential": "workload_identity", "login": "sandbox-app", "federated_file": str(token)}
        connect(monkeypatch, sandbox, **workload, tenant_id=tenant(sandbox))
        with pytest.raises(AccessDeniedError, match="AADSTS700213"):
            cancel(event_id)
        token.write_text(jwt.encode(claims, signer("app").key, algorithm="RS256"))
        assert cancel(event_id) == "cancelled"

    def test_the_default_chain(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Takes what the machine has: here an identity."""
        for name, value in sandbox.managed_identity_app_service.items():
            monkeypatch.setenv(name, value)
        connect(monkeypatch, sandbox, credential="default")
        assert cancel(event_id) == "cancelled"

    def test_the_azure_cli(
        self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """The account that is signed in there is used; without the CLI or a sign-in, the error says so."""
        connect(monkeypatch, sandbox, credential="azure_cli", tenant_id=tenant(sandbox))
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(AccessDeniedError, match="Azure CLI is not installed"):
            cancel(event_id)
        program = tmp_path / "az"
        program.write_text("#!/bin/sh\necho \"ERROR: Please run 'az login' to setup account.\" >&2\nexit 1\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        with pytest.raises(AccessDeniedError, match="az login"):
            cancel(event_id)

    def test_the_azure_cli_gives_its_token(
        self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """In the form in which its get-access-token prints one."""

        async def fetch() -> str:
            async with GraphEventHook() as hook:
                assert hook._client is not None
                return await hook._client.sign_in()

        said = {"accessToken": asyncio.run(fetch()), "expires_on": 4102444800, "tokenType": "Bearer"}
        token = tmp_path / "token"
        token.write_text(json.dumps(said))
        program = tmp_path / "az"
        program.write_text(f"#!/bin/sh\ncat {token}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        connect(monkeypatch, sandbox, credential="azure_cli", tenant_id=tenant(sandbox))
        assert cancel(event_id) == "cancelled"

    def test_an_app_is_nobody_at_me(self, sandbox: Sandbox, event_id: str) -> None:
        """It is told what would help."""
        with pytest.raises(GraphCancelError, match="signs in as a person"):
            cancel(event_id, None)


class TestPeople:
    """With a refresh token."""

    @pytest.fixture
    def person(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
        """Ada has signed in once."""
        token = sandbox.refresh_token(ADA)
        connect(monkeypatch, sandbox, login="sandbox-public", tenant_id=tenant(sandbox), refresh_token=token)
        return sandbox

    def test_me_is_the_person(self, person: Sandbox, event_id: str) -> None:
        """Without an owner, ``/me`` is the person who signed in."""
        assert cancel(event_id, None) == "cancelled"

    def test_a_groups_calendar(self, person: Sandbox) -> None:
        """A person can cancel in a group's calendar, where apps have no access."""
        person.add_mailbox(TEAM, kind="group", members=[ADA, BEN])
        made = person.create_event(organizer=TEAM, subject="Team", attendees=[BEN], **WHEN)
        assert cancel(made["copies"][TEAM], None, group_id=TEAM) == "cancelled"

    def test_a_confidential_app(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A confidential app sends its secret with the refresh token."""
        connect(
            monkeypatch, sandbox, credential="refresh_token", login="sandbox-app", password="sandbox-secret",
            tenant_id=tenant(sandbox), refresh_token=sandbox.refresh_token(ADA, client_id="sandbox-app"),
        )  # fmt: skip
        assert cancel(event_id, None) == "cancelled"

    def test_a_rotated_token_is_used_from_then_on(self, person: Sandbox, event_id: str) -> None:
        """A login that lets each be used once does not lock the process out; the connection's stays what it is."""
        person.settings(used_refresh_tokens="invalid")
        for _ in range(3):
            assert asyncio.run(GraphEventHook().get_event(event_id))["id"] == event_id
        assert [request["status"] for request in person.token_requests()] == [200, 200, 200]

    def test_the_connections_ca_wins(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Over one of the environment, also where that is trusted for the rest."""
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
        token = sandbox.refresh_token(ADA)
        connect(
            monkeypatch, sandbox, login="sandbox-public", tenant_id=tenant(sandbox), refresh_token=token, trust_env=True
        )  # fmt: skip
        assert cancel(event_id, None) == "cancelled"

    def test_one_token_serves_many_requests(self, person: Sandbox) -> None:
        """Fetched once, renewed when it is old."""
        rows = [person.create_event(organizer=ADA, subject="x", attendees=[BEN], **WHEN) for _ in range(30)]
        ids = [row["copies"][ADA] for row in rows]
        work = asyncio.run(GraphEventHook().cancel_events(ids, options=Options(batch=False)))
        assert work.counts == {"cancelled": 30}
        assert len(person.token_requests()) == 1

    def test_a_token_that_is_about_to_end_is_renewed(self, person: Sandbox, event_id: str) -> None:
        """The token is renewed before Graph would refuse it."""
        person.settings(token_lifetime=60)

        async def look_twice() -> None:
            async with GraphEventHook() as hook:
                for _ in range(2):
                    await hook.get_event(event_id)

        asyncio.run(look_twice())
        assert len(person.token_requests()) > 1

    @pytest.mark.parametrize(
        ("reason", "said"),
        [("revoked", "AADSTS50173"), ("inactive", "AADSTS700082"), ("mfa", "AADSTS50076"), ("consent", "AADSTS65001")],
    )
    def test_a_refused_token_is_explained(self, person: Sandbox, event_id: str, reason: str, said: str) -> None:
        """The person must sign in again; asking again would not help."""
        person.refuse_refresh_tokens(reason)
        with pytest.raises(AccessDeniedError, match=f"(?s)sign in again.*{said}"):
            cancel(event_id, None)

    @pytest.mark.parametrize("kind", ["503", "429", "reset", "502-html"])
    def test_a_login_that_is_down_is_asked_later(self, person: Sandbox, event_id: str, kind: str) -> None:
        """An outage of the login is not a refusal: Airflow retries, and nothing was sent."""
        person.add_fault(kind, times=None, retry_after="7", match={"path": "/oauth2/"})
        with pytest.raises(TryLaterError, match="login"):
            cancel(event_id, None)
        assert not person.requests(method="POST")
        person.clear_faults()
        assert cancel(event_id, None) == "cancelled"

    def test_a_person_without_the_right(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Consent for reading does not cancel."""
        token = sandbox.refresh_token(ADA, client_id="sandbox-public-reader")
        connect(monkeypatch, sandbox, login="sandbox-public-reader", tenant_id=tenant(sandbox), refresh_token=token)
        with pytest.raises(AccessDeniedError):
            cancel(event_id, None)
        works, said = GraphEventHook().test_connection()
        assert works
        assert "lacks Calendars.ReadWrite" in said
