"""Every refusal of the login that the sandbox knows, in Entra's envelope and with the numbers that it documents.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import datetime
import uuid

from starlette.responses import JSONResponse

#: The last second of the year 9999: an assertion may claim any number.
_END_OF_TIME = 253_402_300_799
_FEDERATION_HELP = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


class EntraError(Exception):
    """A refusal of the token endpoint.

    :param number: Of the AADSTS code.
    :param suberror: What else a client is told, so that it knows what to ask the person for.
    """

    def __init__(self, status: int, error: str, number: int, message: str, suberror: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number
        self.message = message
        self.suberror = suberror

    def response(self) -> JSONResponse:
        """Return the error as Entra words it, with ids to quote to support."""
        trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
        stamp = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M:%S}Z"
        description = (
            f"AADSTS{self.number}: {self.message} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        )
        body = {
            "error": self.error,
            "error_description": description,
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        if self.suberror:
            body["suberror"] = self.suberror
        return JSONResponse(body, self.status)


def missing(name: str) -> EntraError:
    """Refuse a form that lacks a field."""
    message = f"The request body must contain the following parameter: '{name}'."
    return EntraError(400, "invalid_request", 900144, message)


def unknown_tenant(name: str) -> EntraError:
    """Refuse a tenant that is another one."""
    message = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud."
    )
    return EntraError(400, "invalid_request", 90002, message)


def unknown_app(client_id: str) -> EntraError:
    """Refuse an application that nobody registered."""
    message = f"Application with identifier '{client_id}' was not found in the directory 'Contoso'."
    return EntraError(400, "unauthorized_client", 700016, message)


def unsupported_grant() -> EntraError:
    """Refuse a grant that there is not."""
    return EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")


def no_app_scope(scope: str) -> EntraError:
    """Refuse an application that asks for single permissions, which it can only have all of."""
    message = (
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier."
    )
    return EntraError(400, "invalid_scope", 1002012, message)


def two_resources() -> EntraError:
    """Refuse scopes of two services, since a token is for one."""
    message = (
        "The provided value for the input parameter 'scope' isn't valid because it contains more than one resource."
    )
    return EntraError(400, "invalid_scope", 700022, message)


def wrong_secret(client_id: str) -> EntraError:
    """Refuse a secret."""
    message = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
        f"value, not the client secret ID, for a secret added to app '{client_id}'."
    )
    return EntraError(401, "invalid_client", 7000215, message)


def no_credential(grant: str) -> EntraError:
    """Refuse a confidential application that proves nothing; the words depend on the grant."""
    if grant == "client_credentials":
        message = (
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
        )
        return EntraError(401, "invalid_client", 7000216, message)
    message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    return EntraError(401, "invalid_client", 7000218, message)


def public_with_credential() -> EntraError:
    """Refuse a secret of an application that can have none."""
    message = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    return EntraError(401, "invalid_client", 700025, message)


def no_jwt() -> EntraError:
    """Refuse an assertion that is no token at all."""
    return EntraError(401, "invalid_client", 50027, "JWT token is invalid or malformed.")


def wrong_signature(reason: str, thumbprint: str, client_id: str) -> EntraError:
    """Refuse an assertion whose certificate or signature is not the application's.

    :param thumbprint: Of the certificate that the client says it used, in hexadecimal.
    """
    message = (
        f"Client assertion failed signature validation. [Reason - {reason}, Thumbprint of key used by client: "
        f"'{thumbprint}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured "
        f"keys for app Id '{client_id}'.]"
    )
    return EntraError(401, "invalid_client", 700027, message)


def other_apps_assertion() -> EntraError:
    """Refuse an assertion that names another application."""
    message = "Client assertion application identifier doesn't match 'client_id' parameter."
    return EntraError(401, "invalid_client", 700021, message)


def wrong_audience() -> EntraError:
    """Refuse an assertion that was made for another login."""
    return EntraError(401, "invalid_client", 700023, "Client assertion audience claim does not match Realm issuer.")


def out_of_time(now: float, begins: float, ends: float) -> EntraError:
    """Refuse an assertion before or after its time.

    :param now: Seconds since 1970, as the others.
    """
    message = (
        f"Client assertion is not within its valid time range. Current time: {_time(now)}, assertion valid from "
        f"{_time(begins)}, expiry time of assertion {_time(ends)}."
    )
    return EntraError(401, "invalid_client", 700024, message)


def unknown_issuer(issuer: str) -> EntraError:
    """Refuse a token of an issuer that the application does not trust."""
    message = f"No matching federated identity record found for presented assertion issuer '{issuer}'. "
    return EntraError(401, "invalid_client", 700211, message + _FEDERATION_HELP)


def unknown_subject(subject: str) -> EntraError:
    """Refuse a token of a trusted issuer for somebody else."""
    message = f"No matching federated identity record found for presented assertion subject '{subject}'. "
    return EntraError(401, "invalid_client", 700213, message + _FEDERATION_HELP)


def unknown_federation(issuer: str, subject: str, audience: str) -> EntraError:
    """Refuse a token that is right but for its audience."""
    message = (
        "No matching federated identity record found for presented assertion. Assertion Issuer: "
        f"'{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'. "
        "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
    )
    return EntraError(401, "invalid_client", 70021, message)


def forged_federation(issuer: str) -> EntraError:
    """Refuse a token that its issuer did not sign."""
    message = f"Invalid JWT token. External ID token from issuer '{issuer}' failed signature verification."
    return EntraError(401, "invalid_client", 50027, message)


def _time(seconds: float) -> str:
    seconds = min(max(seconds, 0), _END_OF_TIME)
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
