"""Every error of the sign-in service that the sandbox knows, in Entra's format and with its documented numbers.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code; the errors and suberrors of refresh tokens as
observed.
"""

from __future__ import annotations

import datetime
import time
import uuid

from starlette.responses import JSONResponse

#: Why a refresh token can be refused on demand.
REASONS = ("revoked", "inactive", "mfa", "consent")
#: The last second of the year 9999, because an assertion may claim any number.
_END_OF_TIME = 253_402_300_799
_FEDERATION_HELP = (
    "Check your federated identity credential Subject, Audience and Issuer against the presented assertion. "
    "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)


class EntraError(Exception):
    """An error response of the token endpoint.

    :param number: Number of the AADSTS code.
    :param suberror: Tells a client what to ask the person for.
    """

    def __init__(self, status: int, error: str, number: int, message: str, suberror: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number
        self.message = message
        self.suberror = suberror

    def response(self) -> JSONResponse:
        """Return the error as Entra words it, with ids for support."""
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
    """Refuse a form without a required field."""
    message = f"The request body must contain the following parameter: '{name}'."
    return EntraError(400, "invalid_request", 900144, message)


def unknown_tenant(name: str) -> EntraError:
    """Refuse the name of another tenant."""
    message = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud."
    )
    return EntraError(400, "invalid_request", 90002, message)


def unknown_app(client_id: str) -> EntraError:
    """Refuse an application that is not registered."""
    message = f"Application with identifier '{client_id}' was not found in the directory 'Contoso'."
    return EntraError(400, "unauthorized_client", 700016, message)


def unsupported_grant() -> EntraError:
    """Refuse an unknown grant."""
    return EntraError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")


def no_app_scope(scope: str) -> EntraError:
    """Refuse single permissions for an application, which can only have all of its permissions."""
    message = (
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier."
    )
    return EntraError(400, "invalid_scope", 1002012, message)


def two_resources() -> EntraError:
    """Refuse scopes of two services, because a token is for one."""
    message = (
        "The provided value for the input parameter 'scope' isn't valid because it contains more than one resource."
    )
    return EntraError(400, "invalid_scope", 700022, message)


def wrong_secret(client_id: str) -> EntraError:
    """Refuse a wrong secret."""
    message = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
        f"value, not the client secret ID, for a secret added to app '{client_id}'."
    )
    return EntraError(401, "invalid_client", 7000215, message)


def no_credential(grant: str) -> EntraError:
    """Refuse a confidential application without a credential; the message depends on the grant."""
    if grant == "client_credentials":
        message = (
            "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."
        )
        return EntraError(401, "invalid_client", 7000216, message)
    message = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
    return EntraError(401, "invalid_client", 7000218, message)


def public_with_credential() -> EntraError:
    """Refuse a public application with a credential."""
    message = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."
    return EntraError(401, "invalid_client", 700025, message)


def no_jwt() -> EntraError:
    """Refuse an assertion that is not a JWT."""
    return EntraError(401, "invalid_client", 50027, "JWT token is invalid or malformed.")


def wrong_signature(reason: str, thumbprint: str, client_id: str) -> EntraError:
    """Refuse an assertion whose certificate or signature is not the application's.

    :param thumbprint: Thumbprint of the certificate that the client names, in hexadecimal.
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
    """Refuse an assertion for another sign-in service."""
    return EntraError(401, "invalid_client", 700023, "Client assertion audience claim does not match Realm issuer.")


def out_of_time(now: float, begins: float, ends: float) -> EntraError:
    """Refuse an assertion before or after its validity (all in seconds since 1970)."""
    message = (
        f"Client assertion is not within its valid time range. Current time: {_time(int(now))}, assertion valid from "
        f"{_time(begins)}, expiry time of assertion {_time(ends)}."
    )
    return EntraError(401, "invalid_client", 700024, message)


def unknown_issuer(issuer: str) -> EntraError:
    """Refuse a token of an issuer that the application does not trust."""
    message = f"No matching federated identity record found for presented assertion issuer '{issuer}'. "
    return EntraError(401, "invalid_client", 700211, message + _FEDERATION_HELP)


def unknown_subject(subject: str) -> EntraError:
    """Refuse a token of a trusted issuer for another subject."""
    message = f"No matching federated identity record found for presented assertion subject '{subject}'. "
    return EntraError(401, "invalid_client", 700213, message + _FEDERATION_HELP)


def unknown_federation(issuer: str, subject: str, audience: str) -> EntraError:
    """Refuse a token for another audience."""
    message = (
        "No matching federated identity record found for presented assertion. Assertion Issuer: "
        f"'{issuer}'. Assertion Subject: '{subject}'. Assertion Audience: '{audience}'. "
        "https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
    )
    return EntraError(401, "invalid_client", 70021, message)


def forged_federation(issuer: str) -> EntraError:
    """Refuse a token whose issuer did not sign it."""
    message = f"Invalid JWT token. External ID token from issuer '{issuer}' failed signature verification."
    return EntraError(401, "invalid_client", 50027, message)


def pending() -> EntraError:
    """Tell a device that the person has not decided yet."""
    message = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    return EntraError(400, "authorization_pending", 70016, message)


def too_fast() -> EntraError:
    """Tell a device to poll less often, as in RFC 8628; Entra documents neither this error nor a number for it."""
    message = "OAuth 2.0 device flow error. Authorization is pending, and the device polls too often. Slow down."
    return EntraError(400, "slow_down", 70016, message)


def declined() -> EntraError:
    """Tell a device that the person declined. The error is documented, its number is not."""
    return EntraError(400, "authorization_declined", 65004, "User declined to consent to access the app.")


def device_code_expired() -> EntraError:
    """Tell a device that its code expired."""
    message = "The provided value for the input parameter 'device_code' is not valid. This device code has expired."
    return EntraError(400, "expired_token", 70020, message)


def unknown_device_code() -> EntraError:
    """Refuse a device code that was never issued, was issued to another client, or has been used."""
    message = "The provided value for the input parameter 'device_code' is not valid."
    return EntraError(400, "bad_verification_code", 70018, message)


def garbled_refresh_token() -> EntraError:
    """Refuse a value that is not a refresh token of this tenant."""
    return EntraError(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")


def invalid_refresh_token() -> EntraError:
    """Refuse a refresh token of another client, or a used one where each can be used once."""
    message = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."
    return EntraError(400, "invalid_grant", 70000, message)


def unknown_person(tenant: str) -> EntraError:
    """Refuse a person who does not exist any more."""
    message = f"The user account does not exist in the {tenant} directory. To sign into this application, the account "
    return EntraError(400, "invalid_grant", 50034, message + "must be added to the directory.")


def no_consent(client_id: str) -> EntraError:
    """Refuse a permission without consent."""
    message = (
        f"The user or administrator has not consented to use the application with ID '{client_id}' named "
        f"'{client_id}'. Send an interactive authorization request for this user and resource."
    )
    return EntraError(400, "invalid_grant", 65001, message, "consent_required")


def refused(reason: str, client_id: str, resource: str, issued: float) -> EntraError:
    """Refuse a valid refresh token for one of the ``REASONS``.

    :param issued: Time of issue in seconds since 1970.
    """
    if reason == "consent":
        return no_consent(client_id)
    if reason == "mfa":
        message = (
            "Due to a configuration change made by your administrator, or because you moved to a new location, you "
            f"must use multi-factor authentication to access '{resource}'."
        )
        return EntraError(400, "invalid_grant", 50076, message, "basic_action")
    if reason == "inactive":
        return inactive(issued, datetime.timedelta(days=90))
    message = (
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have "
        f"changed or reset their password. The grant was issued on '{_time(issued)}' and the TokensValidFrom date "
        f"(before which tokens are not valid) for this user is '{_time(time.time())}'."
    )
    return EntraError(400, "invalid_grant", 50173, message)


def inactive(issued: float, lifetime: datetime.timedelta) -> EntraError:
    """Refuse a refresh token that was unused for too long.

    :param issued: Time of issue in seconds since 1970.
    """
    hours, rest = divmod(lifetime.seconds, 3600)
    span = f"{lifetime.days}.{hours:02}:{rest // 60:02}:{rest % 60:02}"
    message = (
        f"The refresh token has expired due to inactivity. The token was issued on {_time(issued)} and was inactive "
        f"for {span}."
    )
    return EntraError(400, "invalid_grant", 700082, message)


def _time(seconds: float) -> str:
    seconds = min(max(seconds, 0), _END_OF_TIME)
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
