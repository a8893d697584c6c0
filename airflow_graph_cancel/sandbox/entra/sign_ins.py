"""Sign-ins of people: requested scopes, device codes that wait for a person, and refresh tokens.

:class:`IdentityProvider` holds them together with the registered applications and the access tokens.
"""

from __future__ import annotations

import datetime
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from airflow_graph_cancel.sandbox.entra.app_registrations import BUILT_IN, App
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError, invalid_grant, invalid_scope, timestamp
from airflow_graph_cancel.sandbox.entra.tokens import AccessTokens, Person

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Settings
    from airflow_graph_cancel.sandbox.state import SandboxState
    from airflow_graph_cancel.sandbox.tenant.entities import Json

GRAPH = "https://graph.microsoft.com"
#: Why a refresh token can be refused on demand.
REASONS = ("revoked", "inactive", "mfa", "consent")
_OPENID = ("openid", "profile", "email", "offline_access")
# No vowels, so the codes do not spell words.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True)
class RequestedScopes:
    """The scopes of a request.

    :param resource: Their service, without a path.
    :param names: Permissions, or ``.default``.
    :param openid: Those of ``openid``, ``profile``, ``email`` and ``offline_access`` that the request named.
    :param prefixed: Whether permissions were named with their resource; the response then does the same.
    """

    resource: str
    names: tuple[str, ...]
    openid: tuple[str, ...]
    prefixed: bool

    @classmethod
    def read(cls, scope: str) -> RequestedScopes:
        """Read a ``scope``; a permission without a resource is Graph's.

        :raises EntraError: if it names two services.
        """
        openid = tuple(each for each in scope.split() if each in _OPENID)
        resources, names, prefixed = set(), [], False
        for each in (part for part in scope.split() if part not in _OPENID):
            resource, slash, name = each.rpartition("/")
            prefixed = prefixed or bool(slash)
            resources.add(resource.rstrip("/") if urlsplit(resource).scheme else GRAPH)
            names.append(name)
        if len(resources) > 1:
            raise invalid_scope(
                700022,
                "The provided value for the input parameter 'scope' isn't valid because it contains more than one "
                "resource.",
            )
        return cls(resources.pop() if resources else GRAPH, tuple(names), openid, prefixed)

    def check(self, app: App) -> None:
        """Accept scopes with consent.

        :raises EntraError: if one of them has none.
        """
        consented = {".default", *(each.lower() for each in app.scopes)}
        if not app.scopes or not consented.issuperset(each.lower() for each in self.names):
            raise _no_consent(app.client_id)

    def granted(self, app: App) -> str:
        """Return the response's ``scope``: everything with consent, whatever part was requested, as in Entra."""
        names = [*app.scopes, *([".default"] if ".default" in self.names else [])]
        prefix = f"{self.resource}/" if self.prefixed else ""
        return " ".join([*(prefix + each for each in names), *(each for each in self.openid if "_" not in each)])


@dataclass(slots=True)
class DeviceCode:
    """A sign-in that a device began.

    :param expires: Seconds since 1970.
    :param polled: When the device polled last, on the monotonic clock.
    :param decision: ``approve`` or ``decline``, once the person decided; ``upn`` is the person who approved.
    """

    user_code: str
    app: App
    scope: str
    expires: float
    polled: float | None = None
    decision: str | None = None
    upn: str | None = None


@dataclass(slots=True)
class RefreshToken:
    """What a refresh token stands for.

    :param issued: Seconds since 1970.
    :param refusal: Why it is refused, one of ``REASONS``.
    :param used: Whether it was exchanged for a newer one.
    """

    app: str
    upn: str
    scope: str
    issued: float = field(default_factory=time.time)
    refusal: str | None = None
    used: bool = False


class Redeemed(NamedTuple):
    """The person for whom tokens are issued, and their scope."""

    upn: str
    scope: str


class SignIns:
    """The device codes and refresh tokens that were issued."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceCode] = {}
        self._refresh_tokens: dict[str, RefreshToken] = {}

    def begin(self, app: App, scope: str, settings: Settings) -> tuple[str, DeviceCode]:
        """Issue a device code; return it and its details."""
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
        device = DeviceCode(user_code, app, scope, time.time() + settings.device_code_lifetime)
        code = secrets.token_urlsafe(120)
        self._devices[code] = device
        return code, device

    def waiting(self) -> list[Json]:
        """Return the sign-ins that wait for a person, without the device's secret."""
        return [
            {"user_code": each.user_code, "client_id": each.app.client_id, "scope": each.scope}
            for each in self._waiting()
        ]

    def decide(self, user_code: str, decision: str, upn: str | None) -> None:
        """Decide about a sign-in that waits: ``approve`` it as a person, ``decline`` it, or let it ``expire``.

        :raises ValueError: if there is no such sign-in, no person to approve it, or no consent to its scope.
        """
        wanted = user_code.strip().upper()
        device = next((each for each in self._waiting() if each.user_code == wanted), None)
        if device is None:
            raise ValueError(f"no sign-in waits for the code {user_code!r}")
        if decision not in ("approve", "decline", "expire"):
            raise ValueError(f"decision must be approve, decline or expire, not {decision!r}")
        if decision == "expire":
            device.expires = 0.0
            return
        if decision == "approve":
            if upn is None:
                raise ValueError("there is no such person to sign in as")
            try:
                RequestedScopes.read(device.scope).check(device.app)
            except EntraError as error:
                raise ValueError(error.message) from error
        device.decision, device.upn = decision, upn

    def redeem_device(self, code: str, app: App, settings: Settings) -> Redeemed:
        """Return who approved a device's sign-in, once.

        :raises EntraError: if nobody has approved it, or nobody can any more.
        """
        device = self._devices.get(code)
        unusable = "The provided value for the input parameter 'device_code' is not valid."
        if device is None or device.app.client_id != app.client_id:
            raise EntraError(400, "bad_verification_code", 70018, unusable)
        if device.decision == "decline":
            # The error is documented, its number is not.
            raise EntraError(400, "authorization_declined", 65004, "User declined to consent to access the app.")
        if device.upn is not None:
            del self._devices[code]
            return Redeemed(device.upn, device.scope)
        if device.expires <= time.time():
            raise EntraError(400, "expired_token", 70020, f"{unusable} This device code has expired.")
        last, device.polled = device.polled, time.monotonic()
        paced = settings.guesses.device_code_pace == "slow_down"
        waits = "OAuth 2.0 device flow error. Authorization is pending"
        if paced and last is not None and device.polled - last < settings.device_code_interval:
            # As in RFC 8628; Entra documents neither this error nor a number for it.
            raise EntraError(400, "slow_down", 70016, f"{waits}, and the device polls too often. Slow down.")
        raise EntraError(400, "authorization_pending", 70016, f"{waits}. Continue polling.")

    def issue_refresh_token(self, app: App, upn: str, scope: str) -> str:
        """Return a new refresh token, as long as a real one, with a prefix that makes a leak easy to find."""
        token = f"sandbox-refresh-{secrets.token_urlsafe(600)}"
        self._refresh_tokens[token] = RefreshToken(app.client_id, upn, scope)
        return token

    def redeem_refresh_token(self, token: str, app: App, scope: str, settings: Settings) -> Redeemed:
        """Return the person that a refresh token stands for.

        :param scope: The scope of this request; if empty, the scope of the token.
        :raises EntraError: if the token is not valid, or not any more.
        """
        found = self._refresh_tokens.get(token)
        if found is None:
            raise invalid_grant(9002313, "Invalid request. Request is malformed or invalid.")
        if found.app != app.client_id or (found.used and settings.used_refresh_tokens == "invalid"):
            message = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."
            raise invalid_grant(70000, message)
        scope = scope or found.scope
        if found.refusal:
            resource = RequestedScopes.read(scope).resource
            raise _refused(found.refusal, app.client_id, resource, found.issued)
        if time.time() - found.issued > settings.refresh_token_lifetime:
            raise _inactive(found.issued, datetime.timedelta(seconds=settings.refresh_token_lifetime))
        return Redeemed(found.upn, scope)

    def use(self, token: str) -> None:
        """Note that a refresh token was exchanged for a newer one."""
        self._refresh_tokens[token].used = True

    def refuse(self, reason: str, upn: str | None) -> int:
        """Refuse the refresh tokens issued so far from now on, all or a person's; return how many there are.

        :raises ValueError: for an unknown reason.
        """
        if reason not in REASONS:
            raise ValueError(f"reason must be one of {', '.join(REASONS)}, not {reason!r}")
        concerned = [each for each in self._refresh_tokens.values() if upn is None or each.upn.lower() == upn.lower()]
        for each in concerned:
            each.refusal = reason
        return len(concerned)

    def _waiting(self) -> list[DeviceCode]:
        now = time.time()
        return [each for each in self._devices.values() if each.decision is None and each.expires > now]


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
        self.apps = {app.client_id: app for app in BUILT_IN}
        self.sign_ins = SignIns()

    def person(self, upn: str | None) -> Person | None:
        """Return a person by address or alias; without one, the person of ``signed_in_as`` or the tenant's first."""
        store, name = self.state.store, upn or self.state.settings.signed_in_as
        people = (mailbox for mailbox in store.mailboxes.values() if mailbox.kind == "user")
        found = store.mailbox(name) if name else next(people, None)
        return Person(found.id, found.address, found.display_name) if found and found.kind == "user" else None


def _no_consent(client_id: str) -> EntraError:
    message = (
        f"The user or administrator has not consented to use the application with ID '{client_id}' named "
        f"'{client_id}'. Send an interactive authorization request for this user and resource."
    )
    return invalid_grant(65001, message, "consent_required")


def _refused(reason: str, client_id: str, resource: str, issued: float) -> EntraError:
    """Refuse a valid refresh token for one of the ``REASONS``."""
    if reason == "consent":
        return _no_consent(client_id)
    if reason == "mfa":
        message = (
            "Due to a configuration change made by your administrator, or because you moved to a new location, you "
            f"must use multi-factor authentication to access '{resource}'."
        )
        return invalid_grant(50076, message, "basic_action")
    if reason == "inactive":
        return _inactive(issued, datetime.timedelta(days=90))
    message = (
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
        f"changed or reset their password. The grant was issued on '{timestamp(issued)}' and the TokensValidFrom date "
        f"(before which tokens are not valid) for this user is '{timestamp(time.time())}'."
    )
    return invalid_grant(50173, message)


def _inactive(issued: float, lifetime: datetime.timedelta) -> EntraError:
    hours, rest = divmod(lifetime.seconds, 3600)
    message = (
        f"The refresh token has expired due to inactivity. The token was issued on {timestamp(issued)} and was "
        f"inactive for {lifetime.days}.{hours:02}:{rest // 60:02}:{rest % 60:02}."
    )
    return invalid_grant(700082, message)
