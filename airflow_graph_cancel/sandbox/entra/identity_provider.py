"""The identity provider: registered applications, tokens and sign-ins, and the people who can sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.entra.app_registrations import AppRegistrations
from airflow_graph_cancel.sandbox.entra.sign_ins import SignIns
from airflow_graph_cancel.sandbox.entra.tokens import AccessTokens, Person

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.state import SandboxState


class IdentityProvider:
    """Who may have a token, and what each token is worth.

    :param state: The tenant whose people sign in.
    """

    def __init__(self, state: SandboxState) -> None:
        self.state = state
        self.tokens = AccessTokens()
        self.reset()

    def reset(self) -> None:
        """Forget registered applications and sign-ins. Access tokens stay valid; people must sign in again."""
        self.apps = AppRegistrations()
        self.sign_ins = SignIns()

    def person(self, upn: str | None) -> Person | None:
        """Return a person by address or alias; without one, the person of ``signed_in_as`` or the tenant's first."""
        store, name = self.state.store, upn or self.state.settings.signed_in_as
        people = (mailbox for mailbox in store.mailboxes.values() if mailbox.kind == "user")
        found = store.mailbox(name) if name else next(people, None)
        return Person(found.id, found.address, found.display_name) if found and found.kind == "user" else None
