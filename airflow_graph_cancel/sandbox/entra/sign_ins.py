"""Signing in as a person: device codes that wait for them, and refresh tokens that go on speaking for them."""

from __future__ import annotations

import datetime
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from airflow_graph_cancel.sandbox.entra import people_errors
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError
from airflow_graph_cancel.sandbox.entra.people import Asked, Person, person

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Settings
    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.state import World
    from airflow_graph_cancel.sandbox.tenant.entities import Json

# Without vowels, so that no words come of it.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


@dataclass(slots=True)
class DeviceCode:
    """A sign-in that a device has begun.

    :param ends: Seconds since 1970.
    :param polled: When the device asked last, on the monotonic clock.
    :param decision: ``approve`` or ``decline``, once the person has decided.
    """

    user_code: str
    app: App
    scope: str
    ends: float
    polled: float | None = None
    decision: str | None = None
    person: Person | None = None


@dataclass(slots=True)
class RefreshToken:
    """What a refresh token is worth.

    :param issued: Seconds since 1970.
    :param refusal: Why it is refused, one of ``entra_people.REASONS``.
    :param used: It was exchanged for a newer one.
    """

    app: str
    upn: str
    scope: str
    issued: float = field(default_factory=time.time)
    refusal: str | None = None
    used: bool = False


class Redeemed(NamedTuple):
    """For whom tokens are to be issued, and for what."""

    person: Person
    scope: str


class SignIns:
    """The device codes and refresh tokens that were given out."""

    def __init__(self) -> None:
        self._devices: dict[str, DeviceCode] = {}
        self._refresh_tokens: dict[str, RefreshToken] = {}

    def begin(self, app: App, scope: str, settings: Settings) -> tuple[str, DeviceCode]:
        """Give out a device code, and what goes with it."""
        user_code = "".join(secrets.choice(_LETTERS) for _ in range(9))
        device = DeviceCode(user_code, app, scope, time.time() + settings.device_code_lifetime)
        code = secrets.token_urlsafe(120)
        self._devices[code] = device
        return code, device

    def waiting(self) -> list[Json]:
        """Return the sign-ins that wait for a person, without what the device holds."""
        now = time.time()
        return [
            {"user_code": each.user_code, "client_id": each.app.client_id, "scope": each.scope}
            for each in self._devices.values()
            if each.decision is None and each.ends > now
        ]

    def decide(self, user_code: str, decision: str, person: Person | None) -> None:
        """Decide about a sign-in that waits: ``approve`` it as somebody, ``decline`` it, or let it ``expire``.

        :raises ValueError: if there is none, nobody to approve it, or no consent to what the device asks for.
        """
        now = time.time()
        named = (each for each in self._devices.values() if each.user_code == user_code.strip().upper())
        device = next((each for each in named if each.decision is None and each.ends > now), None)
        if device is None:
            raise ValueError(f"no sign-in waits under the code {user_code!r}")
        if decision not in ("approve", "decline", "expire"):
            raise ValueError(f"decision must be approve, decline or expire, not {decision!r}")
        if decision == "expire":
            device.ends = 0.0
            return
        if decision == "approve":
            if person is None:
                raise ValueError("there is no such person to sign in as")
            try:
                Asked.read(device.scope).check(device.app)
            except EntraError as error:
                raise ValueError(error.message) from error
        device.decision, device.person = decision, person

    def redeem_device(self, code: str, app: App, settings: Settings) -> Redeemed:
        """Return who approved a device's sign-in, once.

        :raises EntraError: if nobody has, or nobody can any more.
        """
        device = self._devices.get(code)
        if device is None or device.app.client_id != app.client_id:
            raise people_errors.unknown_device_code()
        if device.decision == "decline":
            raise people_errors.declined()
        if device.person is not None:
            del self._devices[code]
            return Redeemed(device.person, device.scope)
        if device.ends <= time.time():
            raise people_errors.device_code_expired()
        last, device.polled = device.polled, time.monotonic()
        paced = settings.guesses.device_code_pace == "slow_down"
        if paced and last is not None and device.polled - last < settings.device_code_interval:
            raise people_errors.too_fast()
        raise people_errors.pending()

    def issue_refresh_token(self, app: App, upn: str, scope: str) -> str:
        """Return a new refresh token, as long as real ones, and with a beginning by which a leak is found."""
        token = f"sandbox-refresh-{secrets.token_urlsafe(600)}"
        self._refresh_tokens[token] = RefreshToken(app.client_id, upn, scope)
        return token

    def redeem_refresh_token(self, token: str, app: App, asked: str, world: World) -> Redeemed:
        """Return for whom a refresh token speaks.

        :param asked: The scope of this request; what the token was issued for, if blank.
        :raises EntraError: if it is not good, or not any more.
        """
        found, settings = self._refresh_tokens.get(token), world.settings
        if found is None:
            raise people_errors.garbled_refresh_token()
        if found.app != app.client_id or (found.used and settings.used_refresh_tokens == "invalid"):
            raise people_errors.invalid_refresh_token()
        scope = asked or found.scope
        if found.refusal:
            raise people_errors.refused(found.refusal, app.client_id, Asked.read(scope).resource, found.issued)
        if time.time() - found.issued > settings.refresh_token_lifetime:
            raise people_errors.inactive(found.issued, datetime.timedelta(seconds=settings.refresh_token_lifetime))
        somebody = person(world, found.upn)
        if somebody is None:
            raise people_errors.unknown_person("Contoso")
        return Redeemed(somebody, scope)

    def use(self, token: str) -> None:
        """Note that a refresh token was exchanged for a newer one."""
        self._refresh_tokens[token].used = True

    def refuse(self, reason: str, upn: str | None) -> int:
        """Let the refresh tokens that were issued so far be refused, all of them or a person's; return how many.

        :raises ValueError: if there is no such reason.
        """
        if reason not in people_errors.REASONS:
            raise ValueError(f"reason must be one of {', '.join(people_errors.REASONS)}, not {reason!r}")
        concerned = [each for each in self._refresh_tokens.values() if upn is None or each.upn.lower() == upn.lower()]
        for each in concerned:
            each.refusal = reason
        return len(concerned)
