"""The applications that are registered in the tenant: what they may do, and how they prove who they are."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.client_assertions import Certificate, Federation
    from airflow_graph_cancel.sandbox.tenant.entities import Json

TENANT_ID = "5a9dbf1c-3f0e-4c55-9d0b-6f1d5c7a2e10"
SECRET = "sandbox-secret"
PERSON_APP = "sandbox-person"
SCOPED_APP = "sandbox-scoped"
PUBLIC_APP = "sandbox-public"
MACHINE, IDENTITY = "sandbox-machine", "sandbox-identity"
_FULL = ("Calendars.ReadWrite", "Place.Read.All")
_DELEGATED = ("Calendars.ReadWrite", "Group.ReadWrite.All", "Place.Read.All", "User.Read")
_NAMESPACE = uuid.UUID(TENANT_ID)


@dataclass(frozen=True, slots=True)
class App:
    """An application or a managed identity.

    :param roles: What it was granted as itself.
    :param scopes: What it was granted on behalf of people, by an administrator's consent.
    :param public: It keeps no secret and must present none: a program on somebody's machine.
    :param secret: None if it has none.
    :param certificates: If there are any, an assertion of its own must be signed with one of them.
    :param federations: Whose tokens it takes for its own proof.
    :param identity: ``system`` or ``user`` if it is assigned to the machine as a managed identity.
    :param object_id: Of its service principal; made from the client id if not given.
    :param resource_id: Of a managed identity, in Azure.
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
        """Return it with the ids that were not given."""
        path = f"/subscriptions/{TENANT_ID}/resourcegroups/sandbox/providers/Microsoft.ManagedIdentity"
        named = f"{path}/userAssignedIdentities/{self.client_id}"
        return replace(
            self,
            object_id=self.object_id or str(uuid.uuid5(_NAMESPACE, self.client_id)),
            resource_id=self.resource_id or (named if self.identity else ""),
        )

    def to_json(self) -> Json:
        """Return what may be shown, which its secret and its keys are not."""
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


#: The applications that are there from the start.
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


class Apps:
    """All applications of the tenant by client id."""

    def __init__(self) -> None:
        self._apps = {app.client_id: app.complete() for app in BUILT_IN}

    def find(self, client_id: str) -> App | None:
        """Return an application, if it is registered."""
        return self._apps.get(client_id)

    def put(self, app: App) -> App:
        """Register an application, or put it in the place of the one with its client id."""
        self._apps[app.client_id] = whole = app.complete()
        return whole

    def all(self) -> list[App]:
        """Return all of them."""
        return list(self._apps.values())

    def identities(self) -> list[App]:
        """Return the managed identities that are assigned to the machine."""
        return [app for app in self._apps.values() if app.identity]
