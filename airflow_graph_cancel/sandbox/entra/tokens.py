"""Access tokens, issued and checked, and the ID tokens of people who signed in."""

from __future__ import annotations

import base64
import functools
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from airflow_graph_cancel.sandbox.entra.app_registrations import TENANT_ID
from airflow_graph_cancel.sandbox.traffic.messages import Caller, GraphError

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.tenant.entities import Json

# Entra's scopes carry no port, so a client may ask for this host without one.
_HOSTS = (
    "localhost",
    "127.0.0.1",
    "::1",
    "graph.microsoft.com",
    "graph.microsoft.us",
    "dod-graph.microsoft.us",
    "microsoftgraph.chinacloudapi.cn",
)
_KEY_ID = "sandbox"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signs in.

    :param oid: Id of their directory object.
    :param upn: Their address.
    """

    oid: str
    upn: str
    name: str


@dataclass(frozen=True, slots=True)
class _Known:
    caller: Caller
    expires: float
    generation: int


class AccessTokens:
    """Issues and checks access tokens; each signature is verified once and then remembered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._generation = 0
        self._known: dict[str, _Known] = {}

    def issue_to_app(self, app: App, audience: str, lifetime: int) -> str:
        """Return a token for an application.

        :param audience: The resource, without ``/.default``.
        :param lifetime: Seconds.
        """
        claims: dict[str, object] = {"oid": app.object_id, "sub": app.object_id, "idtyp": "app"}
        if app.roles:
            claims["roles"] = list(app.roles)
        if app.identity:
            claims["xms_mirid"] = app.resource_id
        return self._issue(app, audience, lifetime, claims)

    def issue_for(self, person: Person, app: App, audience: str, lifetime: int) -> str:
        """Return a token for an application on behalf of a person: scopes instead of roles."""
        claims = {
            "oid": person.oid,
            "sub": person.oid,
            "upn": person.upn,
            "name": person.name,
            "scp": " ".join(app.scopes),
            "idtyp": "user",
        }
        return self._issue(app, audience, lifetime, claims)

    def _issue(self, app: App, audience: str, lifetime: int, claims: Mapping[str, object]) -> str:
        now = time.time()
        common = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{TENANT_ID}/",
            "iat": int(now),
            "nbf": int(now),
            "exp": now + lifetime,
            "appid": app.client_id,
            "tid": TENANT_ID,
            "uti": secrets.token_urlsafe(16),
            "generation": self._generation,
        }
        return jwt.encode({**common, **claims}, self._key, algorithm="HS256")

    def expire_all(self) -> None:
        """Make Graph treat every token issued so far as expired, although its ``exp`` is not reached."""
        self._generation += 1

    def caller(self, authorization: str | None, port: int) -> Caller:
        """Return the identity behind an ``Authorization`` header.

        :param port: The sandbox's own port, because a token may be for it rather than for one of Microsoft's hosts.
        :raises GraphError: 401, with what is wrong with the token.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthorized("Access token is empty.")
        known = self._known.get(token) or self._verify(token, port)
        if known.generation < self._generation or known.expires <= time.time():
            raise _unauthorized("Access token has expired or is not yet valid.")
        if not known.caller.permissions:
            message = "The token contains no permissions, or permissions can not be understood."
            raise GraphError(401, "NoPermissionsInAccessToken", message)
        return known.caller

    def _verify(self, token: str, port: int) -> _Known:
        try:
            claims = jwt.decode(
                token, self._key, algorithms=["HS256"], options={"verify_exp": False, "verify_aud": False}
            )
        except jwt.PyJWTError as error:
            raise _unauthorized("CompactToken parsing failed with error code: 80049217") from error
        audience = urlsplit(claims["aud"])
        if audience.hostname not in _HOSTS and audience.port != port:
            raise _unauthorized("Access token validation failure. Invalid audience.")
        permissions: Sequence[str] = claims["scp"].split() if "scp" in claims else claims.get("roles", ())
        caller = Caller(claims["appid"], frozenset(permissions), claims.get("upn"))
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[token] = known = _Known(caller, claims["exp"], claims["generation"])
        return known


class IdTokens:
    """Issues ID tokens, signed with a key that anybody can look up, as in OpenID Connect.

    :param issuer: The name of the sign-in service.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    @functools.cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        # Created at the first sign-in, because it takes longer than the rest of the start.
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def issue(self, client_id: str, person: Person, lifetime: int) -> str:
        """Return an ID token for a client.

        :param lifetime: Seconds.
        """
        now = int(time.time())
        claims = {
            "aud": client_id,
            "iss": self._issuer,
            "iat": now,
            "nbf": now,
            "exp": now + lifetime,
            "sub": person.oid,
            "oid": person.oid,
            "tid": TENANT_ID,
            "name": person.name,
            "preferred_username": person.upn,
            "ver": "2.0",
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": _KEY_ID})

    def keys(self) -> Json:
        """Return the public key as a JSON Web Key Set."""
        key = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return {"keys": [{**key, "kid": _KEY_ID, "use": "sig", "issuer": self._issuer}]}


def client_info(person: Person) -> str:
    """Return the ids of person and tenant; MSAL asks for them to tell accounts apart."""
    text = json.dumps({"uid": person.oid, "utid": TENANT_ID})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unauthorized(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message)
