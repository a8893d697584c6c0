"""A real Airflow and a real Chromium; without one the tests here are left out, and the end of the run says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser import airflow_server
from tests.browser.connection_form import ConnectionsPage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Locator, Page

    from airflow_graph_cancel.sandbox.client import Sandbox

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
collect_ignore_glob = [] if CHROMIUM else ["test_*.py"]
expect.set_options(timeout=20_000)
# Chromium itself must ask nobody either, and a test machine has neither a GPU nor a user.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out: nobody should take a run without it for a whole one."""
    if not CHROMIUM:
        terminalreporter.section("NOT RUN: tests/browser", yellow=True)
        terminalreporter.line(
            "The connection form is tested in Chromium, which is not here. To install and run: make browser"
        )


# Of the module and not of the session: Playwright keeps an event loop, which tests after these would run into.
@pytest.fixture(scope="module")
def airflow(
    tmp_path_factory: pytest.TempPathFactory, sandbox_process: Sandbox
) -> Iterator[airflow_server.AirflowServer]:
    """Airflow's web UI, on a machine that has managed identities."""
    with airflow_server.running(tmp_path_factory.mktemp("airflow-ui"), **sandbox_process.managed_identity) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> BrowserContext:
    """One visitor for all tests, who has the web UI's program in a cache after the first page."""
    context = browser.new_context(viewport={"width": 1000, "height": 1000})
    context.set_default_timeout(20_000)
    return context


@pytest.fixture
def page(context: BrowserContext, airflow: airflow_server.AirflowServer) -> Iterator[Page]:
    """A new tab, that asks for nothing from anywhere but this Airflow."""
    page, asked = context.new_page(), set()
    page.on("request", lambda request: asked.add(request.url))
    page.on("websocket", lambda socket: asked.add(socket.url))
    yield page
    page.close()
    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in {"data", "blob"}}
    assert hosts == {urlsplit(airflow.address).netloc}


@pytest.fixture
def connections(page: Page, airflow: airflow_server.AirflowServer) -> ConnectionsPage:
    """Admin > Connections."""
    return ConnectionsPage(page, airflow.address)


@pytest.fixture
def shoot(page: Page) -> Callable[[str, Locator, int], None]:
    """Take a picture for the documentation, if SCREENSHOTS names a folder for it; the height is the window's."""
    folder = os.environ.get("SCREENSHOTS")

    def take(name: str, of: Locator, height: int) -> None:
        if folder:
            page.set_viewport_size({"width": 1000, "height": height})
            of.screenshot(path=Path(folder, f"{name}.png"), animations="disabled")

    return take
