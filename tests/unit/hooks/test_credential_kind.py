"""Which credential a connection means: deduced or chosen, and refused by its label in the form before any request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Connection
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from airflow_graph_cancel.graph.auth.refresh_token import LoginServer
from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.connection.clouds import CLOUDS
from airflow_graph_cancel.hooks.connection.credential_kind import RULES, Kind, SignIn
from airflow_graph_cancel.hooks.connection.settings import GraphSettings

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)


def settings(
    *, login: str | None = None, password: str | None = None, conn_type: str = "graph_calendar", **extra: Any
) -> GraphSettings:
    """Parse a connection."""
    connection = Connection(conn_id="c", conn_type=conn_type, login=login, password=password)
    return GraphSettings.from_connection(connection, extra)


def sign_in(**fields: Any) -> SignIn:
    """Parse a connection of an app in a tenant; return as whom it signs in."""
    return settings(**{"login": "client", "tenant_id": "t", **fields}).sign_in


def self_signed(
    key: CertificateIssuerPrivateKeyTypes, begins: datetime = NOW - YEAR, ends: datetime = NOW + YEAR
) -> x509.Certificate:
    """A certificate for a key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "airflow")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begins).not_valid_after(ends)
    return builder.sign(key, hashes.SHA256())


RSA = rsa.generate_private_key(65537, 2048)


def pem(*, password: bytes | None = None, key: CertificateIssuerPrivateKeyTypes = RSA, **dates: datetime) -> str:
    """A key and its certificate as text."""
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return (text + self_signed(key, **dates).public_bytes(Encoding.PEM)).decode()


class TestDeduced:
    """Without a choice, what is filled in says it."""

    def test_a_secret(self) -> None:
        """Tenant, client id and secret build a client secret credential."""
        assert sign_in(password="s3cret").kind is Kind.CLIENT_SECRET
        assert sign_in(password="s3cret", credential="auto").kind is Kind.CLIENT_SECRET

    def test_a_certificate(self, tmp_path: Path) -> None:
        """As a file or as text."""
        (tmp_path / "app.pem").write_text(pem())
        assert sign_in(certificate_path=str(tmp_path / "app.pem")).kind is Kind.CERTIFICATE
        assert sign_in(private_key=pem()).kind is Kind.CERTIFICATE

    def test_a_refresh_token(self) -> None:
        """Of a person who signed in to a public app."""
        found = sign_in(refresh_token="0.AR")
        assert (found.kind, found.secret) == (Kind.REFRESH_TOKEN, None)

    def test_a_federated_token(self, tmp_path: Path) -> None:
        """A file that the platform keeps fresh."""
        (tmp_path / "token").touch()
        assert sign_in(federated_file=str(tmp_path / "token")).kind is Kind.WORKLOAD_IDENTITY

    def test_an_msgraph_connections_password_is_its_certificates(self) -> None:
        """As Airflow's own hook has it; such a connection works unchanged."""
        found = sign_in(certificate_data=pem(password=b"pw"), password="pw", conn_type="msgraph")
        assert (found.kind, found.certificate_password, found.secret) == (Kind.CERTIFICATE, "pw", None)


class TestChosen:
    """Kinds that nothing filled in could tell, and those that more than one field would."""

    @pytest.mark.parametrize("kind", [Kind.MANAGED_IDENTITY, Kind.AZURE_CLI, Kind.DEFAULT])
    def test_nothing_else_is_needed(self, kind: Kind) -> None:
        """The platform supplies everything else."""
        assert settings(credential=str(kind)).sign_in == SignIn(kind)

    def test_a_user_assigned_identity(self) -> None:
        """Is named by its client id."""
        assert settings(login="identity", credential="managed_identity").sign_in.client_id == "identity"

    def test_a_confidential_apps_refresh_token(self) -> None:
        """Needs the app's secret as well, so that it must be chosen."""
        found = sign_in(credential="refresh_token", refresh_token="0.AR", password="s3cret")
        assert (found.kind, found.secret) == (Kind.REFRESH_TOKEN, "s3cret")

    def test_a_workload_takes_what_the_platform_sets(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """As the webhook of Azure's Kubernetes does for a pod."""
        (tmp_path / "token").touch()
        monkeypatch.setenv("AZURE_CLIENT_ID", "client-of-the-pod")
        monkeypatch.setenv("AZURE_TENANT_ID", "tenant-of-the-pod")
        monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(tmp_path / "token"))
        found = settings(credential="workload_identity").sign_in
        assert (found.client_id, found.tenant_id) == ("client-of-the-pod", "tenant-of-the-pod")
        assert found.federated_file == str(tmp_path / "token")


class TestTable:
    """One row for each kind says all that depends on it."""

    def test_every_kind_has_a_row(self) -> None:
        """A kind that the form offers and no row makes would fail in the middle of a task."""
        assert set(RULES) == set(Kind)

    def test_a_field_tells_one_kind(self) -> None:
        """Otherwise Automatic could not choose, and no person could see why."""
        telling = [name for rules in RULES.values() for name in rules.detected_by]
        assert len(telling) == len(set(telling))

    @pytest.mark.parametrize("kind", Kind)
    def test_each_makes_its_own_credential(self, kind: Kind, tmp_path: Path) -> None:
        """A secret must never end up in another kind's credential."""
        complete = SignIn(
            kind, "t", "client", secret="s3cret", private_key=pem(), refresh_token="0.AR",
            federated_file=str(tmp_path / "token"),
        )  # fmt: skip
        assert (
            type(complete.make_credential(LoginServer())).__name__
            == {
                Kind.CLIENT_SECRET: "ClientSecretCredential",
                Kind.CERTIFICATE: "CertificateCredential",
                Kind.MANAGED_IDENTITY: "ManagedIdentityCredential",
                Kind.WORKLOAD_IDENTITY: "WorkloadIdentityCredential",
                Kind.REFRESH_TOKEN: "RefreshTokenCredential",
                Kind.AZURE_CLI: "AzureCliCredential",
                Kind.DEFAULT: "DefaultAzureCredential",
            }[kind]
        )


class TestRefused:
    """Each by the label that a person sees."""

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({}, "Client Secret .password. is missing, and so is a certificate"),
            ({"password": "x", "private_key": pem()}, "Client Secret and Certificate and private key are filled in"),
            ({"password": "x", "refresh_token": "y"}, "Client Secret and Refresh token are filled in"),
            ({"credential": "client_secret"}, "Client Secret .password. is missing"),
            ({"credential": "client_secret", "password": "x", "refresh_token": "y"}, "Refresh token .* is filled in"),
            ({"credential": "managed_identity", "password": "x"}, "Client Secret .* Credential is managed_identity"),
            ({"credential": "certificate"}, "Certificate path .* is missing"),
            ({"credential": "certificate", "private_key": pem(), "password": "x"}, "Client Secret .* is filled in"),
            ({"credential": "refresh_token"}, "Refresh token .* is missing"),
            ({"credential": "secret"}, "Credential .* is 'secret'; it must be one of"),
            ({"refresh_token": "y", "tenant_id": None}, "Tenant ID .* is missing"),
            ({"refresh_token": "y", "login": None}, "Client ID .* is missing"),
            ({"federated_file": "/no/such/token"}, "Federated token file .* not on this machine"),
            ({"credential": "workload_identity"}, "Federated token file .* AZURE_FEDERATED_TOKEN_FILE is not set"),
            (
                {"credential": "workload_identity", "federated_file": __file__, "login": None},
                "Client ID .* AZURE_CLIENT_ID is not set",
            ),
            ({"password": "x", "certificate_password": "y"}, "Certificate password .* is filled in"),
            ({"password": "x", "cloud": "germany"}, "Cloud .* is 'germany'; it must be one of"),
            ({"password": "x", "cloud": "custom", "authority": "https://login.example"}, "Base URL .* is missing"),
            ({"password": "x", "cloud": "custom", "base_url": "https://graph.example"}, "Authority .* is missing"),
            ({"password": "x", "base_url": "http://graph.example"}, "Base URL .* must begin with https://"),
            ({"password": "x", "refresh_tokne": "y"}, "Refresh token .* is misspelled as 'refresh_tokne'"),
        ],
        # Not the values: a key is another one in each process.
        ids=lambda value: value if isinstance(value, str) else "+".join(value) or "nothing",
    )
    def test_it_is_named(self, fields: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Two kinds at once, or half of one."""
        for name in ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID"):
            monkeypatch.delenv(name, raising=False)
        with pytest.raises(ConnectionSettingsError, match=said):
            sign_in(**fields)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("no certificate at all", "must hold an RSA key"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "must hold an RSA key"),
            (pem(password=b"pw"), "must hold an RSA key.*Certificate password"),
            (pem(key=ec.generate_private_key(ec.SECP256R1())), "must hold an RSA key"),
            (pem(begins=NOW - 2 * YEAR, ends=NOW - YEAR), "expired on 20"),
            (pem(begins=NOW + YEAR, ends=NOW + 2 * YEAR), "is not valid before 20"),
            (self_signed(RSA).public_bytes(Encoding.PEM).decode(), "must hold an RSA key"),
        ],
        ids=["text", "half", "locked", "elliptic", "expired", "too-early", "no-key"],
    )
    def test_a_certificate_that_cannot_sign_in(self, text: str, said: str, tmp_path: Path) -> None:
        """The message says what is wrong and repeats nothing of the key."""
        (tmp_path / "app.pem").write_text(text)
        for label, field in (
            ("Certificate and private key", {"private_key": text}),
            ("Certificate path", {"certificate_path": str(tmp_path / "app.pem")}),
        ):
            with pytest.raises(ConnectionSettingsError, match=f"{label} .*{said}") as raised:
                sign_in(**field)
            assert "BEGIN" not in str(raised.value)

    def test_two_certificates(self, tmp_path: Path) -> None:
        """Two certificates are refused, because either could be the right one."""
        (tmp_path / "app.pem").write_text(pem())
        with pytest.raises(ConnectionSettingsError, match="and so is Certificate path"):
            sign_in(certificate_path=str(tmp_path / "app.pem"), private_key=pem())


def test_certificates_of_all_kinds_of_files(tmp_path: Path) -> None:
    """PEM and PKCS12, with and without a password."""
    for name, data, password in (
        ("a.pem", pem().encode(), None),
        ("b.pem", pem(password=b"pw").encode(), "pw"),
        ("c.pfx", pkcs12.serialize_key_and_certificates(b"x", RSA, self_signed(RSA), None, NoEncryption()), None),
        (
            "d.pfx",
            pkcs12.serialize_key_and_certificates(b"x", RSA, self_signed(RSA), None, BestAvailableEncryption(b"pw")),
            "pw",
        ),
    ):
        (tmp_path / name).write_bytes(data)
        assert sign_in(certificate_path=str(tmp_path / name), certificate_password=password).kind is Kind.CERTIFICATE


@pytest.mark.parametrize("lost", ["\\n", " ", ""])
def test_line_ends_that_were_lost_are_found_again(lost: str) -> None:
    """One-line inputs and environment variables lose them; a person sees the same text."""
    whole = pem()
    assert sign_in(private_key=whole.strip().replace("\n", lost)).private_key == whole


@pytest.mark.parametrize("name", [name for name in CLOUDS if name != "global"])
def test_a_cloud_sets_everything_together(name: str) -> None:
    """Root, login, scope and who may receive the token; a single field still overrides its own."""
    found = settings(login="c", password="x", tenant_id="t", cloud=name)
    root, authority = CLOUDS[name]
    host = root.removeprefix("https://")
    assert (found.root, found.authority, found.allowed_hosts) == (root, authority, (host,))
    assert found.scopes == (f"{root}/.default",)
    other = settings(login="c", password="x", tenant_id="t", cloud=name, authority="https://login.other.example")
    assert (other.root, other.authority) == (root, "https://login.other.example")


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080"])
def test_a_plain_root_is_for_this_machine_alone(host: str) -> None:
    """Plain HTTP is allowed only where the traffic stays on this machine."""
    assert settings(login="c", password="x", tenant_id="t", base_url=f"http://{host}").root == f"http://{host}"
