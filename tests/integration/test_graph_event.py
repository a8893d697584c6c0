"""The hook against the local Graph, over real TLS, with connections as users have them."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from airflow.sdk import Connection
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    ConnectionSettingsError,
    EventMissingError,
    GraphCancelError,
    InvalidInputError,
)
from airflow_graph_cancel.hooks.graph_event import GraphEventHook
from tests.support.contoso import ADA, BEN, NOT_HERE, TEAM, WHEN

if TYPE_CHECKING:
    from pathlib import Path

    from kiota_http.httpx_request_adapter import HttpxRequestAdapter
    from msgraph import GraphRequestAdapter

    from airflow_graph_cancel.sandbox.client import Sandbox

ONCE = Options(Backoff(retry_for=0))


def connect(
    monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox, extra: dict[str, Any] | None = None, **fields: Any
) -> str:
    """Set a connection that differs from the sandbox's own by what is given; return its id."""
    base = sandbox.connection
    changed = {**base, **fields, "extra": {**base["extra"], **(extra or {})}}
    monkeypatch.setenv("AIRFLOW_CONN_CHANGED", json.dumps(changed))
    return "changed"


FORMS = [
    ("me", {}),
    ("user", {"user_id": ADA}),
    ("group", {"group_id": TEAM}),
    ("me", {"calendar_id": "default"}),
    ("user", {"user_id": ADA, "calendar_id": "default"}),
    ("group", {"group_id": TEAM, "calendar_id": "default"}),
    ("me", {"calendar_id": "C"}),
    ("user", {"user_id": ADA, "calendar_id": "C"}),
    ("me", {"calendar_id": "C", "calendar_group_id": "default"}),
    ("me", {"calendar_id": "C", "calendar_group_id": "CG"}),
    ("user", {"user_id": ADA, "calendar_id": "C", "calendar_group_id": "CG"}),
]


@pytest.mark.parametrize("api_version", ["v1.0", "beta"])
@pytest.mark.parametrize(("owner", "address"), FORMS, ids=[str(sorted(form.items())) for _, form in FORMS])
def test_each_of_the_eleven_forms_cancels(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, owner: str, address: dict[str, str], api_version: str
) -> None:
    """All eleven addresses reach the event, in both versions; /me and groups as a person who signed in."""
    mailbox = sandbox.add_mailbox(ADA, calendars=[{"name": "Projects", "group": "Work"}])
    sandbox.add_mailbox(BEN)
    sandbox.add_mailbox(TEAM, kind="group", members=[ADA, BEN])
    conn_id = "graph_calendar_default"
    if owner != "user":
        person = {"credential": "refresh_token", "refresh_token": sandbox.refresh_token(ADA)}
        conn_id = connect(monkeypatch, sandbox, person, login="sandbox-public", password=None)
    projects = mailbox["calendars"][-1]
    in_primary_group = address.get("calendar_group_id") == "default"
    in_projects = "C" in address.values() and not in_primary_group
    names = {
        "C": mailbox["default_calendar_id"] if in_primary_group else projects["id"],
        "CG": projects["group_id"],
    }
    organizer = TEAM if owner == "group" else ADA
    where = {"calendar": projects["id"]} if in_projects else {}
    event = sandbox.create_event(organizer=organizer, subject="Planning", attendees=[BEN], **WHEN, **where)
    arguments = {name: names.get(value, value) for name, value in address.items()}
    hook = GraphEventHook(conn_id, api_version=api_version)
    result = asyncio.run(hook.cancel_event(event["copies"][organizer], "Closed.", **arguments))
    assert result.outcome == "cancelled"
    assert len(sandbox.messages()) == 1
    (request,) = sandbox.requests(method="POST", path="/cancel")
    assert request["path"].startswith(f"/{api_version}/{'me' if owner == 'me' else owner + 's'}/")


def test_an_msgraph_connection_works_unchanged(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the 3.3 form saves it: blanks as null, the version in the URL, the authority not among the allowed hosts."""
    blanks = dict.fromkeys(("scopes", "proxies", "certificate_path", "certificate_data", "drive_id", "allowed_hosts"))
    extra = {**blanks, "base_url": f"{sandbox.url}/v1.0", "trust_env": True}
    conn_id = connect(
        monkeypatch, sandbox, extra, conn_type="msgraph", host="https://graph.microsoft.com", schema="https"
    )
    assert asyncio.run(GraphEventHook(conn_id).cancel_event(event_id, user_id=ADA)).outcome == "cancelled"


def test_one_client_and_one_token_for_a_whole_block(sandbox: Sandbox, event_id: str) -> None:
    """As a context manager the hook signs in once, also for many events at once."""
    ids = [
        sandbox.create_event(organizer=ADA, subject=f"Planning {n}", attendees=[BEN], **WHEN)["copies"][ADA]
        for n in range(4)
    ]

    async def cancel_all() -> list[str]:
        async with GraphEventHook() as hook:
            results = await asyncio.gather(*(hook.cancel_event(event, user_id=ADA) for event in ids))
        return [str(result.outcome) for result in results]

    assert asyncio.run(cancel_all()) == ["cancelled"] * 4
    assert sandbox.ledger()["tokens"] == 1


def test_a_hook_serves_one_event_loop_after_another(sandbox: Sandbox, event_id: str) -> None:
    """The parent's cached adapter dies with the loop that made it."""
    hook = GraphEventHook()
    assert asyncio.run(hook.get_event(event_id, user_id=ADA))["id"] == event_id
    assert asyncio.run(hook.cancel_event(event_id, user_id=ADA)).outcome == "cancelled"


def test_two_hooks_of_one_connection_keep_their_own_version(sandbox: Sandbox, event_id: str) -> None:
    """The parent caches one adapter a connection, whatever the version."""

    async def read_both() -> None:
        async with GraphEventHook() as one, GraphEventHook(api_version="beta") as other:
            await one.get_event(event_id, user_id=ADA)
            await other.get_event(event_id, user_id=ADA)

    asyncio.run(read_both())
    assert [request["path"].split("/")[1] for request in sandbox.requests()] == ["v1.0", "beta"]


def test_the_sdks_builders_work_on_our_adapter(sandbox: Sandbox, event_id: str) -> None:
    """What Graph has beyond calendars is reached through msgraph-sdk, with the connection's settings."""
    from msgraph import GraphServiceClient

    async def read() -> Any:
        async with GraphEventHook() as hook:
            graph = GraphServiceClient(request_adapter=cast("GraphRequestAdapter", await hook.get_async_conn()))
            return await graph.users.by_user_id(ADA).events.by_event_id(event_id).get()

    assert asyncio.run(read()).subject == "Planning"
    (request,) = sandbox.requests()
    assert request["path"] == f"/v1.0/users/{ADA}/events/{event_id}"


def test_preview_only_holds_below_everything(sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw adapter of such a connection cannot send either."""
    from msgraph import GraphServiceClient
    from msgraph.generated.users.item.events.item.cancel.cancel_post_request_body import CancelPostRequestBody

    conn_id = connect(monkeypatch, sandbox, {"preview_only": "true"})

    async def send() -> None:
        async with GraphEventHook(conn_id) as hook:
            graph = GraphServiceClient(request_adapter=cast("GraphRequestAdapter", await hook.get_async_conn()))
            event = graph.users.by_user_id(ADA).events.by_event_id(event_id)
            await event.cancel.post(CancelPostRequestBody(comment="Closed."))

    with pytest.raises(InvalidInputError, match="preview_only"):
        asyncio.run(send())
    assert sandbox.requests() == []


def test_a_connection_that_only_a_worker_holds_is_tested(sandbox: Sandbox) -> None:
    """Airflow's workers test connections that are stored nowhere yet."""
    fields = {**sandbox.connection, "extra": json.dumps(sandbox.connection["extra"])}
    passed, message = Connection(conn_id="unsaved", **fields).test_connection()
    assert passed, message


def test_get_event_selects(sandbox: Sandbox, event_id: str) -> None:
    """Reading asks for what is wanted and gives it as Graph writes it."""
    event = asyncio.run(GraphEventHook().get_event(event_id, user_id=ADA, select=("id", "isCancelled")))
    assert event["isCancelled"] is False
    assert "subject" not in event


def test_get_event_says_what_is_missing(sandbox: Sandbox, event_id: str) -> None:
    """Errors of reading are those of cancelling."""
    with pytest.raises(EventMissingError):
        asyncio.run(GraphEventHook().get_event(NOT_HERE, user_id=ADA))


@pytest.mark.parametrize("bad", ["None", "", "..", None], ids=repr)
def test_bad_input_reaches_nobody(sandbox: Sandbox, bad: str | None) -> None:
    """Neither Graph nor the login hears of an id that cannot be one."""
    with pytest.raises(InvalidInputError):
        asyncio.run(GraphEventHook().cancel_event(bad, user_id=ADA))  # type: ignore[arg-type]
    assert (sandbox.requests(), sandbox.ledger()["tokens"]) == ([], 0)


def test_another_host_is_not_asked(sandbox: Sandbox) -> None:
    """Whatever URL somebody gives the hook: neither the token nor the request goes elsewhere."""
    asked = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(100))
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, GraphEventHook() as hook:
            client = hook._client
            assert client is not None
            request = RequestInformation(Method.GET)
            request.url = f"https://127.0.0.1:{port}/x"
            with pytest.raises(AccessDeniedError, match=r"127\.0\.0\.1 was not sent"):
                await client._send_once(request)

    asyncio.run(ask())
    assert not asked


def test_redirects_are_not_followed(sandbox: Sandbox, event_id: str) -> None:
    """The HTTP client below has no middleware that would repeat a POST elsewhere."""

    async def client_settings() -> tuple[bool, Any]:
        async with GraphEventHook() as hook:
            http = cast("HttpxRequestAdapter", await hook.get_async_conn())._http_client
            return http.follow_redirects, http.timeout

    follow, timeout = asyncio.run(client_settings())
    assert follow is False
    assert (timeout.connect, timeout.read) == (10.0, 60.0)


def test_a_silent_server_does_not_hold_the_task_for_ever(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The timeouts are there by default and end a request; what it did is then looked up."""
    import httpx

    monkeypatch.setattr("airflow_graph_cancel.hooks.client_factory.TIMEOUT", httpx.Timeout(0.5, connect=10.0))
    sandbox.add_fault("hang", after_effect=True, delay=5, match={"path": "/cancel$"})
    result = asyncio.run(GraphEventHook().cancel_event(event_id, user_id=ADA))
    assert (result.outcome, result.attempts) == ("cancelled", 1)
    assert len(sandbox.messages()) == 1


def test_a_server_that_is_not_there_was_certainly_not_asked(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused connection leaves no doubt, so that the next try need not look first."""
    conn_id = connect(monkeypatch, sandbox, {"base_url": "https://localhost:9"})
    with pytest.raises(GraphCancelError, match="could not be reached") as error:
        asyncio.run(GraphEventHook(conn_id).cancel_event(event_id, user_id=ADA, options=ONCE))
    assert (error.value.outcome, error.value.in_doubt) == ("unavailable", False)


def test_an_untrusted_certificate_is_no_outage(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It will not pass by waiting, and the message names the field that cures it."""
    conn_id = connect(monkeypatch, sandbox, {"verify": None})
    with pytest.raises(AccessDeniedError, match="Verify"):
        asyncio.run(GraphEventHook(conn_id).cancel_event(event_id, user_id=ADA))


class TestConnectionTest:
    """``test_connection``: what works, what is missing, in one sentence and without a secret."""

    def test_it_reads_the_mailbox(self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Signing in proves little; the named mailbox's calendar is read."""
        works, said = GraphEventHook(connect(monkeypatch, sandbox, {"mailbox": ADA})).test_connection()
        assert works
        assert "may write calendars" in said
        assert f"calendar of {ADA} can be read" in said
        assert not sandbox.requests(method="POST")

    def test_it_says_when_nothing_will_be_sent(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """A guarded connection says so."""
        works, said = GraphEventHook(connect(monkeypatch, sandbox, {"preview_only": True})).test_connection()
        assert works
        assert "Preview only" in said

    def test_it_runs_inside_an_event_loop(self, sandbox: Sandbox) -> None:
        """Servers call it from wherever they are."""

        async def inside() -> tuple[bool, str]:
            return GraphEventHook().test_connection()

        assert asyncio.run(inside())[0]

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"password": "wrong-secret-value"}, "client secret is wrong"),
            ({"login": "nobody"}, "has no app with this client ID"),
            ({"extra": {"tenant_id": "00000000-0000-0000-0000-000000000009"}}, "no such tenant"),
            ({"extra": {"verify": True}}, "certificate is not trusted"),
            ({"extra": {"authority": "https://localhost:9"}}, "login server could not be reached"),
            ({"extra": {"base_url": "https://localhost:9", "mailbox": ADA}}, "Graph could not be reached"),
            ({"extra": {"mailbox": "nobody@contoso.example"}}, "no mailbox nobody@contoso.example"),
            ({"login": "sandbox-roleless", "extra": {"mailbox": ADA}}, "permission or admin consent is missing"),
            ({"extra": {"tenant_id": None}}, "Tenant ID"),
            ({"extra": {"certificate_path": "/no/such/file.pem"}}, "Certificate path"),
        ],
        ids=str,
    )
    def test_it_explains_a_failure(
        self, sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], says: str
    ) -> None:
        """Each common mistake is called by its name, and no secret is repeated."""
        works, said = GraphEventHook(connect(monkeypatch, sandbox, **change)).test_connection()
        assert not works
        assert says in said
        assert "\n" not in said
        for secret in ("wrong-secret-value", "sandbox-secret", "eyJ"):
            assert secret not in said

    def test_it_names_a_missing_right(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        """An app that may only read signs in well; that it cannot cancel is said."""
        _, said = GraphEventHook(connect(monkeypatch, sandbox, login="sandbox-reader")).test_connection()
        assert "lacks Calendars.ReadWrite" in said


@pytest.mark.parametrize("field", ["certificate_path", "certificate_data"])
def test_it_signs_in_with_a_certificate(
    sandbox: Sandbox, event_id: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, field: str
) -> None:
    """A key and its certificate in one PEM, as a file or in the connection, in place of a client secret."""
    import trustme

    pem = tmp_path / "app.pem"
    trustme.CA().issue_cert(
        "app.contoso.example", key_type=trustme.KeyType.RSA
    ).private_key_and_cert_chain_pem.write_to_path(pem)
    value = str(pem) if field == "certificate_path" else pem.read_text()
    conn_id = connect(monkeypatch, sandbox, {field: value}, password=None)
    assert asyncio.run(GraphEventHook(conn_id).cancel_event(event_id, user_id=ADA)).outcome == "cancelled"


def test_an_unknown_connection_is_airflows_own_error() -> None:
    """A missing connection is a matter of Airflow and reported as everywhere else."""
    from airflow.sdk.exceptions import AirflowNotFoundException

    with pytest.raises(AirflowNotFoundException):
        asyncio.run(GraphEventHook("no_such_connection").get_settings())


def test_a_broken_connection_is_named(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error tells which connection and which field."""
    with pytest.raises(ConnectionSettingsError, match='"changed": Client ID'):
        asyncio.run(GraphEventHook(connect(monkeypatch, sandbox, login=None)).get_settings())
