"""The pages of Airflow's web UI that a connection is made and tested on, as a person sees them: by their labels."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_ROW = "[data-scope=field][data-part=root]"
_SECTION = "[data-scope=accordion][data-part=item]"
_TRIGGER = "[data-scope=accordion][data-part=item-trigger]"
_TOAST = "[data-scope=toast][data-part=root]"
JSON_SECTION = "Extra Fields JSON"


@dataclass(frozen=True, slots=True)
class ConnectionsPage:
    """Admin > Connections."""

    page: Page
    address: str

    def add(self, conn_id: str, conn_type: str = "Microsoft Graph Calendar") -> ConnectionForm:
        """Open the form for a new connection of a type."""
        self._open()
        self.page.get_by_role("button", name="Add Connection").click()
        form = ConnectionForm(self.page.get_by_role("dialog"))
        form.dialog.locator("input[name=connection_id]").fill(conn_id)
        form.choose("Connection Type", conn_type)
        return form

    def edit(self, conn_id: str) -> ConnectionForm:
        """Open the form of a connection that is stored."""
        self._open()
        self._row(conn_id).get_by_role("button", name="Edit Connection").click()
        form = ConnectionForm(self.page.get_by_role("dialog"))
        expect(form.section("Standard Fields")).to_be_visible()
        return form

    def test(self, conn_id: str) -> tuple[bool, str]:
        """Press Test; return whether it succeeded, and what it says."""
        self._open()
        self._row(conn_id).get_by_role("button", name="Test Connection").click()
        toast = self.page.locator(_TOAST)
        expect(toast).to_have_count(1)
        title, said = (toast.locator(f"[data-part={part}]").inner_text() for part in ("title", "description"))
        assert title in {"Test Connection Successful", "Test Connection Failed"}
        return title.endswith("Successful"), said

    def _open(self) -> None:
        # Anew each time, so that no toast of before is taken for an answer.
        self.page.goto(f"{self.address}/connections")

    def _row(self, conn_id: str) -> Locator:
        cell = self.page.get_by_role("cell", name=conn_id, exact=True)
        return self.page.get_by_role("row").filter(has=cell)


@dataclass(frozen=True, slots=True)
class ConnectionForm:
    """The dialog that a connection is filled in with."""

    dialog: Locator

    def sections(self) -> list[str]:
        """What the parts of the form are called, from top to bottom."""
        return [name.strip() for name in self.dialog.locator(_TRIGGER).all_inner_texts()]

    def section(self, name: str) -> Locator:
        """One part of the form."""
        return self.dialog.locator(_SECTION).filter(has=self.dialog.page.get_by_role("button", name=name, exact=True))

    def open(self, name: str) -> None:
        """Unfold a part."""
        section = self.section(name)
        if section.get_attribute("data-state") != "open":
            section.get_by_role("button", name=name, exact=True).click()
        expect(section).to_have_attribute("data-state", "open")

    def labels(self, section: str) -> list[str]:
        """The labels in a part, a star at those that are required."""
        found = self.section(section).locator(f"{_ROW} label[data-scope=field]").all_inner_texts()
        return [" ".join(label.split()) for label in found]

    def row(self, label: str) -> Locator:
        """A field with its label and its help."""
        return self.dialog.locator(_ROW).filter(has=self._label(label))

    def help(self, label: str) -> str:
        """What stands below a field."""
        return self.row(label).locator("[data-part=helper-text]").inner_text()

    def fill(self, label: str, text: str) -> None:
        """Type into a field, in place of what is in it."""
        self._shown(label).locator("input:not([type=hidden]), textarea").fill(text)

    def expect_text(self, label: str, text: str) -> None:
        """See a text in a field."""
        expect(self._shown(label).locator("input:not([type=hidden]), textarea")).to_have_value(text)

    def choose(self, label: str, choice: str) -> None:
        """Take a choice of a dropdown."""
        row = self._shown(label)
        row.get_by_role("combobox").fill(choice)
        self.dialog.page.get_by_role("option", name=choice, exact=True).click()

    def choices(self, label: str) -> list[str]:
        """What a dropdown offers."""
        row = self._shown(label)
        row.get_by_role("combobox").click()
        options = self.dialog.page.get_by_role("option")
        expect(options.first).to_be_visible()
        found = options.all_inner_texts()
        row.get_by_role("combobox").blur()
        return found

    def expect_chosen(self, label: str, value: str) -> None:
        """See a value, as it is stored, chosen in a dropdown; blank for none."""
        expect(self._shown(label).locator("input[type=hidden]")).to_have_value(value)

    def clear(self, label: str) -> None:
        """Take a dropdown's choice away."""
        self._shown(label).locator("[aria-label='Clear selected options']").click()

    def switch(self, label: str) -> None:
        """Turn a switch on or off."""
        self._shown(label).locator("[data-scope=switch][data-part=control]").click()

    def expect_switch(self, label: str, *, on: bool) -> None:
        """See a switch on or off."""
        expect(self._shown(label).get_by_role("checkbox")).to_be_checked(checked=on)

    def fill_json(self, text: str) -> None:
        """Write all extras as JSON."""
        self.open(JSON_SECTION)
        editor = self.section(JSON_SECTION).locator(".monaco-editor").first
        editor.click()
        self.dialog.page.keyboard.press("Control+A")
        self.dialog.page.keyboard.press("Delete")
        self.dialog.page.keyboard.insert_text(text)
        self.section("Standard Fields").get_by_role("button").first.focus()

    def expect_savable(self) -> None:
        """See that the form lets its owner save."""
        expect(self.dialog.get_by_role("button", name="Save")).to_be_enabled()

    def save(self) -> None:
        """Save, and see the form close."""
        self.dialog.get_by_role("button", name="Save").click()
        expect(self.dialog).to_be_hidden()

    def _label(self, label: str) -> Locator:
        text = re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$")
        return self.dialog.page.locator("label[data-scope=field]", has_text=text)

    def _shown(self, label: str) -> Locator:
        around = self.dialog.locator(_SECTION).filter(has=self._label(label))
        if around.count() and around.get_attribute("data-state") != "open":
            around.locator(_TRIGGER).click()
        expect(self.row(label)).to_be_visible()
        return self.row(label)
