"""A person reads, shortens, approves and rejects plans in Airflow's web UI, in a real Chromium."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import feeds
import interfering
import pytest
import real_airflow
from playwright.sync_api import expect
from truth import World

from airflow_graph_cancel.sandbox.client import Sandbox

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.timeout(300)

DAG = "facility_closure"
WARDENS, WARDENS_LABEL = "AAMkAGNT-fire-warden-briefing-0003=", "grace.adeyemi@contoso.example, meridian"


def test_a_person_decides(browser: Browser, tmp_path: Path) -> None:
    """Under Browse > Required Actions: what is read there is true, what is taken out stays, what is rejected too."""
    with Sandbox.start(tenant="sample") as sandbox:
        wanted = feeds.closures(sandbox)
        interfering.add_what_is_not_ours(sandbox, wanted[0])
        feeds.write(tmp_path / "feeds", wanted)
        before = World.of(sandbox)
        paths: dict[str, Any] = {"CLOSURE_FEEDS": str(tmp_path / "feeds"), "CLOSURE_REPORTS": str(tmp_path / "reports")}
        with real_airflow.running(tmp_path, sandbox, **paths) as airflow:
            run_id = airflow.start(DAG)
            airflow.until(lambda: len(airflow.questions(DAG, run_id)) == 2, "both approvals wait")
            page = signed_in(browser, airflow.address, airflow.password)
            opened(page, airflow.address, "North Tower closed")
            meetings, left = before.affected(wanted[0])
            head = page.get_by_text(f"{len(meetings)} meetings of ")
            expect(head).to_be_visible()
            expect(page.get_by_text(f"{len(left)} meetings left alone")).to_be_visible()
            expect(page.get_by_text(wanted[0].reason)).to_be_visible()
            take_out(page, WARDENS_LABEL)
            shoot(page, head, "approval")
            decide(page, "Approve")
            opened(page, airflow.address, "Mill Lane closed")
            decide(page, "Reject")
            assert airflow.ended(DAG, run_id) == "success"
            page.context.close()
        told = [message["event_id"] for message in sandbox.messages()]
    assert sorted(told) == sorted(meetings.keys() - {WARDENS})


def signed_in(browser: Browser, address: str, password: str) -> Page:
    """A new visitor, who has signed in."""
    page = browser.new_context(viewport={"width": 1300, "height": 1800}).new_page()
    page.set_default_timeout(30_000)
    page.goto(address)
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(password)
    page.locator("button[type=submit]").click()
    expect(page.get_by_test_id("nav-home-link")).to_be_visible()
    return page


def opened(page: Page, address: str, subject: str) -> None:
    """Choose an approval from the list of those that wait."""
    page.goto(f"{address}/required_actions")
    page.get_by_role("link", name=subject).click()
    expect(button(page, "Approve")).to_be_visible()


def take_out(page: Page, label: str) -> None:
    """Choose a meeting in the form, by a part of what it says."""
    field = page.locator("input[role=combobox]").last
    field.fill(label)
    page.get_by_role("option", name=label).click()


def decide(page: Page, word: str) -> None:
    """Press a button and see it accepted."""
    button(page, word).click()
    expect(button(page, word)).to_be_disabled()


def button(page: Page, word: str) -> Locator:
    """One of the form's two buttons."""
    return page.get_by_role("button", name=word, exact=True)


def shoot(page: Page, first: Locator, name: str) -> None:
    """Take a picture for the documentation, from the first line to the buttons, if SCREENSHOTS names a folder."""
    folder = os.environ.get("SCREENSHOTS")
    top, bottom = first.bounding_box(), button(page, "Reject").bounding_box()
    if folder and top and bottom:
        left, up = top["x"] - 15, top["y"] - 10
        right, down = bottom["x"] + bottom["width"] + 15, bottom["y"] + bottom["height"] + 15
        page.screenshot(
            path=Path(folder, f"{name}.png"), animations="disabled",
            clip={"x": left, "y": up, "width": right - left, "height": down - up},
        )  # fmt: skip
