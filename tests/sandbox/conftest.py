"""Fixtures of the tests of the local Graph: a plain client, and an office with people and a room."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.graph_client import GraphClient, Office

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.fixture(scope="session")
def graph_session(sandbox_process: Sandbox) -> Iterator[GraphClient]:
    """Keep one connection pool for all tests."""
    client = GraphClient(sandbox_process)
    yield client
    client.close()


@pytest.fixture
def graph(sandbox: Sandbox, graph_session: GraphClient) -> GraphClient:
    """Return a plain client of an empty sandbox."""
    graph_session.tokens.clear()
    return graph_session


@pytest.fixture
def office(sandbox: Sandbox) -> Office:
    """Return an office with people and a room."""
    return Office(sandbox)
