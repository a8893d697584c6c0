"""A certificate that can sign in: looked at before any request, for the login's own refusal explains little."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from airflow_graph_cancel.hooks.connection.credential_kind import SignIn
    from airflow_graph_cancel.hooks.connection.fields import Fields

__all__ = ["as_pem", "check_certificate"]

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----\s*", re.DOTALL)


def as_pem(text: str | None) -> str | None:
    """Return PEM text with its line ends, which forms, environment variables and secret stores like to lose."""
    if text is None or "\n" in text:
        return text
    body = text.replace("\\n", "\n")
    return _BLOCK.sub(
        lambda block: f"-----BEGIN {block[1]}-----\n{_wrapped(block[2])}\n-----END {block[1]}-----\n", body
    )


def _wrapped(body: str) -> str:
    return "\n".join(wrap("".join(body.split()), 64))


def check_certificate(fields: Fields, sign_in: SignIn) -> None:
    """Refuse a certificate that is not there, cannot be read, has no key, or is not valid today.

    :param fields: for the labels in messages.
    :param sign_in: names the file or holds the text.
    :raises ConnectionSettingsError: naming the form's label; the message holds nothing of the certificate.
    """
    if sign_in.certificate_path and sign_in.private_key:
        raise fields.wrong("private_key", f"is filled in, and so is {fields.label('certificate_path')}")
    if sign_in.certificate_path:
        name = "certificate_path"
        try:
            data = Path(sign_in.certificate_path).read_bytes()
        except OSError as error:
            raise fields.wrong(
                name, f"names {sign_in.certificate_path}, which cannot be read here ({type(error).__name__})"
            ) from None
    elif sign_in.private_key:
        name, data = "private_key", sign_in.private_key.encode()
    else:
        raise fields.wrong("certificate_path", f"is missing, and so is {fields.label('private_key')}")
    try:
        certificate = _certificate(data, (sign_in.certificate_password or "").encode() or None)
    except (ValueError, TypeError) as error:
        raise fields.wrong(
            name,
            "must hold an RSA key and its certificate, as PEM or PKCS12, with its password, if there is one, as "
            f"{fields.label('certificate_password')} ({type(error).__name__})",
        ) from None
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc <= now:
        raise fields.wrong(name, f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if certificate.not_valid_before_utc > now:
        raise fields.wrong(name, f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")


def _certificate(data: bytes, password: bytes | None) -> Certificate:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, pkcs12
    from cryptography.x509 import load_pem_x509_certificate

    if data.lstrip().startswith(b"-----BEGIN"):
        key: object = load_pem_private_key(data, password)
        certificate: Certificate | None = load_pem_x509_certificate(data)
    else:
        key, certificate, _ = pkcs12.load_key_and_certificates(data, password)
    if not isinstance(key, RSAPrivateKey) or certificate is None:
        raise ValueError("no RSA key or no certificate")
    return certificate
