"""Keys, certificates and assertions of clients that sign in, and azure-identity's options for the sandbox."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

from tests.support.contoso import ADA

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
    from msal import ClientApplication

    from airflow_graph_cancel.sandbox.client import Sandbox
    from tests.support.graph_client import GraphClient, Office, Reply

GRAPH = "https://graph.microsoft.com"
CANCELS = [f"{GRAPH}/Calendars.ReadWrite"]
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NOW = datetime.now(UTC)


class Signer(NamedTuple):
    """A key and its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate without its key, as it is uploaded."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def whole(self) -> bytes:
        """Key and certificate, as the application has them."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + self.pem.encode()

    @property
    def public(self) -> str:
        """The public key."""
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def thumbprint(self) -> str:
        """SHA-1 in hexadecimal."""
        return self.certificate.fingerprint(hashes.SHA1()).hex()


def certificate(name: str, key: CertificateIssuerPrivateKeyTypes, ends: timedelta) -> x509.Certificate:
    """Create a certificate for a key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW - timedelta(days=9))
    return builder.not_valid_after(NOW + ends).sign(key, hashes.SHA256())


@cache
def signer(name: str, ends: timedelta = timedelta(days=1)) -> Signer:
    """Create a key and a certificate, once for each name."""
    key = rsa.generate_private_key(65537, 2048)
    return Signer(key, certificate(name, key, ends))


def options(sandbox: Sandbox, **more: Any) -> dict[str, Any]:
    """Return the options of every azure-identity credential for the sandbox."""
    return {
        "authority": sandbox.url,
        "tenant_id": sandbox.connection["extra"]["tenant_id"],
        "disable_instance_discovery": True,
        "connection_verify": str(sandbox.ca),
        **more,
    }


def fetch(credential: AsyncTokenCredential, scope: str = f"{GRAPH}/.default") -> str:
    """Get a token as an SDK does."""

    async def once() -> str:
        async with credential:
            return (await credential.get_token(scope)).token

    return asyncio.run(once())


def may_cancel(graph: GraphClient, office: Office, token: str) -> bool:
    """Tell whether Graph lets this token cancel a meeting of Ada's."""
    reply = graph.cancel(ADA, office.meet().id, app=None, Authorization=f"Bearer {token}")
    return bool(reply.status == 202)


def ask(graph: GraphClient, **form: str) -> Reply:
    """Send a token request with only these fields."""
    url = f"{graph.sandbox.url}/{graph.sandbox.connection['extra']['tenant_id']}/oauth2/v2.0/token"
    return graph.request("POST", url, form)


def refusal(reply: Reply) -> tuple[int, str, int]:
    """Return status, error and number of a refusal."""
    return reply.status, reply.body["error"], reply.body["error_codes"][0]


def assertion(graph: GraphClient, by: Signer, thumbprint: str | None = None, **changes: Any) -> str:
    """Return an application's assertion, with some claims changed."""
    tenant = graph.sandbox.connection["extra"]["tenant_id"]
    claims = {
        "iss": "sandbox-app",
        "sub": "sandbox-app",
        "aud": f"{graph.sandbox.url}/{tenant}/oauth2/v2.0/token",
        "exp": int(time.time()) + 600,
        "jti": "1",
        **changes,
    }
    fingerprint = bytes.fromhex(thumbprint or by.thumbprint())
    return jwt.encode(
        claims, by.key, algorithm="RS256", headers={"x5t": jwt.utils.base64url_encode(fingerprint).decode()}
    )


def with_assertion(graph: GraphClient, text: str, **form: str) -> Reply:
    """Send an application's request with an assertion."""
    return ask(
        graph,
        **{
            "grant_type": "client_credentials",
            "client_id": "sandbox-app",
            "scope": f"{GRAPH}/.default",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": text,
            **form,
        },
    )


def msal(sandbox: Sandbox, client_id: str = "sandbox-public", secret: str | None = None) -> ClientApplication:
    """Return MSAL's client, set up as documented for an authority that is not Microsoft's."""
    from msal import ConfidentialClientApplication, PublicClientApplication

    known: dict[str, Any] = {
        "authority": f"{sandbox.url}/{sandbox.connection['extra']['tenant_id']}",
        "instance_discovery": False,
        "verify": str(sandbox.ca),
    }
    if secret:
        return ConfidentialClientApplication(client_id, client_credential=secret, **known)
    return PublicClientApplication(client_id, **known)


def poll(app: ClientApplication, flow: dict[str, Any]) -> dict[str, Any]:
    """Poll once, without MSAL's wait; its warning about early polls is expected here."""
    flow.pop("latest_attempt_at", None)
    answer: dict[str, Any] = app.acquire_token_by_device_flow(flow, exit_condition=lambda _: True)
    return answer


def claims(token: str) -> dict[str, Any]:
    """Return a token's claims."""
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found
