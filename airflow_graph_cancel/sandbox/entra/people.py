"""Who can sign in, and what may be asked for on their behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_graph_cancel.sandbox.entra import entra_errors, people_errors

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.state import World

GRAPH = "https://graph.microsoft.com"
_OPENID = ("openid", "profile", "email", "offline_access")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in."""

    oid: str
    upn: str
    name: str


def person(world: World, upn: str | None) -> Person | None:
    """Return somebody by address or alias; whoever the setting names, or the first person, if none is given."""
    name = upn or world.settings.signed_in_as
    people = (mailbox for mailbox in world.store.mailboxes.values() if mailbox.kind == "user")
    found = world.store.mailbox(name) if name else next(people, None)
    return Person(found.id, found.address, found.display_name) if found and found.kind == "user" else None


@dataclass(frozen=True, slots=True)
class Asked:
    """The scopes of a request.

    :param resource: The service that they are of, without a path.
    :param names: Permissions, or ``.default``.
    :param openid: Of ``openid``, ``profile``, ``email`` and ``offline_access`` those that were named.
    :param prefixed: The permissions were named with their resource, as the answer then names them too.
    """

    resource: str
    names: tuple[str, ...]
    openid: tuple[str, ...]
    prefixed: bool

    @classmethod
    def read(cls, scope: str) -> Asked:
        """Read a ``scope``; a bare permission is Graph's.

        :raises EntraError: if it is of two services.
        """
        openid = tuple(each for each in scope.split() if each in _OPENID)
        resources, names, prefixed = set(), [], False
        for each in (part for part in scope.split() if part not in _OPENID):
            resource, slash, name = each.rpartition("/")
            prefixed = prefixed or bool(slash)
            resources.add(resource.rstrip("/") if urlsplit(resource).scheme else GRAPH)
            names.append(name)
        if len(resources) > 1:
            raise entra_errors.two_resources()
        return cls(resources.pop() if resources else GRAPH, tuple(names), openid, prefixed)

    def check(self, app: App) -> None:
        """Accept what was consented to.

        :raises EntraError: if something else is asked for.
        """
        consented = {".default", *(each.lower() for each in app.scopes)}
        if not app.scopes or not consented.issuperset(each.lower() for each in self.names):
            raise people_errors.no_consent(app.client_id)

    def granted(self, app: App) -> str:
        """Return the answer's ``scope``: all that was consented to, whatever of it was asked for, as Entra does it."""
        names = [*app.scopes, *([".default"] if ".default" in self.names else [])]
        prefix = f"{self.resource}/" if self.prefixed else ""
        return " ".join([*(prefix + each for each in names), *(each for each in self.openid if "_" not in each)])
