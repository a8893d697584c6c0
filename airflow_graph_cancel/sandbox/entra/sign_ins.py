"""Sign-ins of people: requested scopes, device codes that wait for a person, and refresh tokens."""

from __future__ import annotations

import datetime
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from airflow_graph_cancel.sandbox.entra import entra_errors
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Settings
    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.tenant.entities import Json

GRAPH = "https://graph.microsoft.com"
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
            raise entra_errors.two_resources()
        return cls(resources.pop() if resources else GRAPH, tuple(names), openid, prefixed)

    def check(self, app: App) -> None:
        """Accept scopes with consent.

        :raises EntraError: if one of them has none.
        """
        consented = {".default", *(each.lower() for each in app.scopes)}
        if not app.scopes or not consented.issuperset(each.lower() for each in self.names):
            raise entra_errors.no_consent(app.client_id)

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
    :param refusal: Why it is refused, one of ``entra_errors.REASONS``.
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
        if device is None or device.app.client_id != app.client_id:
            raise entra_errors.unknown_device_code()
        if device.decision == "decline":
            raise entra_errors.declined()
        if device.upn is not None:
            del self._devices[code]
            return Redeemed(device.upn, device.scope)
        if device.expires <= time.time():
            raise entra_errors.device_code_expired()
        last, device.polled = device.polled, time.monotonic()
        paced = settings.guesses.device_code_pace == "slow_down"
        if paced and last is not None and device.polled - last < settings.device_code_interval:
            raise entra_errors.too_fast()
        raise entra_errors.pending()

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
            raise entra_errors.garbled_refresh_token()
        if found.app != app.client_id or (found.used and settings.used_refresh_tokens == "invalid"):
            raise entra_errors.invalid_refresh_token()
        scope = scope or found.scope
        if found.refusal:
            resource = RequestedScopes.read(scope).resource
            raise entra_errors.refused(found.refusal, app.client_id, resource, found.issued)
        if time.time() - found.issued > settings.refresh_token_lifetime:
            raise entra_errors.inactive(found.issued, datetime.timedelta(seconds=settings.refresh_token_lifetime))
        return Redeemed(found.upn, scope)

    def use(self, token: str) -> None:
        """Note that a refresh token was exchanged for a newer one."""
        self._refresh_tokens[token].used = True

    def refuse(self, reason: str, upn: str | None) -> int:
        """Refuse the refresh tokens issued so far from now on, all or a person's; return how many there are.

        :raises ValueError: for an unknown reason.
        """
        if reason not in entra_errors.REASONS:
            raise ValueError(f"reason must be one of {', '.join(entra_errors.REASONS)}, not {reason!r}")
        concerned = [each for each in self._refresh_tokens.values() if upn is None or each.upn.lower() == upn.lower()]
        for each in concerned:
            each.refusal = reason
        return len(concerned)

    def _waiting(self) -> list[DeviceCode]:
        now = time.time()
        return [each for each in self._devices.values() if each.decision is None and each.expires > now]
