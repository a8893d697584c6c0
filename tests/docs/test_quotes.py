"""Messages that the documentation quotes are the messages that users see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow.sdk import Connection

from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.connection.settings import GraphSettings
from airflow_graph_cancel.hooks.graph_event import GraphEventHook
from airflow_graph_cancel.operators.cancel import GraphCancelEventOperator
from tests.support.connections import set_connection
from tests.support.contoso import ADA, meet
from tests.support.operators import run_operator

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

PAGES = Path(__file__).parents[2] / "docs" / "pages"


def text(page: str) -> str:
    """Return a page's text without line breaks and quote marks."""
    return " ".join((PAGES / page).read_text(encoding="utf-8").replace("\n> ", " ").split())


def test_the_preview_is_quoted(sandbox: Sandbox) -> None:
    """The operator page shows what a preview of a series reports."""
    sandbox.add_mailbox(ADA)
    guests = [f"guest{number}@fabrikam.example" for number in range(7)]
    series = meet(sandbox, attendees=guests, recurrence={"type": "daily", "interval": 1, "count": 3})
    row = run_operator(GraphCancelEventOperator(task_id="cancel", event_id=series, user_id=ADA, preview=True))
    assert row["message"] in text("operator.md")


def test_a_missing_field_is_quoted() -> None:
    """The connection page shows how an error names a field."""
    connection = Connection(conn_id="graph_calendar_default", conn_type="graph_calendar", login="id", password="secret")
    with pytest.raises(ConnectionSettingsError) as caught:
        GraphSettings.from_connection(connection, {})
    assert f"`{caught.value}`" in text("connection.md")


def test_a_successful_connection_test_is_quoted(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection page shows the details of a test that succeeds."""
    sandbox.add_mailbox(ADA)
    set_connection(monkeypatch, sandbox, extra={"mailbox": ADA})
    assert repr(GraphEventHook("graph_calendar_default").test_connection()) in text("connection.md")
