"""People sign in for a device, through MSAL and azure-identity."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import jwt
import pytest

from airflow_graph_cancel.sandbox.client import SandboxError
from tests.support.contoso import ADA, BEN, TEAM
from tests.support.signing import CANCELS, GRAPH, ask, msal, options, poll, refusal

if TYPE_CHECKING:
    from tests.support.graph_client import GraphClient, Office, Reply

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class TestDeviceCode:
    """The device shows a code, and the person decides in a browser."""

    def test_a_person_signs_in(self, graph: GraphClient, office: Office) -> None:
        """It is pending at first; afterwards MSAL has tokens and an account, and serves them from its cache."""
        app = msal(graph.sandbox)
        flow = app.initiate_device_flow(CANCELS)
        assert flow["verification_uri"] == f"{graph.sandbox.url}/devicelogin"
        assert flow["user_code"] in flow["message"]
        assert (flow["interval"], flow["expires_in"]) == (5, 900)
        assert poll(app, flow)["error"] == "authorization_pending"
        (waiting,) = graph.sandbox.sign_ins()
        assert (waiting["user_code"], waiting["client_id"]) == (flow["user_code"], "sandbox-public")
        graph.sandbox.approve_sign_in(flow["user_code"], BEN)
        answer = poll(app, flow)
        assert answer["id_token_claims"]["preferred_username"] == BEN
        assert set(answer["scope"].split()) >= {*CANCELS, f"{GRAPH}/User.Read", "openid", "profile"}
        (account,) = app.get_accounts()
        assert account["home_account_id"] == f"{answer['id_token_claims']['oid']}.{answer['id_token_claims']['tid']}"
        silent = app.acquire_token_silent(CANCELS, account)
        assert (silent["access_token"], silent["token_source"]) == (answer["access_token"], "cache")
        assert graph.sandbox.sign_ins() == []

    def test_azure_identity_signs_in(self, graph: GraphClient, office: Office) -> None:
        """DeviceCodeCredential prompts, and knows who signed in."""
        from azure.identity import DeviceCodeCredential

        def prompt(page: str, code: str, _: object) -> None:
            assert page.startswith(graph.sandbox.url)
            graph.sandbox.approve_sign_in(code, ADA)

        known = options(graph.sandbox, client_id="sandbox-public", prompt_callback=prompt)
        with DeviceCodeCredential(**known) as credential:
            record = credential.authenticate(scopes=CANCELS)
            token = credential.get_token(*CANCELS).token
        assert record.username == ADA
        assert graph.get("/me", app=None, Authorization=f"Bearer {token}").body["mail"] == ADA

    def test_a_device_that_polls_too_often_is_slowed_down(self, graph: GraphClient, office: Office) -> None:
        """From the second poll on, unless the guess says that early polls are ignored."""
        app = msal(graph.sandbox)
        flow = app.initiate_device_flow(CANCELS)
        assert [poll(app, flow)["error"] for _ in range(3)] == ["authorization_pending", "slow_down", "slow_down"]
        graph.sandbox.settings(guesses={"device_code_pace": "ignored"})
        assert poll(app, flow)["error"] == "authorization_pending"

    @pytest.mark.parametrize(
        ("decision", "error", "number"),
        [("decline_sign_in", "authorization_declined", 65004), ("expire_sign_in", "expired_token", 70020)],
    )
    def test_it_can_be_declined_or_expire(
        self, graph: GraphClient, office: Office, decision: str, error: str, number: int
    ) -> None:
        """The person declines, or does not decide in time; then it is too late to approve."""
        app = msal(graph.sandbox)
        flow = app.initiate_device_flow(CANCELS)
        getattr(graph.sandbox, decision)(flow["user_code"])
        answer = poll(app, flow)
        assert (answer["error"], answer["error_codes"]) == (error, [number])
        with pytest.raises(SandboxError, match="no sign-in waits"):
            graph.sandbox.approve_sign_in(flow["user_code"], ADA)

    def test_a_code_is_valid_once_and_for_one_client(self, graph: GraphClient, office: Office) -> None:
        """Another client's, a used and an invented code are all unknown."""
        app = msal(graph.sandbox)
        flow = app.initiate_device_flow(CANCELS)
        graph.sandbox.approve_sign_in(flow["user_code"].lower(), ADA)
        form = {"grant_type": DEVICE_CODE, "client_id": "sandbox-public-reader", "device_code": flow["device_code"]}
        unknown = (400, "bad_verification_code", 70018)
        assert refusal(ask(graph, **form)) == unknown
        assert "access_token" in poll(app, flow)
        assert poll(app, flow)["error"] == unknown[1]
        assert refusal(ask(graph, **{**form, "device_code": "invented"})) == unknown
        assert refusal(ask(graph, grant_type=DEVICE_CODE, client_id="sandbox-public")) == (
            400,
            "invalid_request",
            900144,
        )

    def test_a_scope_without_consent_cannot_be_approved(self, graph: GraphClient, office: Office) -> None:
        """Nor can an unknown person approve; the sign-in keeps waiting."""
        flow = msal(graph.sandbox).initiate_device_flow([f"{GRAPH}/Mail.Read"])
        with pytest.raises(SandboxError, match="has not consented"):
            graph.sandbox.approve_sign_in(flow["user_code"], ADA)
        for nobody in ("nobody@contoso.example", TEAM):
            with pytest.raises(SandboxError, match="no such person"):
                graph.sandbox.approve_sign_in(flow["user_code"], nobody)
        assert len(graph.sandbox.sign_ins()) == 1

    def test_scope_application_and_tenant_are_checked(self, graph: GraphClient, office: Office) -> None:
        """The start of a sign-in has the same checks as a token request; common tenant names are accepted."""

        def begin(tenant: str, **form: str) -> Reply:
            url = f"{graph.sandbox.url}/{tenant}/oauth2/v2.0/devicecode"
            return graph.request("POST", url, form)

        assert refusal(begin("common", client_id="sandbox-public")) == (400, "invalid_request", 900144)
        assert refusal(begin("common", client_id="x", scope="openid")) == (400, "unauthorized_client", 700016)
        assert refusal(begin("fabrikam.example", client_id="sandbox-public", scope="openid"))[2] == 90002
        assert begin("organizations", client_id="sandbox-public", scope="openid").status == 200

    def test_a_person_decides_on_a_page(self, graph: GraphClient, office: Office) -> None:
        """The page lists everybody, takes a decision, and escapes everything that it repeats."""
        graph.sandbox.settings(guesses={"device_code_pace": "ignored"})

        def page(**form: str) -> Reply:
            url = f"{graph.sandbox.url}/devicelogin"
            return graph.request("POST" if form else "GET", url, form or None)

        shown = page()
        assert shown.status == 200
        assert all(f"<option>{each}</option>" in shown.body.decode() for each in (ADA, BEN))
        assert TEAM not in shown.body.decode()
        wrong = page(user_code="<b>", decision="approve", **{"as": ADA})
        assert (wrong.status, b"<b>" in wrong.body) == (400, False)
        app = msal(graph.sandbox)
        for decision, expected in (("approve", None), ("decline", "authorization_declined")):
            flow = app.initiate_device_flow(CANCELS)
            assert b"Done." in page(user_code=flow["user_code"], decision=decision, **{"as": BEN}).body
            answer = poll(app, flow)
            assert answer.get("error") == expected
            assert expected or answer["id_token_claims"]["preferred_username"] == BEN

    def test_an_id_token_can_be_verified(self, graph: GraphClient, office: Office) -> None:
        """Its signature matches the keys of the OpenID configuration, and its issuer is the one named there."""
        app = msal(graph.sandbox)
        flow = app.initiate_device_flow(CANCELS)
        graph.sandbox.approve_sign_in(flow["user_code"], ADA)
        token = poll(app, flow)["id_token"]
        base = f"{graph.sandbox.url}/{graph.sandbox.connection['extra']['tenant_id']}"
        url = f"{base}/v2.0/.well-known/openid-configuration"
        configuration = graph.request("GET", url).body
        context = ssl.create_default_context(cafile=str(graph.sandbox.ca))
        key = jwt.PyJWKClient(configuration["jwks_uri"], ssl_context=context).get_signing_key_from_jwt(token)
        found = jwt.decode(token, key, ["RS256"], audience="sandbox-public", issuer=configuration["issuer"])
        assert found["name"] == "Ada Okafor"
