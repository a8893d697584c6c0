"""The part of the sandbox's client that concerns signing in; standard library only, as all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Reply = dict[str, Any]


class SignInClient:
    """Applications, sign-ins that wait for a person, and refresh tokens of a running sandbox."""

    connection: Reply

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None
    ) -> Reply:
        raise NotImplementedError

    def connection_without_secret(self, app: str | None, **extra: object) -> Reply:
        """Return a connection that proves itself in another way than by a secret.

        :param app: Client id; None leaves it out.
        :param extra: What the connection has beside the addresses.
        """
        connection = {name: value for name, value in self.connection.items() if name not in ("login", "password")}
        named = {"login": app} if app else {}
        return {**connection, **named, "extra": {**self.connection["extra"], **extra}}

    def apps(self) -> list[Reply]:
        """Return the applications and managed identities."""
        return list(self._call("GET", "apps")["apps"])

    def register_app(self, client_id: str, **properties: object) -> Reply:
        """Register an application, or change what is given of one that is there.

        :param properties: ``roles`` and ``scopes`` (lists), ``public``, ``secret``, ``certificates`` (a list of PEM
            texts without keys), ``federations`` (a list of ``{"issuer", "subject", "audience", "key"}``), ``identity``
            (``system``, ``user`` or None), ``object_id``, ``resource_id``; see ``apps.App``.
        """
        return self._call("POST", "apps", {"client_id": client_id, **properties})

    def sign_ins(self) -> list[Reply]:
        """Return the devices' sign-ins that wait for a person: ``{"user_code", "client_id", "scope"}``."""
        return list(self._call("GET", "sign-ins")["waiting"])

    def approve_sign_in(self, user_code: str, upn: str | None = None) -> None:
        """Let a device act for somebody, as they would in a browser.

        :param upn: Their address; the setting ``signed_in_as`` or the first person if not given.
        """
        self._call("POST", f"sign-ins/{user_code}", {"decision": "approve", "as": upn})

    def decline_sign_in(self, user_code: str) -> None:
        """Say no to a device."""
        self._call("POST", f"sign-ins/{user_code}", {"decision": "decline"})

    def expire_sign_in(self, user_code: str) -> None:
        """Let a device's time be over."""
        self._call("POST", f"sign-ins/{user_code}", {"decision": "expire"})

    def refresh_token(
        self, upn: str | None = None, *, client_id: str = "sandbox-public", scope: str | None = None
    ) -> str:
        """Return a refresh token of somebody who signed in to an application.

        :param upn: Their address; the setting ``signed_in_as`` or the first person if not given.
        :param scope: What for; all that the application was granted for people if not given.
        """
        body = {"client_id": client_id, "as": upn, "scope": scope}
        return str(self._call("POST", "refresh-tokens", body)["refresh_token"])

    def refuse_refresh_tokens(self, reason: str = "revoked", upn: str | None = None) -> int:
        """Let the refresh tokens that were issued so far be refused; return how many there are.

        :param reason: ``revoked``, ``inactive``, ``mfa`` or ``consent``.
        :param upn: Whose; everybody's if not given.
        """
        return int(self._call("POST", "refresh-tokens/refuse", {"reason": reason, "as": upn})["refused"])

    def token_requests(self, **matching: object) -> list[Reply]:
        """Return the requests for tokens, all or those whose fields have these values; see ``ledger.TokenRequest``."""
        return [
            request
            for request in self._call("GET", "ledger")["token_requests"]
            if all(request[name] == value for name, value in matching.items())
        ]
