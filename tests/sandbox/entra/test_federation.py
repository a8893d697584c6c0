"""A workload signs in with another issuer's token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.support.signing import fetch, may_cancel, options, refusal, signer, with_assertion

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.graph_client import GraphClient, Office

ISSUER, SUBJECT = "https://cluster.example/oidc", "system:serviceaccount:airflow:worker"


def token(by: str = "issuer", **changes: Any) -> str:
    """Return a token as a cluster gives it to a pod."""
    claims = {
        "iss": ISSUER,
        "sub": SUBJECT,
        "aud": ["api://AzureADTokenExchange"],
        "exp": int(time.time()) + 600,
        **changes,
    }
    return jwt.encode(claims, signer(by).key, algorithm="RS256")


def test_a_pod_signs_in(graph: GraphClient, office: Office, tmp_path: Path) -> None:
    """WorkloadIdentityCredential exchanges the token in its file for one of the application's."""
    from azure.identity.aio import WorkloadIdentityCredential

    federation = {"issuer": ISSUER, "subject": SUBJECT, "key": signer("issuer").public}
    graph.sandbox.register_app("sandbox-app", federations=[federation])
    (tmp_path / "token").write_text(token())
    known = options(graph.sandbox, client_id="sandbox-app", token_file_path=str(tmp_path / "token"))
    issued = fetch(WorkloadIdentityCredential(**known))
    assert jwt.decode(issued, options={"verify_signature": False})["appid"] == "sandbox-app"
    assert may_cancel(graph, office, issued)
    assert [each["credential"] for each in graph.sandbox.token_requests()] == ["federated"]


@pytest.mark.parametrize(
    ("changes", "number", "said"),
    [
        ({"iss": f"{ISSUER}/"}, 700211, f"issuer '{ISSUER}/'"),
        ({"sub": SUBJECT.upper()}, 700213, f"subject '{SUBJECT.upper()}'"),
        ({"aud": "https://kubernetes.default.svc"}, 70021, "Assertion Audience: 'https://kubernetes.default.svc'"),
        ({"exp": 1}, 700024, "not within its valid time range"),
        ({"by": "forger"}, 50027, "failed signature verification"),
    ],
    ids=["issuer", "subject", "audience", "expired", "forged"],
)
def test_each_mismatch_has_its_number(graph: GraphClient, changes: dict[str, Any], number: int, said: str) -> None:
    """Issuer, subject and audience are compared exactly."""
    federation = {"issuer": ISSUER, "subject": SUBJECT, "key": signer("issuer").public}
    graph.sandbox.register_app("sandbox-app", federations=[federation])
    reply = with_assertion(graph, token(**changes))
    assert refusal(reply) == (401, "invalid_client", number)
    assert said in reply.body["error_description"]


def test_a_federation_without_a_key_accepts_any_signature(graph: GraphClient) -> None:
    """Without a federation no issuer is trusted; with one without a key, any signature is accepted."""
    assert refusal(with_assertion(graph, token()))[2] == 700211
    graph.sandbox.register_app("sandbox-app", federations=[{"issuer": ISSUER, "subject": SUBJECT}])
    assert with_assertion(graph, token(by="forger")).status == 200
