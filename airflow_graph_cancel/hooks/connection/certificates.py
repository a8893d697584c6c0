"""Check a certificate before any request, because the login server's own refusal explains little."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from airflow_graph_cancel.hooks.connection.fields import Fields

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----\s*", re.DOTALL)


def as_pem(text: str | None) -> str | None:
    """Return PEM text with its line breaks, which forms, environment variables and secret stores often lose."""
    if text is None or "\n" in text:
        return text
    body = text.replace("\\n", "\n")
    return _BLOCK.sub(
        lambda block: f"-----BEGIN {block[1]}-----\n{_wrapped(block[2])}\n-----END {block[1]}-----\n", body
    )


def _wrapped(body: str) -> str:
    return "\n".join(wrap("".join(body.split()), 64))


def check_certificate(fields: Fields, *, path: str | None, text: str | None, password: str | None) -> None:
    """Reject a certificate that is missing, unreadable, has no key, or is not valid today.

    :param fields: for the labels in messages.
    :param path: PEM or PKCS12 file.
    :param text: the same as PEM text; exactly one of the two must be given.
    :param password: of the private key.
    :raises ConnectionSettingsError: naming the form's label; the message quotes nothing of the certificate.
    """
    if path and text:
        raise fields.error("private_key", f"is filled in, and so is {fields.label('certificate_path')}: clear one")
    if path:
        name = "certificate_path"
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise fields.error(name, f"names {path}, which cannot be read here ({type(error).__name__})") from None
    elif text:
        name, data = "private_key", text.encode()
    else:
        raise fields.error("certificate_path", f"is missing, and so is {fields.label('private_key')}: fill in one")
    try:
        certificate = _certificate(data, (password or "").encode() or None)
    except (ValueError, TypeError) as error:
        raise fields.error(
            name,
            "must hold an RSA key and its certificate as PEM or PKCS12; a password, if there is one, goes into "
            f"{fields.label('certificate_password')} ({type(error).__name__})",
        ) from None
    now = datetime.now(UTC)
    if certificate.not_valid_after_utc <= now:
        raise fields.error(name, f"expired on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if certificate.not_valid_before_utc > now:
        raise fields.error(name, f"is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}")


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
