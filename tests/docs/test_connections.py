"""The connections in the documentation are valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trustme
from airflow.sdk import Connection

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS
from airflow_graph_cancel.hooks.connection.clouds import CLOUDS
from airflow_graph_cancel.hooks.connection.credential_kind import Kind
from airflow_graph_cancel.hooks.connection.settings import GraphSettings

DOCS = Path(__file__).parents[2] / "docs"
SHOWN = sorted((DOCS / "snippets" / "connections").glob("*.json"))
EXPECTED = {
    "azure_cli": Kind.AZURE_CLI,
    "certificate": Kind.CERTIFICATE,
    "client_secret": Kind.CLIENT_SECRET,
    "custom_cloud": Kind.CLIENT_SECRET,
    "managed_identity": Kind.MANAGED_IDENTITY,
    "person": Kind.REFRESH_TOKEN,
    "proxy": Kind.CLIENT_SECRET,
    "us_gov": Kind.CLIENT_SECRET,
    "workload_identity": Kind.WORKLOAD_IDENTITY,
}


@pytest.mark.parametrize("file", SHOWN, ids=lambda file: file.stem)
def test_each_is_read_as_what_its_page_says(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is parsed as the credential of its page, with local files in place of the reader's."""
    shown = json.loads(file.read_text(encoding="utf-8"))
    extra = shown.pop("extra")
    assert extra.keys() <= CONNECTION_FIELDS.keys()
    pem, token = tmp_path / "app.pem", tmp_path / "token"
    key = trustme.CA().issue_cert("app.contoso.example", key_type=trustme.KeyType.RSA)
    key.private_key_and_cert_chain_pem.write_to_path(pem)
    token.touch()
    monkeypatch.setenv("AZURE_CLIENT_ID", "client-of-the-pod")
    monkeypatch.setenv("AZURE_TENANT_ID", "tenant-of-the-pod")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token))
    extra |= {name: str(pem) for name in ("certificate_path", "verify") if name in extra}
    settings = GraphSettings.from_connection(Connection(conn_id="c", **shown), extra)
    assert settings.sign_in.kind is EXPECTED[file.stem]


def test_every_kind_has_a_connection_and_a_page() -> None:
    """No kind of credential is left without an example connection and a page that shows it."""
    assert {file.stem for file in SHOWN} == EXPECTED.keys()
    assert set(EXPECTED.values()) | {Kind.DEFAULT} == set(Kind)
    pages = "\n".join(page.read_text(encoding="utf-8") for page in DOCS.glob("pages/**/*.md"))
    assert all(f"docs/snippets/connections/{file.name}" in pages for file in SHOWN)


def test_every_cloud_is_in_the_table() -> None:
    """Every cloud is listed with the addresses that the code uses."""
    page = (DOCS / "pages" / "clouds.md").read_text(encoding="utf-8")
    for name, cloud in CLOUDS.items():
        (row,) = [line for line in page.splitlines() if line.startswith("|") and f"`{name}`" in line]
        assert f"`{cloud.root}`" in row
        assert f"`{cloud.authority}`" in row
