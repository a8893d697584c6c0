"""Access tokens: who may have one, and what a token that comes back is worth."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import jwt

from airflow_graph_cancel.sandbox import refusals
from airflow_graph_cancel.sandbox.exchange import Caller

TENANT_ID = "5a9dbf1c-3f0e-4c55-9d0b-6f1d5c7a2e10"
SECRET = "sandbox-secret"
PERSON_APP = "sandbox-person"
SCOPED_APP = "sandbox-scoped"
_FULL = ("Calendars.ReadWrite", "Place.Read.All")
#: What each application was granted; the person's are delegated scopes.
APPS: dict[str, tuple[str, ...]] = {
    "sandbox-app": _FULL,
    "sandbox-reader": ("Calendars.Read",),
    "sandbox-roleless": (),
    SCOPED_APP: _FULL,
    PERSON_APP: ("Calendars.ReadWrite", "Group.ReadWrite.All", "Place.Read.All", "User.Read"),
}
# Entra's scopes carry no port, so that a client may ask for this host without one.
_HOSTS = (
    "localhost",
    "127.0.0.1",
    "::1",
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
)


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    expires: float
    generation: int


class Tokens:
    """Issues signed tokens and checks them; a signature is verified once and then remembered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._generation = 0
        self._known: dict[str, _Known] = {}

    def issue(self, app: str, audience: str, lifetime: int, upn: str | None) -> str:
        """Return a token for an application.

        :param audience: The resource that it is for, without ``/.default``.
        :param lifetime: Seconds.
        :param upn: The person it speaks for, if it is a delegated one.
        """
        now = time.time()
        claims: dict[str, object] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT_ID}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": now + lifetime,
            "appid": app,
            "tid": TENANT_ID,
            "uti": secrets.token_urlsafe(16),
            "generation": self._generation,
        }
        if upn:
            claims |= {"scp": " ".join(APPS[app]), "upn": upn, "idtyp": "user"}
        else:
            claims |= {"roles": list(APPS[app]), "idtyp": "app"} if APPS[app] else {"idtyp": "app"}
        return jwt.encode(claims, self._key, algorithm="HS256")

    def expire_all(self) -> None:
        """Let every token issued so far be expired in the eyes of Graph, though its ``exp`` is not reached."""
        self._generation += 1

    def caller(self, authorization: str | None, port: int) -> Caller:
        """Return whom an ``Authorization`` header speaks for.

        :param port: The sandbox's own, since a token may be meant for it rather than for one of Microsoft's hosts.
        :raises GraphError: 401, worded by what is wrong with the token.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise refusals.no_token()
        known = self._known.get(token) or self._verify(token, port)
        if known.generation < self._generation or known.expires <= time.time():
            raise refusals.expired_token()
        if not known.caller.permissions:
            raise refusals.no_permissions()
        return known.caller

    def _verify(self, token: str, port: int) -> _Known:
        try:
            claims = jwt.decode(
                token, self._key, algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False}
            )
        except jwt.PyJWTError as error:
            raise refusals.garbled_token() from error
        audience = urlsplit(claims["aud"])
        if audience.hostname not in _HOSTS and audience.port != port:
            raise refusals.wrong_audience()
        permissions = claims["scp"].split() if "scp" in claims else claims.get("roles", ())
        caller = Caller(claims["appid"], frozenset(permissions), claims.get("upn"))
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[token] = known = _Known(caller, claims["exp"], claims["generation"])
        return known
