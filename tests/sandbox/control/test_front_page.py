"""The front page is self-contained, works offline, and never turns text into markup."""

from __future__ import annotations

import json
import re
import ssl
import urllib.request
from html.parser import HTMLParser

import pytest

from airflow_graph_cancel.sandbox.behaviour import Settings
from airflow_graph_cancel.sandbox.client import Sandbox
from airflow_graph_cancel.sandbox.control.control_api import TenantView, front_page
from airflow_graph_cancel.sandbox.sample_tenant.fixtures import FIXTURES
from airflow_graph_cancel.sandbox.state import SandboxState
from airflow_graph_cancel.sandbox.tenant import effects
from airflow_graph_cancel.sandbox.traffic.faults import KINDS


class Reader(HTMLParser):
    """Collects what a browser would load, all ids, and the form fields."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self._in_label = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record what the element loads, and its names."""
        values = dict(attrs)
        self.loads += [value for name in ("src", "href", "action") if (value := values.get(name))]
        if identifier := values.get("id"):
            self.ids.append(identifier)
        if tag == "label":
            self._in_label = "for" not in values
            self.labelled.add(values.get("for") or "")
        if tag in ("input", "select"):
            self.fields.append(values)
            if self._in_label:
                self.labelled.add(values["id"] or "")

    def handle_endtag(self, tag: str) -> None:
        """Record where a label around its field ends."""
        if tag == "label":
            self._in_label = False


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Read the page once."""
    result = Reader()
    result.feed(front_page())
    return result


def script() -> str:
    """Return the page's script."""
    return front_page().partition("<script>")[2].partition("</script>")[0]


def test_nothing_is_loaded_from_elsewhere(reader: Reader) -> None:
    """The page needs no other file or host, and tells the browser to refuse both."""
    assert all(address.startswith("data:") for address in reader.loads)
    assert "@import" not in front_page()
    assert "default-src 'none'" in front_page()
    assert "connect-src 'self'" in front_page()
    assert set(re.findall(r"https?://[^'\"\s)]+", front_page())) == {"http://www.w3.org/2000/svg"}


def test_text_never_becomes_markup() -> None:
    """The script never turns text into markup or code, because strangers write comments and subjects."""
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|setHTML|srcdoc"
    code = r"\beval\b|new Function|javascript:"
    assert re.findall(f"{markup}|{code}", script()) == []


def test_script_and_markup_agree(reader: Reader) -> None:
    """Every element that the script uses is in the page, once."""
    wanted = set(re.findall(r'\$\("([\w-]+)"\)', script())) | set(re.findall(r'setCount\("([\w-]+)"', script()))
    assert len(wanted) > 20
    assert wanted <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))


def test_every_field_has_a_name(reader: Reader) -> None:
    """A screen reader has a name for each field."""
    nameless = [field for field in reader.fields if field["id"] not in reader.labelled and "aria-label" not in field]
    assert reader.fields
    assert nameless == []


def test_offered_faults_exist() -> None:
    """The controls offer only faults that the sandbox knows."""
    offered = re.findall(r'kind: "([^"]+)"', script())
    assert len(offered) > 10
    assert set(offered) <= set(KINDS)


def test_the_state_has_what_the_page_reads() -> None:
    """The state has every property of mailboxes, meetings and messages that the page reads."""
    tenant = SandboxState(Settings(), "sample")
    fixture = FIXTURES[0]
    mailbox = tenant.store.mailbox(fixture.organizer_address)
    assert mailbox is not None
    effects.cancel(tenant.store, tenant.outbox, mailbox.items[fixture.event_id], "closed")
    state = json.loads(TenantView(tenant).body(None))
    assert {"version", "partial", "now", "mailboxes", "messages", "messages_total"} <= set(state)
    assert {"requests", "faults", "settings"} <= set(state)
    room = next(each for each in state["mailboxes"] if each["address"] == "beacon@contoso.example")
    assert room["cancelled"] == 1
    assert {"display_name", "kind", "building", "floor", "capacity", "members", "cloud", "meetings"} <= set(room)
    copy = next(each for each in room["meetings"] if each["is_cancelled"])
    message = state["messages"][0]
    assert (copy["iCalUId"], copy["start"]) == (message["iCalUId"], message["start"])
    read = {"id", "subject", "end", "organizer", "is_organizer", "type", "series_master_id", "attendees", "rooms"}
    assert read <= set(copy)
    read = {"n", "at", "kind", "organizer", "event_id", "subject", "end", "comment", "occurrence", "recipients"}
    assert read <= set(message)


def test_page_is_served() -> None:
    """The sandbox's address, opened in a browser, is the front page."""
    with Sandbox.start() as sandbox:
        context = ssl.create_default_context(cafile=str(sandbox.ca))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(sandbox.url) as answer:
            assert answer.headers.get_content_type() == "text/html"
            assert answer.read().decode() == front_page()
