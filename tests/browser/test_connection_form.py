"""The connection form as a person meets it: in a real Chromium, in a real Airflow, and tested against a local Graph."""

from __future__ import annotations

import hashlib
import json
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from playwright.sync_api import expect

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS
from tests.browser.connection_form import JSON_SECTION
from tests.support.contoso import ADA

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

    from airflow_graph_cancel.sandbox.client import Sandbox
    from tests.browser.airflow_server import AirflowServer
    from tests.browser.connection_form import ConnectionForm, ConnectionsPage


CONN = "graph_calendar_default"
SECRET = "sandbox-secret"
PASSWORD = "s3cret-of-the-tests"
PORT = "Port (enter 443)"
DROPDOWNS = {name: field for name, field in CONNECTION_FIELDS.items() if "enum" in field["schema"]}


def fill_in(form: ConnectionForm, sandbox: Sandbox, mailbox: str = ADA) -> None:
    """All that leads to the local Graph, but for what proves the app."""
    extra = sandbox.connection["extra"]
    form.fill("Client ID", sandbox.connection["login"])
    form.fill(PORT, "443")
    form.fill("Tenant ID", extra["tenant_id"])
    form.fill("Mailbox", mailbox)
    form.choose("Cloud", "Custom: set Base URL and Authority")
    form.fill("Base URL", extra["base_url"])
    form.fill("Authority", extra["authority"])
    form.switch("Disable instance discovery")
    form.fill("Verify", extra["verify"])


def shows(page: Page, secret: str) -> bool:
    """Whether a secret is anywhere in the page, also where only its owner's browser sees it."""
    values = page.evaluate("[...document.querySelectorAll('input, textarea')].map(field => field.value).join()")
    return secret in page.content() + values


def locked_pem() -> str:
    """A certificate and its key, as text, the key with a password."""
    issued = trustme.CA().issue_cert("app.contoso.example", key_type=trustme.KeyType.RSA)
    key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))
    return (locked + issued.cert_chain_pems[0].bytes()).decode()


def test_every_field_is_drawn_in_its_section(
    connections: ConnectionsPage, shoot: Callable[[str, Locator, int], None]
) -> None:
    """In the order of the metadata and with its help; nothing but id and type has to be filled in."""
    form = connections.add(CONN)
    by_section = {
        section: [field["label"] for field in fields]
        for section, fields in groupby(CONNECTION_FIELDS.values(), key=lambda field: field["schema"]["section"])
    }
    standard = "Standard Fields"
    assert form.sections() == [standard, *by_section, JSON_SECTION]
    assert form.labels(standard) == ["Description", "Client ID", "Client Secret", PORT]
    assert {section: form.labels(section) for section in by_section} == by_section
    for field in CONNECTION_FIELDS.values():
        assert form.help(field["label"]) == field["description"]
    form.expect_savable()

    form.fill("Client ID", "11111111-1111-1111-1111-111111111111")
    form.fill("Client Secret", PASSWORD)
    form.fill(PORT, "443")
    form.fill("Tenant ID", "33333333-3333-3333-3333-333333333333")
    form.fill("Mailbox", ADA)
    for section, picture in zip([standard, *by_section], ("standard", "sign-in", "mailbox", "cloud"), strict=True):
        form.open(section)
        shoot(f"connection-{picture}", form.section(section), 2000)


@pytest.mark.parametrize("name", DROPDOWNS)
def test_a_dropdown_offers_words_for_people(connections: ConnectionsPage, name: str) -> None:
    """Its choices by their labels, one of them preset; and who takes that away can save all the same."""
    label, schema = DROPDOWNS[name]["label"], DROPDOWNS[name]["schema"]
    form = connections.add("dropdown")
    assert form.choices(label) == [schema["values_display"][choice] for choice in schema["enum"]]
    form.expect_chosen(label, schema["default"])
    form.clear(label)
    form.expect_chosen(label, "")
    form.expect_savable()


def test_a_client_secret_from_the_first_field_to_the_last_edit(
    connections: ConnectionsPage, airflow: AirflowServer, sandbox: Sandbox, event_id: str,
    shoot: Callable[[str, Locator, int], None],
) -> None:  # fmt: skip
    """Made, tested, saved, reopened, edited and tested again; the secret stays, and is shown nowhere."""
    form = connections.add(CONN)
    fill_in(form, sandbox)
    form.fill("Client Secret", SECRET)
    form.save()
    works, said = connections.test(CONN)
    assert (works, said[:10]) == (True, "Signed in.")
    assert f"The calendar of {ADA} can be read." in said
    shoot("connection-test", connections.page.locator("body"), 480)

    form = connections.edit(CONN)
    for label, text in {
        "Client ID": "sandbox-app", "Client Secret": "***", PORT: "443", "Mailbox": ADA, "Certificate path": "",
        "Base URL": sandbox.url, "Authority": sandbox.url, "Verify": str(sandbox.ca), "Refresh token": "",
    }.items():  # fmt: skip
        form.expect_text(label, text)
    form.expect_chosen("Credential", "auto")
    form.expect_chosen("Cloud", "custom")
    form.expect_switch("Disable instance discovery", on=True)
    form.expect_switch("Preview only", on=False)
    assert not shows(connections.page, SECRET)
    assert SECRET not in airflow.answer(CONN)

    form.fill("Mailbox", "nobody@contoso.example")
    form.save()
    works, said = connections.test(CONN)
    assert not works
    assert said.startswith("Signed in, but there is no mailbox nobody@contoso.example")

    form = connections.edit(CONN)
    form.fill("Mailbox", "")
    form.switch("Preview only")
    form.save()
    works, said = connections.test(CONN)
    assert works
    assert said.endswith("No calendar was read, because Mailbox is not set. Preview only is on: nothing is ever sent.")
    assert airflow.use(CONN, event_id, ADA)["outcome"] == "preview"
    assert not sandbox.messages()


def test_a_certificate_pasted_as_text(
    connections: ConnectionsPage, airflow: AirflowServer, sandbox: Sandbox, event_id: str
) -> None:
    """Its line ends come through, a Windows clipboard's too; key and password are shown nowhere and survive an edit."""
    pem = locked_pem()
    form = connections.add("with_certificate")
    fill_in(form, sandbox)
    form.choose("Credential", "App with certificate")
    form.fill("Certificate and private key", pem.replace("\n", "\r\n"))
    form.fill("Certificate password", PASSWORD)
    form.fill("Proxies", json.dumps({"no": "localhost"}))
    form.save()
    assert connections.test("with_certificate")[0]

    form = connections.edit("with_certificate")
    for label in ("Certificate and private key", "Certificate password", "Proxies"):
        form.expect_text(label, "***")
    key_line = pem.splitlines()[1]
    for secret in (key_line, PASSWORD):
        assert not shows(connections.page, secret)
        assert secret not in airflow.answer("with_certificate")
    form.fill("Description", "Edited.")
    form.save()

    used = airflow.use("with_certificate", event_id, ADA)
    assert (used["kind"], used["outcome"]) == ("certificate", "cancelled")
    assert used["certificate"] == hashlib.sha256(pem.strip().encode()).hexdigest()
    assert connections.test("with_certificate")[0]
    for file in (airflow.log, Path(airflow.env["AIRFLOW_HOME"], "airflow.db")):
        written = file.read_bytes()
        assert not [secret for secret in (key_line, PASSWORD) if secret.encode() in written]


def test_a_wrong_secret_is_explained(connections: ConnectionsPage, sandbox: Sandbox) -> None:
    """What the Test button says can be acted on, and repeats no secret."""
    form = connections.add("with_wrong_secret")
    fill_in(form, sandbox)
    form.fill("Client Secret", "wrong-secret-value")
    form.save()
    works, said = connections.test("with_wrong_secret")
    assert not works
    assert "client secret is wrong" in said
    assert not shows(connections.page, "wrong-secret-value")


def test_a_managed_identity_needs_no_more_than_its_choice(
    connections: ConnectionsPage, airflow: AirflowServer, sandbox: Sandbox
) -> None:
    """The form can be saved without secret, tenant and client id, and the machine's identity signs in."""
    form = connections.add("with_identity")
    form.choose("Credential", "Managed identity")
    form.save()
    used = airflow.use("with_identity")
    assert (used["kind"], used["root"]) == ("managed_identity", "https://graph.microsoft.com")

    form = connections.edit("with_identity")
    form.fill(PORT, "443")
    form.fill("Base URL", sandbox.url)
    form.fill("Verify", str(sandbox.ca))
    form.save()
    works, said = connections.test("with_identity")
    assert works, said


def test_the_port_is_what_the_test_button_needs(connections: ConnectionsPage, sandbox: Sandbox) -> None:
    """Airflow answers Bad Request without one, so the label asks for it; once that is mended the label can go."""
    form = connections.add("without_port")
    fill_in(form, sandbox, mailbox="")
    form.fill("Client Secret", SECRET)
    form.fill(PORT, "")
    form.save()
    assert connections.test("without_port") == (False, "Bad Request")
    form = connections.edit("without_port")
    assert form.row(PORT).get_by_placeholder("Without a port the Test button fails").is_visible()
    form.fill(PORT, "443")
    form.save()
    assert connections.test("without_port")[0]


def test_what_was_stored_elsewhere_survives_the_form(connections: ConnectionsPage, airflow: AirflowServer) -> None:
    """Of a connection from the command line the form draws what it has, keeps what it does not draw, and takes more."""
    extra = {"tenant_id": "t", "verify": True, "credential": "azure_cli"}
    airflow.store(
        {
            "connection_id": "from_elsewhere", "conn_type": "graph_calendar", "host": "graph.microsoft.us",
            "extra": json.dumps(extra),
        }
    )  # fmt: skip
    form = connections.edit("from_elsewhere")
    form.expect_text("Verify", "true")
    form.expect_chosen("Credential", "azure_cli")
    expect(form.row("Mailbox")).to_have_count(0)
    form.fill_json(json.dumps({**extra, "mailbox": ADA}))
    form.expect_text("Mailbox", ADA)
    form.fill("Tenant ID", "u")
    form.save()
    stored = airflow.stored("from_elsewhere")
    assert stored["host"] == "graph.microsoft.us"
    assert stored["extra"] == {**extra, "tenant_id": "u", "mailbox": ADA}


def test_an_msgraph_connection_from_its_own_form_works(
    connections: ConnectionsPage, airflow: AirflowServer, sandbox: Sandbox, event_id: str
) -> None:
    """Its form stores blanks as null, which Airflow's own hook cannot read; here they mean nothing."""
    form = connections.add("of_airflow", "Microsoft Graph API")
    form.fill("Client ID", sandbox.connection["login"])
    form.fill("Client Secret", SECRET)
    form.fill("Tenant ID", sandbox.connection["extra"]["tenant_id"])
    form.save()
    extra = airflow.stored("of_airflow")["extra"]
    assert [name for name, value in extra.items() if value is None] == [
        "drive_id", "authority", "certificate_path", "certificate_data", "allowed_hosts", "proxies", "base_url",
    ]  # fmt: skip
    assert airflow.use("of_airflow")["root"] == "https://graph.microsoft.com"

    form = connections.edit("of_airflow")
    here = {name: sandbox.connection["extra"][name] for name in ("authority", "disable_instance_discovery", "verify")}
    form.fill_json(json.dumps({**extra, **here, "base_url": f"{sandbox.url}/v1.0"}))
    form.save()
    assert airflow.use("of_airflow", event_id, ADA)["outcome"] == "cancelled"
    assert len(sandbox.messages()) == 1
