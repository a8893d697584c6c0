"""Client assertions: a token instead of a secret, signed by the application itself or by an issuer that it trusts.

Source: RFC 7523, https://learn.microsoft.com/entra/identity-platform/certificate-credentials and
https://learn.microsoft.com/entra/workload-id/workload-identity-federation
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, cast

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from airflow_graph_cancel.sandbox.entra.app_registrations import Certificate, Federation
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError, invalid_client, timestamp

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.app_registrations import App
    from airflow_graph_cancel.sandbox.tenant.entities import Json

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Accepted clock skew in seconds.
_SKEW = 300
_ALGORITHMS = ["RS256", "PS256"]
_NO_FEDERATION = "No matching federated identity record found for presented assertion"
_FEDERATION_PAGE = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
_FEDERATION_HELP = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    f"{_FEDERATION_PAGE}"
)


def read_certificate(text: str) -> Certificate:
    """Read a certificate in PEM.

    :raises ValueError: if it is not a certificate with an RSA key.
    """
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
    except ValueError as error:
        raise ValueError(f"a certificate must be in PEM: {error}") from error
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise ValueError("a certificate must have an RSA key")
    sha1, sha256 = certificate.fingerprint(hashes.SHA1()), certificate.fingerprint(hashes.SHA256())
    return Certificate(
        key,
        frozenset(base64.urlsafe_b64encode(each).decode().rstrip("=") for each in (sha1, sha256)),
        sha1.hex().upper(),
        certificate.not_valid_before_utc.timestamp(),
        certificate.not_valid_after_utc.timestamp(),
    )


def read_federation(value: object) -> Federation:
    """Read a federated credential: ``{"issuer", "subject", "audience", "key"}``.

    :raises ValueError: naming what is missing or invalid.
    """
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("a federation must be an object with issuer and subject")
    try:
        federation = Federation(**value)
        if federation.key:
            load_pem_public_key(federation.key.encode())
    except TypeError as error:
        raise ValueError(f"invalid federation: {error}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"a federation's key must be a public key in PEM: {error}") from error
    return federation


def check(assertion: str, app: App, audiences: Collection[str]) -> str:
    """Accept an assertion; return its kind: ``certificate`` or ``federated``.

    While no certificate is registered for an application, any assertion in its own name is accepted.

    :param audiences: Accepted values of ``aud``.
    :raises EntraError: if it is not accepted.
    """
    try:
        header = jwt.get_unverified_header(assertion)
        claims = cast("Json", jwt.decode(assertion, options={"verify_signature": False}))
    except jwt.PyJWTError as error:
        raise _no_jwt() from error
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
    own = issuer == subject or bool({"x5t", "x5t#S256"} & header.keys())
    if not own:
        _check_federation(assertion, app, claims, issuer, subject)
        return "federated"
    if issuer != app.client_id or subject != app.client_id:
        message = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise invalid_client(700021, message)
    if app.certificates:
        _check_certificate(assertion, app, header)
        if not set(_audiences(claims)) & set(audiences):
            raise invalid_client(700023, "Client assertion audience claim does not match Realm issuer.")
        _check_time(claims)
    return "certificate"


def _check_certificate(assertion: str, app: App, header: Json) -> None:
    named = {str(header[name]).rstrip("=") for name in ("x5t", "x5t#S256") if name in header}
    shown = next((_hexadecimal(each) for each in sorted(named, key=len)), "")

    def wrong(reason: str) -> EntraError:
        return invalid_client(
            700027,
            f"Client assertion failed signature validation. [Reason - {reason}, Thumbprint of key used by client: "
            f"'{shown}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured "
            f"keys for app Id '{app.client_id}'.]",
        )

    certificate = next((each for each in app.certificates if named & each.thumbprints), None)
    if certificate is None:
        raise wrong("The key was not found.")
    if not certificate.not_before <= time.time() <= certificate.not_after:
        raise wrong("The key used is expired.")
    try:
        # The signature alone; time and audience are checked afterwards, with Entra's own messages.
        jwt.PyJWS().decode(assertion, certificate.key, algorithms=_ALGORITHMS)
    except jwt.PyJWTError as error:
        raise wrong("The provided signature value did not match the expected signature value.") from error


def _check_federation(assertion: str, app: App, claims: Json, issuer: str, subject: str) -> None:
    trusted = [each for each in app.federations if each.issuer == issuer]
    if not trusted:
        raise invalid_client(700211, f"{_NO_FEDERATION} issuer '{issuer}'. {_FEDERATION_HELP}")
    trusted = [each for each in trusted if each.subject == subject]
    if not trusted:
        raise invalid_client(700213, f"{_NO_FEDERATION} subject '{subject}'. {_FEDERATION_HELP}")
    audiences = _audiences(claims)
    federation = next((each for each in trusted if each.audience in audiences), None)
    if federation is None:
        raise invalid_client(
            70021,
            f"{_NO_FEDERATION}. Assertion Issuer: '{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: "
            f"'{' '.join(audiences)}'. {_FEDERATION_PAGE}",
        )
    if federation.key:
        try:
            jwt.PyJWS().decode(assertion, federation.key, algorithms=_ALGORITHMS)
        except jwt.PyJWTError as error:
            message = f"Invalid JWT token. External ID token from issuer '{issuer}' failed signature verification."
            raise invalid_client(50027, message) from error
    _check_time(claims)


def _check_time(claims: Json) -> None:
    now = time.time()
    begins, ends = (claims.get(name, 0) for name in ("nbf", "exp"))
    if not isinstance(begins, int | float) or not isinstance(ends, int | float):
        raise _no_jwt()
    if begins > now + _SKEW or ends < now - _SKEW:
        raise invalid_client(
            700024,
            f"Client assertion is not within its valid time range. Current time: {timestamp(int(now))}, assertion "
            f"valid from {timestamp(begins)}, expiry time of assertion {timestamp(ends)}.",
        )


def _no_jwt() -> EntraError:
    return invalid_client(50027, "JWT token is invalid or malformed.")


def _audiences(claims: Json) -> list[str]:
    found = claims.get("aud")
    return [str(each) for each in found] if isinstance(found, list) else [str(found or "")]


def _hexadecimal(thumbprint: str) -> str:
    try:
        return base64.urlsafe_b64decode(thumbprint + "=" * (-len(thumbprint) % 4)).hex().upper()
    except (ValueError, binascii.Error):
        return thumbprint
