"""Secrets and content stay where they are, whatever goes wrong and however much is logged."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_graph_cancel.graph.errors import GraphCancelError
from airflow_graph_cancel.graph.find.search import Places, Search
from airflow_graph_cancel.graph.model.window import parse_window
from airflow_graph_cancel.hooks.graph_event import GraphEventHook
from tests.support.contoso import ADA, BEACON, BEN, NILS, WHEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_graph_cancel.sandbox.client import Sandbox

COMMENT, SUBJECT = "The pipes burst in the night", "Redundancies in Finance"
LIBRARIES = (
    "azure",
    "azure.core",
    "azure.identity",
    "msal",
    "httpx",
    "httpcore",
    "urllib3",
    "aiohttp",
    "kiota",
    "asyncio",
)


class Everything(logging.Handler):
    """What anybody logs, at any level, with arguments and tracebacks."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
        self.lines: list[tuple[int, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record as text."""
        self.lines.append((record.levelno, self.format(record)))

    def text(self, level: int = logging.NOTSET) -> str:
        """All that was logged from a level on."""
        return "\n".join(line for levelno, line in self.lines if levelno >= level)


@pytest.fixture
def everything() -> Iterator[Everything]:
    """Every logger wide open, as somebody does who is looking for a fault."""
    handler, root = Everything(), logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in LIBRARIES)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


@pytest.fixture
def meeting(sandbox: Sandbox) -> dict[str, str]:
    """Ada meets Ben and somebody outside, in a room."""
    for address in (ADA, BEN):
        sandbox.add_mailbox(address)
    sandbox.add_mailbox(BEACON, kind="room", building="North Tower")
    made = sandbox.create_event(organizer=ADA, subject=SUBJECT, attendees=[BEN, NILS], rooms=[BEACON], **WHEN)
    return {"event_id": made["copies"][ADA], "user_id": ADA}


def secrets(sandbox: Sandbox) -> list[str]:
    """What must not be seen: the app's secret, and the beginning that all tokens have."""
    return [str(sandbox.connection["password"]), "eyJ"]


async def all_verbs(meeting: dict[str, str]) -> list[object]:
    """Search, look, cancel and check, one after another."""
    hook = GraphEventHook()
    window = parse_window("2030-01-07T00:00:00Z", "2030-01-08T00:00:00Z", None, longest=timedelta(days=9))
    plan = await hook.find_events(Search(window, Places(buildings=("North Tower",)), keep=("*drill*",)))
    document = plan.as_document("")
    done = await hook.cancel_events(document, COMMENT)
    again = [await _said(hook.cancel_event(meeting["event_id"], COMMENT, user_id=ADA))]
    return [document, list(done.results.values()), await hook.find_remaining([meeting]), again]


async def _said(verb: Any) -> str:
    try:
        return str(await verb)
    except GraphCancelError as error:
        return str(error)


def test_nothing_is_logged_when_all_goes_well(
    sandbox: Sandbox, meeting: dict[str, str], everything: Everything
) -> None:
    """No secret at any level; no text, subject or attendee from INFO on, nor in anything returned."""
    returned = repr(asyncio.run(all_verbs(meeting)))
    assert sandbox.messages()
    assert everything.lines
    for secret in secrets(sandbox):
        assert secret not in everything.text()
        assert secret not in returned
    for content in (COMMENT, SUBJECT, BEN, NILS):
        assert content not in everything.text(logging.INFO)
        assert content not in returned


@pytest.mark.parametrize("kind", ["500", "502-html", "reset", "truncated", "400-invalid-recipients", "401-expired"])
@pytest.mark.parametrize("path", ["/oauth2/", "cancel$"])
def test_nothing_is_logged_when_it_goes_wrong(
    sandbox: Sandbox, meeting: dict[str, str], everything: Everything, kind: str, path: str
) -> None:
    """Errors and tracebacks tell what happened, and not with what."""
    sandbox.add_fault(kind, times=1, match={"path": path})
    said = asyncio.run(_said(GraphEventHook().cancel_event(meeting["event_id"], COMMENT, user_id=ADA)))
    logging.getLogger("test").error("said: %s", said)
    for secret in (*secrets(sandbox), COMMENT):
        assert secret not in everything.text()


@pytest.mark.parametrize(
    "change",
    [
        {"password": "not-the-secret"},
        {"login": "nobody"},
        {"extra": {"verify": True}},
        {"extra": {"tenant_id": "nope"}},
    ],
    ids=str,
)
def test_nothing_is_logged_when_the_sign_in_fails(
    sandbox: Sandbox, event_id: str, everything: Everything, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """A wrong secret is a secret as well, of something else perhaps."""
    connection = {**sandbox.connection, **change}
    connection["extra"] = {**sandbox.connection["extra"], **change.get("extra", {})}
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps(connection))
    said = asyncio.run(_said(GraphEventHook().cancel_event(event_id, COMMENT, user_id=ADA)))
    assert said
    assert GraphEventHook().test_connection()[0] is False
    for secret in (*secrets(sandbox), "not-the-secret"):
        assert secret not in everything.text() + said


def test_libraries_are_quiet_unless_somebody_asks(sandbox: Sandbox, event_id: str) -> None:
    """azure-identity tells at INFO of every token, httpx of every request: that is noise in a task's log."""
    handler = Everything()
    handler.setLevel(logging.INFO)
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        asyncio.run(GraphEventHook().cancel_event(event_id, user_id=ADA))
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    assert not [line for _, line in handler.lines if any(f" {name}" in line for name in ("azure", "httpx", "msal"))]


def test_there_is_no_adapter_that_knows_no_guards(sandbox: Sandbox) -> None:
    """A synchronous one would send through a connection that is for previews only."""
    with pytest.raises(NotImplementedError, match="get_async_conn"):
        GraphEventHook().get_conn()
