"""The applications and managed identities of the tenant: their permissions and their credentials."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
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
    :param resource_id: Azure resource id of a managed identity; likewise derived.
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

    def __post_init__(self) -> None:
        """Derive the ids that were not given."""
        path = f"/subscriptions/{TENANT_ID}/resourcegroups/sandbox/providers/Microsoft.ManagedIdentity"
        named = f"{path}/userAssignedIdentities/{self.client_id}"
        object.__setattr__(self, "object_id", self.object_id or str(uuid.uuid5(_NAMESPACE, self.client_id)))
        object.__setattr__(self, "resource_id", self.resource_id or (named if self.identity else ""))

    def to_json(self) -> Json:
        """Return what the control API shows: everything but secrets and keys."""
        shown = ("client_id", "roles", "scopes", "public", "identity", "object_id", "resource_id")
        return {
            **{name: getattr(self, name) for name in shown},
            "certificates": [each.thumbprint for each in self.certificates],
            "federations": [
                {"issuer": each.issuer, "subject": each.subject, "audience": each.audience, "signed": bool(each.key)}
                for each in self.federations
            ],
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
