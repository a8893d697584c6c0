"""What an app can reach is told without changing anything."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from airflow_graph_cancel.graph.errors import AccessDeniedError, InvalidInputError
from airflow_graph_cancel.hooks.graph_event import GraphEventHook
from tests.support.contoso import ADA, BEN, CYD, DEE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_graph_cancel.graph.access import AccessReport
    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.fixture
def people(sandbox: Sandbox) -> Sandbox:
    """Ada and Ben, Cyd out of the app's scope, and Dee who has left."""
    for address in (ADA, BEN, CYD):
        sandbox.add_mailbox(address)
    sandbox.add_mailbox(DEE, cloud=False)
    sandbox.settings(out_of_scope=[CYD])
    return sandbox


def check(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, app: str, mailboxes: list[str], unwanted: Iterable[str] = ()
) -> AccessReport:
    """Check as an app."""
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps({**sandbox.connection, "login": app}))
    return asyncio.run(GraphEventHook().check_access(mailboxes, must_not_reach=unwanted))


def test_each_mailbox_is_told(people: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Readable, writable by the token's permissions, refused, or not to be told."""
    report = check(people, monkeypatch, "sandbox-scoped", [ADA, CYD, DEE, "nobody@contoso.example"])
    told = {access.mailbox: (access.readable, access.writable) for access in report.mailboxes}
    assert told == {
        ADA: ("yes", "yes"),
        CYD: ("no", "no"),
        DEE: ("unknown", "unknown"),
        "nobody@contoso.example": ("unknown", "unknown"),
    }
    assert report.not_reached == (CYD, DEE, "nobody@contoso.example")
    assert "Calendars.ReadWrite" in report.permissions
    assert all(access.message for access in report.mailboxes)
    assert json.loads(json.dumps(report.as_dict()))["mailboxes"][0]["mailbox"] == ADA


def test_a_scope_that_is_open_is_found(people: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unscoped consent makes RBAC's scope worthless; nobody sees it until somebody looks."""
    assert check(people, monkeypatch, "sandbox-scoped", [ADA], [CYD]).reached_wrongly == ()
    assert check(people, monkeypatch, "sandbox-app", [ADA], [CYD, BEN]).reached_wrongly == (CYD, BEN)


def test_a_right_that_a_token_does_not_show(people: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only a write would tell is unknown, and not guessed."""
    (access,) = check(people, monkeypatch, "sandbox-reader", [ADA]).mailboxes
    assert (access.readable, access.writable) == ("yes", "unknown")
    assert "Test-ServicePrincipalAuthorization" in access.message


def test_nothing_is_changed_and_all_is_batched(people: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check can run against production: it sends only GETs, in batches."""
    names = [f"person{number}@contoso.example" for number in range(50)]
    for name in names:
        people.add_mailbox(name)
    people.clear_ledger()
    report = check(people, monkeypatch, "sandbox-app", names)
    assert report.not_reached == ()
    alone = [request for request in people.requests() if request["batch"] is None]
    assert {request["path"] for request in alone} == {"/v1.0/$batch"}
    assert {request["method"] for request in people.requests() if request["batch"] is not None} == {"GET"}


def test_what_cannot_be_checked(people: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip, or a sign-in that fails, is an error and no report."""
    with pytest.raises(InvalidInputError, match="must_not_reach"):
        check(people, monkeypatch, "sandbox-app", [ADA], ["None"])
    with pytest.raises(AccessDeniedError):
        check(people, monkeypatch, "nobody", [ADA])
