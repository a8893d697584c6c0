"""Airflow connections to the local Graph that differ from its own in some field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

    from airflow_graph_cancel.sandbox.client import Sandbox

DEFAULT = "graph_calendar_default"


def set_connection(
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
    conn_id: str = DEFAULT,
    *,
    extra: Mapping[str, object] | None = None,
    **fields: object,
) -> str:
    """Set a connection like the local Graph's own, with some fields and extras changed; return its id."""
    base = sandbox.connection
    connection = {**base, **fields, "extra": {**base["extra"], **(extra or {})}}
    monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(connection))
    return conn_id
