"""Unit tests reach no network, and no local Graph: a connection that somebody opens fails the test."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NoReturn

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Make every warning an error that the configuration does not ignore."""
    # aiohttp leaves TLS transports to the garbage collector, which may find those of other tests of the same process.
    filters = ["error", "ignore:unclosed (transport|<socket):ResourceWarning", *config.getini("filterwarnings")]
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings(*filters))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection."""

    def refuse(_: socket.socket, address: object) -> NoReturn:
        raise AssertionError(f"a unit test connects to {address!r}; it belongs to tests/integration")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)


@pytest.fixture(scope="session")
def sandbox_process() -> NoReturn:
    """Refuse to start a local Graph."""
    pytest.fail("a unit test asks for a local Graph; it belongs to tests/integration")
