"""Refresh tokens, and what a delegated token can do in Graph."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest

from airflow_graph_cancel.sandbox.client import SandboxError
from tests.support.contoso import ADA, BEN, TEAM
from tests.support.signing import CANCELS, GRAPH, ask, claims, msal, refusal

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox
    from tests.support.graph_client import GraphClient, Office, Reply


def refresh(graph: GraphClient, token: str, **form: str) -> Reply:
    """Send the public application's request."""
    return ask(graph, **{"grant_type": "refresh_token", "client_id": "sandbox-public", "refresh_token": token, **form})


class TestRefreshToken:
    """Refresh tokens of a person who signed in once."""

    @pytest.mark.parametrize(("client_id", "secret"), [("sandbox-public", None), ("sandbox-app", "sandbox-secret")])
    def test_msal_redeems_it(self, graph: GraphClient, office: Office, client_id: str, secret: str | None) -> None:
        """For a public and for a confidential application; the response has the next one, which works too."""
        token = graph.sandbox.refresh_token(BEN, client_id=client_id)
        seen = {token}
        for _ in range(3):
            answer = msal(graph.sandbox, client_id, secret).acquire_token_by_refresh_token(token, CANCELS)
            assert claims(answer["access_token"])["upn"] == BEN
            token = answer["refresh_token"]
            seen.add(token)
        assert len(seen) == 4

    def test_the_access_token_is_delegated(self, graph: GraphClient, office: Office) -> None:
        """It has the person's scopes, name and object id, no roles, and the lifetime of the setting."""
        graph.sandbox.settings(token_lifetime=60)
        reply = refresh(graph, graph.sandbox.refresh_token(ADA), client_info="1")
        found = claims(reply.body["access_token"])
        assert found["scp"].split() == ["Calendars.ReadWrite", "Group.ReadWrite.All", "Place.Read.All", "User.Read"]
        assert (found["upn"], found["oid"], found["idtyp"]) == (ADA, office.ada["id"], "user")
        assert "roles" not in found
        assert reply.body["expires_in"] == found["exp"] // 1 - found["iat"] == 60
        info = reply.body["client_info"]
        decoded = json.loads(base64.urlsafe_b64decode(info + "=" * (-len(info) % 4)))
        assert decoded == {"uid": office.ada["id"], "utid": found["tid"]}
        assert "id_token" not in reply.body

    def test_the_old_one_stays_valid_or_not(self, graph: GraphClient, office: Office) -> None:
        """The old one stays valid, as in Entra, or becomes invalid by the setting; the new one is always valid."""
        first = graph.sandbox.refresh_token(ADA)
        second = refresh(graph, first).body["refresh_token"]
        assert refresh(graph, first).status == 200
        graph.sandbox.settings(used_refresh_tokens="invalid")
        assert refusal(refresh(graph, first)) == (400, "invalid_grant", 70000)
        assert refresh(graph, second).status == 200

    @pytest.mark.parametrize(
        ("reason", "number", "suberror"),
        [
            ("revoked", 50173, None),
            ("inactive", 700082, None),
            ("mfa", 50076, "basic_action"),
            ("consent", 65001, "consent_required"),
        ],
    )
    def test_it_is_refused_for_a_reason_until_the_next_sign_in(
        self, graph: GraphClient, office: Office, reason: str, number: int, suberror: str | None
    ) -> None:
        """Only for the named person; MSAL shows error and number."""
        ada, ben = graph.sandbox.refresh_token(ADA), graph.sandbox.refresh_token(BEN)
        assert graph.sandbox.refuse_refresh_tokens(reason, ADA.upper()) == 1
        answer = msal(graph.sandbox).acquire_token_by_refresh_token(ada, CANCELS)
        assert (answer["error"], answer["error_codes"], answer.get("suberror")) == ("invalid_grant", [number], suberror)
        assert f"AADSTS{number}" in answer["error_description"]
        assert refresh(graph, ben).status == 200
        assert refresh(graph, graph.sandbox.refresh_token(ADA)).status == 200
        with pytest.raises(SandboxError, match="reason must be one of"):
            graph.sandbox.refuse_refresh_tokens("whim")

    def test_unknown_tokens_and_those_of_others_are_refused(self, graph: GraphClient, office: Office) -> None:
        """Each has its own number; after a reset no refresh token is known."""
        token = graph.sandbox.refresh_token(ADA)
        assert refusal(refresh(graph, "0.AXo")) == (400, "invalid_grant", 9002313)
        assert refusal(refresh(graph, token, client_id="sandbox-public-reader")) == (400, "invalid_grant", 70000)
        graph.sandbox.reset()
        assert refusal(refresh(graph, token))[2] == 9002313

    def test_scopes(self, graph: GraphClient, office: Office) -> None:
        """The token has all scopes with consent, whatever part was requested; no others, and of one service only."""
        token = graph.sandbox.refresh_token(ADA)
        narrow = refresh(graph, token, scope="user.read").body
        assert "Calendars.ReadWrite" in claims(narrow["access_token"])["scp"]
        assert narrow["scope"].startswith("Calendars.ReadWrite ")
        default = refresh(graph, token, scope=f"{graph.sandbox.url}/.default openid").body
        assert claims(default["access_token"])["aud"] == graph.sandbox.url
        assert {f"{graph.sandbox.url}/.default", "openid"} <= set(default["scope"].split())
        assert "id_token" in default
        refused = refresh(graph, token, scope="Mail.Read")
        assert (*refusal(refused), refused.body["suberror"]) == (400, "invalid_grant", 65001, "consent_required")
        two = refresh(graph, token, scope=f"{GRAPH}/User.Read https://vault.azure.net/x")
        assert refusal(two) == (400, "invalid_scope", 700022)

    @pytest.mark.parametrize(
        ("asked", "sentence"),
        [
            ({"upn": "nobody@contoso.example"}, "no such person"),
            ({"client_id": "x"}, "no such application"),
            ({"client_id": "sandbox-reader"}, "has not consented"),
            ({"scope": "Mail.Read"}, "has not consented"),
        ],
        ids=str,
    )
    def test_an_invalid_request_for_one_is_explained(
        self, graph: GraphClient, office: Office, asked: dict[str, str], sentence: str
    ) -> None:
        """The control API explains why."""
        with pytest.raises(SandboxError, match=sentence):
            graph.sandbox.refresh_token(**asked)


def test_refresh_tokens_and_device_codes_expire(monkeypatch: pytest.MonkeyPatch) -> None:
    """They expire after the settings' lifetimes, counted from their issue."""
    from airflow_graph_cancel.sandbox.behaviour import Settings
    from airflow_graph_cancel.sandbox.entra import sign_ins
    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError

    settings = Settings(refresh_token_lifetime=100_000, device_code_lifetime=60)
    known, app = sign_ins.SignIns(), App("sandbox-public")
    token = known.issue_refresh_token(app, ADA, "User.Read")
    code, device = known.begin(app, "User.Read", settings)
    began = time.time()
    for passed, number, said in ((99_000, None, ""), (100_001, 700082, r"inactive for 1\.03:46:40")):
        monkeypatch.setattr("time.time", lambda passed=passed: began + passed)
        if number is None:
            assert known.redeem_refresh_token(token, app, "", settings).upn == ADA
        else:
            with pytest.raises(EntraError, match=said) as refused:
                known.redeem_refresh_token(token, app, "", settings)
            assert refused.value.number == number
    with pytest.raises(ValueError, match="no sign-in waits"):
        known.decide(device.user_code, "approve", None)
    with pytest.raises(EntraError) as expired:
        known.redeem_device(code, app, settings)
    assert expired.value.error == "expired_token"


def test_a_connection_can_do_without_a_secret(sandbox: Sandbox) -> None:
    """It leads to the same sandbox with another credential, or with only the machine's identity."""
    token = {"credential": "refresh_token", "refresh_token": "x"}
    connection = sandbox.connection_without_secret("sandbox-public", **token)
    assert (connection["login"], "password" in connection) == ("sandbox-public", False)
    assert connection["extra"] == {**sandbox.connection["extra"], **token}
    assert not {"login", "password"} & sandbox.connection_without_secret(None).keys()


class TestGraph:
    """What a person's token gives access to."""

    def test_a_person_reads_their_mailbox_and_groups(self, graph: GraphClient, office: Office) -> None:
        """Other people's mailboxes, and groups without the person, are refused."""
        graph.sandbox.add_mailbox("board@contoso.example", kind="group", members=[ADA])
        meeting = office.meet()
        graph.tokens["ben"] = refresh(graph, graph.sandbox.refresh_token(BEN)).body["access_token"]
        assert graph.get("/me", app="ben").body["mail"] == BEN
        assert graph.get(f"/me/events/{meeting.copies[BEN]}", app="ben").status == 200
        assert graph.get(f"/users/{BEN}/events", app="ben").status == 200
        assert graph.get(f"/groups/{TEAM}/events", app="ben").status == 200
        for path in (f"/users/{ADA}/events", "/groups/board@contoso.example/events"):
            assert graph.get(path, app="ben").code == "ErrorAccessDenied"

    def test_a_person_cancels_their_own_meeting(self, graph: GraphClient, office: Office) -> None:
        """It works on /me if the application may write calendars; with a permission to read it gets a 403."""
        meeting = office.meet()
        for client_id, status in (("sandbox-public-reader", 403), ("sandbox-public", 202)):
            token = graph.sandbox.refresh_token(ADA, client_id=client_id)
            graph.tokens[client_id] = refresh(graph, token, client_id=client_id).body["access_token"]
            assert graph.get(f"/me/events/{meeting.id}", app=client_id).status == 200
            cancelled = graph.send("POST", f"/me/events/{meeting.id}/cancel", {"comment": "x"}, app=client_id)
            assert cancelled.status == status
        assert len(graph.sandbox.messages()) == 1

    def test_the_shortcut_acts_for_the_person_of_the_setting(self, graph: GraphClient, office: Office) -> None:
        """Client credentials of sandbox-person act for the person of the setting; an empty tenant has nobody."""
        graph.sandbox.settings(signed_in_as=BEN)
        assert claims(graph.token("sandbox-person"))["upn"] == BEN
        assert graph.sandbox.token_requests()[-1]["person"] == BEN
        graph.sandbox.reset()
        assert refusal(graph.ask_for_token(client_id="sandbox-person")) == (400, "invalid_grant", 50034)
