"""The applications and managed identities of the tenant: their permissions and their credentials."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from airflow_graph_cancel.sandbox.tenant.entities import Json

TENANT_ID = "5a9dbf1c-3f0e-4c55-9d0b-6f1d5c7a2e10"
SECRET = "sandbox-secret"
PERSON_APP = "sandbox-person"
SCOPED_APP = "sandbox-scoped"
PUBLIC_APP = "sandbox-public"
MACHINE, IDENTITY = "sandbox-machine", "sandbox-identity"
#: The audience of a federated token, unless the application says otherwise.
EXCHANGE = "api://AzureADTokenExchange"
_FULL = ("Calendars.ReadWrite", "Place.Read.All")
_DELEGATED = ("Calendars.ReadWrite", "Group.ReadWrite.All", "Place.Read.All", "User.Read")
_NAMESPACE = uuid.UUID(TENANT_ID)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate of an application, without its private key.

    :param thumbprints: SHA-1 and SHA-256, as ``x5t`` and ``x5t#S256`` write them, without padding.
    :param thumbprint: SHA-1 in hexadecimal.
    :param not_before: Seconds since 1970; ``not_after`` likewise.
    """

    key: RSAPublicKey
    thumbprints: frozenset[str]
    thumbprint: str
    not_before: float
    not_after: float


@dataclass(frozen=True, slots=True)
class Federation:
    """A federated credential: an issuer whose tokens authenticate the application. All values are compared exactly.

    :param key: The issuer's public key in PEM. Without one the signature is not checked, because the sandbox does not
        fetch an issuer's keys.
    """

    issuer: str
    subject: str
    audience: str = EXCHANGE
    key: str | None = None

    def to_json(self) -> Json:
        """Return what the control API shows."""
        return {"issuer": self.issuer, "subject": self.subject, "audience": self.audience, "signed": bool(self.key)}


@dataclass(frozen=True, slots=True)
class App:
    """An application or a managed identity.

    :param roles: Application permissions.
    :param scopes: Delegated permissions, with an administrator's consent.
    :param public: A public client: it has no secret and must not present one.
    :param secret: None if it has none.
    :param certificates: If there are any, its own assertions must be signed with one of them.
    :param federations: Issuers whose tokens it accepts as its credential.
    :param identity: ``system`` or ``user`` if it is assigned to the machine as a managed identity.
    :param object_id: Id of its service principal; derived from the client id if not given.
    :param resource_id: Azure resource id of a managed identity.
    """

    client_id: str
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    public: bool = False
    secret: str | None = SECRET
    certificates: tuple[Certificate, ...] = ()
    federations: tuple[Federation, ...] = ()
    identity: str | None = None
    object_id: str = ""
    resource_id: str = ""

    def complete(self) -> App:
        """Return the application with all its ids."""
        path = f"/subscriptions/{TENANT_ID}/resourcegroups/sandbox/providers/Microsoft.ManagedIdentity"
        named = f"{path}/userAssignedIdentities/{self.client_id}"
        return replace(
            self,
            object_id=self.object_id or str(uuid.uuid5(_NAMESPACE, self.client_id)),
            resource_id=self.resource_id or (named if self.identity else ""),
        )

    def to_json(self) -> Json:
        """Return what the control API shows: everything but secrets and keys."""
        return {
            "client_id": self.client_id,
            "roles": list(self.roles),
            "scopes": list(self.scopes),
            "public": self.public,
            "certificates": [each.thumbprint for each in self.certificates],
            "federations": [each.to_json() for each in self.federations],
            "identity": self.identity,
            "object_id": self.object_id,
            "resource_id": self.resource_id,
        }


#: The applications that exist from the start.
BUILT_IN: tuple[App, ...] = (
    App("sandbox-app", _FULL, _DELEGATED),
    App("sandbox-reader", ("Calendars.Read",)),
    App("sandbox-places", ("Place.Read.All",)),
    App("sandbox-roleless"),
    App(SCOPED_APP, _FULL),
    App(PERSON_APP, scopes=_DELEGATED),
    App(PUBLIC_APP, scopes=_DELEGATED, public=True, secret=None),
    App("sandbox-public-reader", scopes=("Calendars.Read", "User.Read"), public=True, secret=None),
    App(MACHINE, _FULL, secret=None, identity="system"),
    App(IDENTITY, _FULL, secret=None, identity="user"),
)


class AppRegistrations:
    """All applications of the tenant by client id."""

    def __init__(self) -> None:
        self._apps = {app.client_id: app.complete() for app in BUILT_IN}

    def find(self, client_id: str) -> App | None:
        """Return an application, if it is registered."""
        return self._apps.get(client_id)

    def put(self, app: App) -> App:
        """Register an application, or replace the one with its client id."""
        self._apps[app.client_id] = whole = app.complete()
        return whole

    def all(self) -> list[App]:
        """Return all applications."""
        return list(self._apps.values())

    def identities(self) -> list[App]:
        """Return the managed identities that are assigned to the machine."""
        return [app for app in self._apps.values() if app.identity]
