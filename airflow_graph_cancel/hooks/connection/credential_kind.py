"""As whom a connection signs in: which credential its fields mean, checked before any request."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.connection.certificates import as_pem, check_certificate

if TYPE_CHECKING:
    from airflow_graph_cancel.hooks.connection.fields import Fields

__all__ = ["Kind", "SignIn", "parse_sign_in"]


class Kind(StrEnum):
    """A kind of credential, as the connection's ``credential`` names it."""

    CLIENT_SECRET = "client_secret"
    CERTIFICATE = "certificate"
    MANAGED_IDENTITY = "managed_identity"
    WORKLOAD_IDENTITY = "workload_identity"
    REFRESH_TOKEN = "refresh_token"
    AZURE_CLI = "azure_cli"
    DEFAULT = "default"


_AUTOMATIC = "auto"
_OF_A_KIND = {
    "password": {Kind.CLIENT_SECRET, Kind.REFRESH_TOKEN},
    "certificate_path": {Kind.CERTIFICATE},
    "private_key": {Kind.CERTIFICATE},
    "certificate_password": {Kind.CERTIFICATE},
    "refresh_token": {Kind.REFRESH_TOKEN},
    "federated_file": {Kind.WORKLOAD_IDENTITY},
}
"""Which kinds a field is for; others must leave it blank."""
_TELLS = {
    "password": Kind.CLIENT_SECRET,
    "certificate_path": Kind.CERTIFICATE,
    "private_key": Kind.CERTIFICATE,
    "refresh_token": Kind.REFRESH_TOKEN,
    "federated_file": Kind.WORKLOAD_IDENTITY,
}
"""What a field says by being filled in, where nothing is chosen."""
_NEEDS_AN_APP = {Kind.CLIENT_SECRET, Kind.CERTIFICATE, Kind.WORKLOAD_IDENTITY, Kind.REFRESH_TOKEN}


@dataclass(frozen=True, slots=True)
class SignIn:
    """One credential, complete.

    :param tenant_id: None where the machine knows it.
    :param client_id: of the app, or of a user-assigned managed identity; None for the system-assigned one.
    :param secret: the app's.
    :param certificate_path: PEM or PKCS12, with its key.
    :param private_key: the same as text, in PEM.
    :param refresh_token: of the person for whom the app acts.
    :param federated_file: where the platform puts the token that proves the workload.
    """

    kind: Kind
    tenant_id: str | None = None
    client_id: str | None = None
    secret: str | None = field(default=None, repr=False)
    certificate_path: str | None = None
    private_key: str | None = field(default=None, repr=False)
    certificate_password: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    federated_file: str | None = None


def parse_sign_in(fields: Fields) -> SignIn:
    """Return the credential that a connection means.

    Chosen by its ``credential``, else deduced from what is filled in; what is filled in for another kind is refused,
    for nobody knows which of them was meant.

    :raises ConnectionSettingsError: naming the form's label of what is wrong.
    """
    filled = [name for name in _OF_A_KIND if fields.text(name) is not None]
    chosen = fields.choice("credential", (_AUTOMATIC, *Kind))
    chosen = None if chosen == _AUTOMATIC else chosen
    certificate_password = fields.text("certificate_password")
    if fields.conn_type == "msgraph" and chosen is None and {"certificate_path", "private_key"} & set(filled):
        # Airflow's own Graph hook takes the password for the certificate's.
        certificate_password = certificate_password or fields.text("password")
        filled = [name for name in filled if name != "password"]
    kind = Kind(chosen) if chosen else _deduced(fields, filled)
    for name in filled:
        if kind not in _OF_A_KIND[name]:
            raise fields.wrong(name, f"is filled in, and Credential is {kind}: leave one of them out")
    sign_in = SignIn(
        kind=kind,
        tenant_id=fields.text("tenant_id"),
        client_id=fields.text("login"),
        secret=fields.text("password") if "password" in filled else None,
        certificate_path=fields.text("certificate_path"),
        private_key=as_pem(fields.text("private_key")),
        certificate_password=certificate_password,
        refresh_token=fields.text("refresh_token"),
        federated_file=fields.text("federated_file"),
    )
    return _complete(fields, sign_in)


def _deduced(fields: Fields, filled: list[str]) -> Kind:
    telling = {name: _TELLS[name] for name in filled if name in _TELLS}
    if len(set(telling.values())) > 1:
        labels = " and ".join(fields.label(name) for name in telling)
        raise ConnectionSettingsError(
            f'Connection "{fields.conn_id}": {labels} are filled in, for different kinds of sign-in. Leave one of them '
            "out, or choose Credential."
        )
    if not telling:
        raise fields.wrong(
            "password",
            "is missing, and so is a certificate or a refresh token: the app cannot sign in. For an identity that "
            "needs no secret, choose Credential",
        )
    return next(iter(telling.values()))


def _complete(fields: Fields, sign_in: SignIn) -> SignIn:
    """Return the credential with what the machine knows, or say what it lacks."""
    kind = sign_in.kind
    if kind is Kind.WORKLOAD_IDENTITY:
        # What the platform's webhook puts into the environment of a pod.
        sign_in = replace(
            sign_in,
            tenant_id=sign_in.tenant_id or os.environ.get("AZURE_TENANT_ID"),
            client_id=sign_in.client_id or os.environ.get("AZURE_CLIENT_ID"),
            federated_file=sign_in.federated_file or os.environ.get("AZURE_FEDERATED_TOKEN_FILE"),
        )
        if sign_in.federated_file is None:
            raise fields.wrong("federated_file", "is missing, and AZURE_FEDERATED_TOKEN_FILE is not set")
        if not Path(sign_in.federated_file).is_file():
            raise fields.wrong("federated_file", f"names {sign_in.federated_file}, which is not on this machine")
    if kind in _NEEDS_AN_APP:
        for name, value in (("tenant_id", sign_in.tenant_id), ("login", sign_in.client_id)):
            if value is None:
                raise fields.wrong(name, "is missing")
    if kind is Kind.CLIENT_SECRET and sign_in.secret is None:
        raise fields.wrong("password", "is missing")
    if kind is Kind.REFRESH_TOKEN and sign_in.refresh_token is None:
        raise fields.wrong("refresh_token", "is missing")
    if kind is Kind.CERTIFICATE:
        check_certificate(fields, sign_in)
    return sign_in
