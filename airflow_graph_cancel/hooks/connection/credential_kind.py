"""The kinds of credential a connection can sign in with: one table of what each needs and how it is built."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from azure.identity.aio import (
    AzureCliCredential,
    CertificateCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from airflow_graph_cancel.graph.auth.credential import raise_for_unavailable
from airflow_graph_cancel.graph.auth.refresh_token import LoginServer, RefreshTokenCredential
from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.connection.certificates import as_pem, check_certificate

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from airflow_graph_cancel.hooks.connection.fields import Fields


class Kind(StrEnum):
    """A kind of credential, by its value in the connection's ``credential``.

    The form lists the same values, each with its label, in ``get_provider_info``.
    """

    CLIENT_SECRET = "client_secret"
    CERTIFICATE = "certificate"
    MANAGED_IDENTITY = "managed_identity"
    WORKLOAD_IDENTITY = "workload_identity"
    REFRESH_TOKEN = "refresh_token"
    AZURE_CLI = "azure_cli"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class SignIn:
    """One credential with everything its kind needs.

    :param tenant_id: None where the machine knows it.
    :param client_id: of the app, or of a user-assigned managed identity; None for the system-assigned one.
    :param secret: the app's client secret.
    :param certificate_path: PEM or PKCS12 file with the certificate and its private key.
    :param private_key: the same as PEM text.
    :param refresh_token: of the person on whose behalf the app acts.
    :param federated_file: file in which the platform puts the workload's token.
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

    def make_credential(self, server: LoginServer) -> AsyncTokenCredential:
        """Return a new credential with an empty cache.

        :param server: where tokens come from, and how to reach it.
        """
        return RULES[self.kind].make(self, server)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything that depends on the kind of credential, by the form's field names: the app's ID is ``login``.

    :param make: makes azure-identity's credential, or one like it.
    :param detected_by: fields that select this kind when Credential is automatic.
    :param allows: other fields that this kind uses and most kinds do not.
    :param requires: fields that must not be blank, in the order in which they are checked.
    :param environment: environment variables that stand in for blank fields.
    :param check: rejects values that cannot work.
    """

    make: Callable[[SignIn, LoginServer], AsyncTokenCredential]
    detected_by: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Fields, SignIn], None] | None = None

    @property
    def own_fields(self) -> tuple[str, ...]:
        """The fields that must be blank for every kind that does not list them too."""
        return (*self.detected_by, *self.allows)


def parse_sign_in(fields: Fields) -> SignIn:
    """Return the credential that a connection describes, complete and checked.

    The kind is the connection's ``credential``, else detected from the fields that are filled in. Fields of another
    kind must be blank: it would be unclear which of the two was intended.

    :raises ConnectionSettingsError: naming the form's label of what is wrong.
    """
    filled = {name: value for name in _KIND_FIELDS if (value := fields.text(name)) is not None}
    chosen = fields.choice("credential", (_AUTOMATIC, *Kind))
    if chosen is None or chosen == _AUTOMATIC:
        has_certificate = filled.keys() & set(RULES[Kind.CERTIFICATE].detected_by)
        if fields.conn_type == "msgraph" and has_certificate and "password" in filled:
            # Airflow's own Graph hook uses the password as the certificate's.
            filled.setdefault("certificate_password", filled.pop("password"))
        kind = _detect(fields, filled)
    else:
        kind = Kind(chosen)
    rules = RULES[kind]
    for name in filled:
        if name not in rules.own_fields:
            raise fields.error(name, f"is filled in, but Credential is {kind}: clear the field or change Credential")
    values = {**filled, "tenant_id": fields.text("tenant_id"), "login": fields.text("login")}
    for name, variable in rules.environment.items():
        values[name] = values.get(name) or os.environ.get(variable)
    for name in rules.requires:
        if not values.get(name):
            unset = f", and {rules.environment[name]} is not set" if name in rules.environment else ""
            raise fields.error(name, f"is missing{unset}")
    sign_in = SignIn(
        kind=kind,
        tenant_id=values["tenant_id"],
        client_id=values["login"],
        secret=values.get("password"),
        certificate_path=values.get("certificate_path"),
        private_key=as_pem(values.get("private_key")),
        certificate_password=values.get("certificate_password"),
        refresh_token=values.get("refresh_token"),
        federated_file=values.get("federated_file"),
    )
    if rules.check is not None:
        rules.check(fields, sign_in)
    return sign_in


def _detect(fields: Fields, filled: Mapping[str, str]) -> Kind:
    found = {name: kind for kind, rules in RULES.items() for name in rules.detected_by if name in filled}
    if not found:
        raise fields.error(
            "password",
            "is missing, and so is a certificate or a refresh token: the app cannot sign in. For an identity without a "
            "secret, choose Credential",
        )
    if len(set(found.values())) > 1:
        labels = " and ".join(fields.label(name) for name in found)
        raise ConnectionSettingsError(
            f'Connection "{fields.conn_id}": {labels} are filled in, but belong to different kinds of sign-in. Clear '
            "one of them, or choose Credential."
        )
    return next(iter(found.values()))


def _check_certificate(fields: Fields, sign_in: SignIn) -> None:
    check_certificate(
        fields, path=sign_in.certificate_path, text=sign_in.private_key, password=sign_in.certificate_password
    )


def _check_token_file(fields: Fields, sign_in: SignIn) -> None:
    if not Path(sign_in.federated_file or "").is_file():
        raise fields.error("federated_file", f"names {sign_in.federated_file}, which is not on this machine")


def _app(sign_in: SignIn, server: LoginServer) -> dict[str, Any]:
    """Return the arguments that azure-identity's credentials of an app have in common."""
    connect, read = server.timeouts
    return {
        "tenant_id": sign_in.tenant_id,
        "client_id": sign_in.client_id,
        "authority": server.authority,
        "disable_instance_discovery": not server.instance_discovery,
        "connection_verify": server.verify,
        "proxies": dict(server.proxies) or None,
        "use_env_settings": server.trust_env,
        # azure-core's own retries would sit out any Retry-After on the worker; this package's do not.
        "retry_total": 0,
        "raw_response_hook": raise_for_unavailable,
        "connection_timeout": connect,
        "read_timeout": read,
    }


def _client_secret(sign_in: SignIn, server: LoginServer) -> AsyncTokenCredential:
    return ClientSecretCredential(client_secret=sign_in.secret or "", **_app(sign_in, server))


def _certificate(sign_in: SignIn, server: LoginServer) -> AsyncTokenCredential:
    return CertificateCredential(
        certificate_path=sign_in.certificate_path,
        certificate_data=sign_in.private_key.encode() if sign_in.private_key else None,
        password=sign_in.certificate_password,
        **_app(sign_in, server),
    )


def _managed_identity(sign_in: SignIn, server: LoginServer) -> AsyncTokenCredential:
    # The machine itself answers, so there is no proxy; azure-identity's own retries fit that service.
    return ManagedIdentityCredential(client_id=sign_in.client_id, use_env_settings=False)


def _workload_identity(sign_in: SignIn, server: LoginServer) -> AsyncTokenCredential:
    return WorkloadIdentityCredential(token_file_path=sign_in.federated_file, **_app(sign_in, server))


def _refresh_token(sign_in: SignIn, server: LoginServer) -> AsyncTokenCredential:
    return RefreshTokenCredential(
        server,
        tenant_id=sign_in.tenant_id or "",
        client_id=sign_in.client_id or "",
        secret=sign_in.secret,
        refresh_token=sign_in.refresh_token or "",
    )


def _azure_cli(sign_in: SignIn, server: LoginServer) -> AsyncTokenCredential:
    return AzureCliCredential(tenant_id=sign_in.tenant_id or "")


def _default(sign_in: SignIn, server: LoginServer) -> AsyncTokenCredential:
    return DefaultAzureCredential(
        authority=server.authority,
        managed_identity_client_id=sign_in.client_id,
        workload_identity_tenant_id=sign_in.tenant_id,
        connection_verify=server.verify,
        proxies=dict(server.proxies) or None,
    )


_AUTOMATIC = "auto"
_APP_FIELDS = ("tenant_id", "login")
RULES = {
    Kind.CLIENT_SECRET: Rules(
        make=_client_secret,
        detected_by=("password",),
        requires=(*_APP_FIELDS, "password"),
    ),
    Kind.CERTIFICATE: Rules(
        make=_certificate,
        detected_by=("certificate_path", "private_key"),
        allows=("certificate_password",),
        requires=_APP_FIELDS,
        check=_check_certificate,
    ),
    Kind.MANAGED_IDENTITY: Rules(make=_managed_identity),
    Kind.WORKLOAD_IDENTITY: Rules(
        make=_workload_identity,
        detected_by=("federated_file",),
        requires=("federated_file", *_APP_FIELDS),
        # Set in a pod by the platform's webhook.
        environment={
            "federated_file": "AZURE_FEDERATED_TOKEN_FILE",
            "tenant_id": "AZURE_TENANT_ID",
            "login": "AZURE_CLIENT_ID",
        },
        check=_check_token_file,
    ),
    Kind.REFRESH_TOKEN: Rules(
        make=_refresh_token,
        detected_by=("refresh_token",),
        allows=("password",),
        requires=(*_APP_FIELDS, "refresh_token"),
    ),
    Kind.AZURE_CLI: Rules(make=_azure_cli),
    Kind.DEFAULT: Rules(make=_default),
}
_KIND_FIELDS = tuple(dict.fromkeys(name for rules in RULES.values() for name in rules.own_fields))
