"""ID tokens and client information: what a client learns about the person who signed in."""

from __future__ import annotations

import base64
import functools
import json
import time
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from airflow_graph_cancel.sandbox.entra.app_registrations import TENANT_ID

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.people import Person
    from airflow_graph_cancel.sandbox.tenant.entities import Json

_KEY_ID = "sandbox"


class IdTokens:
    """Signs ID tokens with a key that anybody can look up, as OpenID Connect has it.

    :param issuer: The login's own name.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    @functools.cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        # Made when the first person signs in: it takes longer than all else at the start.
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
    """Return the ids of person and tenant, as MSAL asks for them to tell accounts apart."""
    text = json.dumps({"uid": person.oid, "utid": TENANT_ID})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
