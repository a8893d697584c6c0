"""Managed identities as on a virtual machine and as in App Service, through azure-identity and MSAL."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from airflow_graph_cancel.sandbox.client import Sandbox, SandboxError
from tests.support.graph_client import GraphClient, Office
from tests.support.signing import GRAPH, fetch, may_cancel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.graph_client import Reply

IMDS, APP_SERVICE = "managed_identity", "managed_identity_app_service"


@pytest.fixture(scope="module")
def machine_process() -> Iterator[GraphClient]:
    """Return a client of a sandbox that also serves managed identities."""
    with Sandbox.start(managed_identity_port=0) as sandbox:
        client = GraphClient(sandbox)
        yield client
        client.close()


@pytest.fixture
def machine(machine_process: GraphClient, monkeypatch: pytest.MonkeyPatch) -> GraphClient:
    """Return the same, emptied; requests to this machine do not use a proxy."""
    machine_process.sandbox.reset()
    machine_process.tokens.clear()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    return machine_process


@pytest.fixture
def environment(request: pytest.FixtureRequest, machine: GraphClient, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set the environment of such a machine; return the ledger's word for its requests."""
    for name, value in getattr(machine.sandbox, request.param).items():
        monkeypatch.setenv(name, value)
    return "imds" if request.param == IMDS else "app_service"


both = pytest.mark.parametrize("environment", [IMDS, APP_SERVICE], indirect=True)


def get(machine: GraphClient, path: str, headers: dict[str, str], method: str = "GET", **query: str) -> Reply:
    """Send a plain request to the machine's endpoints."""
    query_string = "&".join(f"{name}={value}" for name, value in query.items())
    origin = machine.sandbox.managed_identity["AZURE_POD_IDENTITY_AUTHORITY_HOST"]
    return machine.request(method, f"{origin}{path}?{query_string}", **headers)


def imds(machine: GraphClient, headers: dict[str, str] | None = None, method: str = "GET", **changes: Any) -> Reply:
    """Request a token as on a virtual machine, with some parameters changed; None removes one."""
    query = {"api-version": "2018-02-01", "resource": GRAPH, **changes}
    path = "/metadata/identity/oauth2/token"
    sent = {name: value for name, value in query.items() if value is not None}
    return get(machine, path, {"Metadata": "true"} if headers is None else headers, method, **sent)


@both
@pytest.mark.parametrize(
    ("named", "identity"),
    [
        ({}, "sandbox-machine"),
        ({"client_id": "sandbox-identity"}, "sandbox-identity"),
        ({"identity_config": "object_id"}, "sandbox-identity"),
        ({"identity_config": "mi_res_id"}, "sandbox-identity"),
    ],
    ids=str,
)
def test_azure_identity_signs_in(machine: GraphClient, environment: str, named: dict[str, str], identity: str) -> None:
    """ManagedIdentityCredential gets a token of the system-assigned identity, or of the named one."""
    from azure.identity.aio import ManagedIdentityCredential

    (known,) = [app for app in machine.sandbox.apps() if app["client_id"] == "sandbox-identity"]
    ids = {"object_id": known["object_id"], "mi_res_id": known["resource_id"]}
    given: dict[str, Any] = dict(named)
    if "identity_config" in named:
        given["identity_config"] = {named["identity_config"]: ids[named["identity_config"]]}
    token = fetch(ManagedIdentityCredential(**given))
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["appid"], claims["aud"], claims["idtyp"]) == (identity, GRAPH, "app")
    assert may_cancel(machine, Office(machine.sandbox), token)
    (request,) = machine.sandbox.token_requests()
    assert [request[name] for name in ("grant_type", "client_id", "credential", "status")] == [
        "managed_identity", identity, environment, 200,
    ]  # fmt: skip
    assert machine.sandbox.ledger()["tokens"] == 1


@both
def test_msal_signs_in(machine: GraphClient, environment: str) -> None:
    """ManagedIdentityClient gets a token for both kinds of identity."""
    import requests
    from msal import ManagedIdentityClient, SystemAssignedManagedIdentity, UserAssignedManagedIdentity

    for identity in (SystemAssignedManagedIdentity(), UserAssignedManagedIdentity(client_id="sandbox-identity")):
        client = ManagedIdentityClient(identity, http_client=requests.Session())
        answer = client.acquire_token_for_client(resource=GRAPH)
        assert 3590 <= answer["expires_in"] <= 3599
        assert machine.get("/users", app=None, Authorization=f"Bearer {answer['access_token']}").status == 200


@both
def test_an_unknown_identity_is_not_found(machine: GraphClient, environment: str) -> None:
    """It is not found, in the words of each endpoint."""
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity.aio import ManagedIdentityCredential

    said = {"imds": "Identity not found", "app_service": "No User Assigned or Delegated Managed Identity found"}
    with pytest.raises(ClientAuthenticationError, match=said[environment]):
        fetch(ManagedIdentityCredential(client_id="sandbox-app"))
    (request,) = machine.sandbox.token_requests()
    assert (request["client_id"], request["status"], request["error"]) == ("sandbox-app", 400, "invalid_request")


def test_the_response_of_a_virtual_machine(machine: GraphClient) -> None:
    """All numbers are text; the expiry is the token's."""
    machine.sandbox.settings(token_lifetime=120)
    reply = imds(machine)
    claims = jwt.decode(reply.body["access_token"], options={"verify_signature": False})
    assert reply.body["expires_in"] == "120"
    assert int(reply.body["expires_on"]) == int(claims["exp"])
    assert reply.body["not_before"] == str(claims["nbf"])
    assert (reply.body["resource"], reply.body["token_type"], reply.body["refresh_token"]) == (GRAPH, "Bearer", "")
    assert (reply.body["client_id"], claims["xms_mirid"][:15]) == ("sandbox-machine", "/subscriptions/")


@pytest.mark.parametrize(
    ("changes", "status", "error", "said"),
    [
        ({"headers": {}}, 400, "bad_request_102", "Required metadata header not specified"),
        ({"headers": {"Metadata": "True"}}, 400, "bad_request_102", "Required metadata header"),
        ({"headers": {"Metadata": "true", "X-Forwarded-For": "10.0.0.1"}}, 400, "bad_request_102", "metadata header"),
        ({"resource": None}, 400, "invalid_request", "'resource' is missing"),
        ({"api-version": None}, 400, "invalid_request", "api-version"),
        ({"api-version": "2017-01-01"}, 400, "invalid_request", "use 2018-02-01"),
        ({"client_id": "sandbox-identity", "object_id": "x"}, 400, "invalid_request", "cannot be used together"),
        ({"msi_res_id": "/subscriptions/x"}, 400, "invalid_request", "Identity not found"),
        ({"method": "POST"}, 405, "invalid_request", "Method not allowed"),
    ],
    ids=str,
)
def test_a_virtual_machine_refuses(
    machine: GraphClient, changes: dict[str, Any], status: int, error: str, said: str
) -> None:
    """A request that breaks the protocol, with the documented error where there is one."""
    reply = imds(machine, **changes)
    assert (reply.status, reply.body["error"]) == (status, error)
    assert said in reply.body["error_description"]
    assert machine.sandbox.ledger()["tokens"] == 0


def test_app_service(machine: GraphClient) -> None:
    """The environment's header is required; the response has numbers as text, and no refresh token."""
    header = machine.sandbox.managed_identity_app_service["IDENTITY_HEADER"]
    query = {"api-version": "2019-08-01", "resource": GRAPH}
    for headers in ({}, {"X-IDENTITY-HEADER": "wrong"}, {"Metadata": "true"}):
        reply = get(machine, "/msi/token", headers, **query)
        assert (reply.status, reply.body["statusCode"]) == (401, 401)
    right = {"X-IDENTITY-HEADER": header}
    assert get(machine, "/msi/token", right, **{**query, "api-version": "2017-09-01"}).body["statusCode"] == 400
    reply = get(machine, "/msi/token", right, **query, principal_id="nosuch")
    assert (reply.body["statusCode"], "correlationId" in reply.body) == (400, True)
    reply = get(machine, "/msi/token", right, **query)
    assert set(reply.body) == {"access_token", "client_id", "expires_on", "not_before", "resource", "token_type"}
    assert reply.body["expires_on"].isdecimal()


def test_the_identity_without_a_name(machine: GraphClient) -> None:
    """It is the system-assigned one; without it, the only one; of several, one must be named."""
    named = machine.sandbox.register_app("second-identity", identity="user", roles=["Calendars.Read"])
    assert named["resource_id"].endswith("/second-identity")
    assert imds(machine).body["client_id"] == "sandbox-machine"
    machine.sandbox.register_app("sandbox-machine", identity=None)
    assert "Multiple user assigned identities exist" in imds(machine).body["error_description"]
    assert imds(machine, mi_res_id=named["resource_id"].upper()).body["client_id"] == "second-identity"
    machine.sandbox.register_app("second-identity", identity=None)
    assert imds(machine).body["client_id"] == "sandbox-identity"
    machine.sandbox.register_app("sandbox-identity", identity=None)
    assert imds(machine).body["error_description"] == "Identity not found"


@pytest.mark.parametrize("environment", [IMDS], indirect=True)
def test_faults_apply_to_managed_identities_too(machine: GraphClient, environment: str) -> None:
    """azure-identity retries after a 500, which is logged."""
    from azure.identity.aio import ManagedIdentityCredential

    machine.sandbox.add_fault("500", match={"path": "/metadata/"})
    assert fetch(ManagedIdentityCredential())
    assert [request["status"] for request in machine.sandbox.token_requests()] == [500, 200]


def test_it_is_off_by_default() -> None:
    """Without the option there is no endpoint; a port in use is reported."""
    with Sandbox.start() as sandbox:
        assert (sandbox.managed_identity, sandbox.managed_identity_app_service) == ({}, {})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = f"port {port} is taken: choose another with --managed-identity-port"
        with pytest.raises(SandboxError, match=said), Sandbox.start(managed_identity_port=port):
            pass


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_environment_and_stops_with_the_sandbox(tmp_path: Path, sign: signal.Signals) -> None:
    """The printed commands can be pasted; an open connection does not delay the stop."""
    command = [sys.executable, "-m", "airflow_graph_cancel.sandbox", "--port", "0", "--managed-identity-port", "0"]
    options = ["--tenant", "empty", "--directory", str(tmp_path), "--ready-file", str(tmp_path / "ready.json")]
    process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl+C" in line:
            break
    printed = "".join(lines)
    (port,) = re.findall(r"export AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127\.0\.0\.1:(\d+)\n", printed)
    assert re.search(rf"export IDENTITY_ENDPOINT=http://127\.0\.0\.1:{port}/msi/token\n", printed)
    assert re.search(r"export IDENTITY_HEADER=[\w-]{36}\n", printed)
    with socket.create_connection(("127.0.0.1", int(port))) as idle:
        idle.sendall(b"GET /metadata/identity/oauth2/token HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 400"
        stopped = time.monotonic()
        process.send_signal(sign)
        output = process.communicate(timeout=5)[0]
        assert time.monotonic() - stopped < 1
    assert (process.returncode, "Traceback" in output) == (0, False)
