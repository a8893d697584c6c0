"""The refusals of the login that concern a person: device codes, refresh tokens and consent.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code and
https://learn.microsoft.com/entra/identity-platform/reference-error-codes; the errors and suberrors of refresh tokens
as they were seen.
"""

from __future__ import annotations

import datetime
import time

from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError

#: Why a refresh token can be made to be refused.
REASONS = ("revoked", "inactive", "mfa", "consent")


def pending() -> EntraError:
    """Tell a device that the person has not decided yet."""
    message = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
    return EntraError(400, "authorization_pending", 70016, message)


def too_fast() -> EntraError:
    """Tell a device to wait longer, as RFC 8628 has it; Entra documents neither the error nor a number for it."""
    message = "OAuth 2.0 device flow error. Authorization is pending, and the device polls too often. Slow down."
    return EntraError(400, "slow_down", 70016, message)


def declined() -> EntraError:
    """Tell a device that the person said no. Documented is the error, not its number."""
    return EntraError(400, "authorization_declined", 65004, "User declined to consent to access the app.")


def device_code_expired() -> EntraError:
    """Tell a device that it took too long."""
    message = "The provided value for the input parameter 'device_code' is not valid. This device code has expired."
    return EntraError(400, "expired_token", 70020, message)


def unknown_device_code() -> EntraError:
    """Refuse a device code that was never given out, was given to another client, or has been used."""
    message = "The provided value for the input parameter 'device_code' is not valid."
    return EntraError(400, "bad_verification_code", 70018, message)


def garbled_refresh_token() -> EntraError:
    """Refuse what is no refresh token of this tenant."""
    return EntraError(400, "invalid_grant", 9002313, "Invalid request. Request is malformed or invalid.")


def invalid_refresh_token() -> EntraError:
    """Refuse a refresh token of another client, or one that was used when they serve once."""
    message = "The provided value for the input parameter 'refresh_token' or 'assertion' is not valid."
    return EntraError(400, "invalid_grant", 70000, message)


def unknown_person(tenant: str) -> EntraError:
    """Refuse to speak for somebody who is gone."""
    message = f"The user account does not exist in the {tenant} directory. To sign into this application, the account "
    return EntraError(400, "invalid_grant", 50034, message + "must be added to the directory.")


def no_consent(client_id: str) -> EntraError:
    """Refuse a permission that nobody consented to."""
    message = (
        f"The user or administrator has not consented to use the application with ID '{client_id}' named "
        f"'{client_id}'. Send an interactive authorization request for this user and resource."
    )
    return EntraError(400, "invalid_grant", 65001, message, "consent_required")


def refused(reason: str, client_id: str, resource: str, issued: float) -> EntraError:
    """Refuse a refresh token that was good.

    :param reason: One of ``REASONS``.
    :param issued: When it was issued, in seconds since 1970.
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
    """Refuse a refresh token that nobody used for too long.

    :param issued: When it was issued, in seconds since 1970.
    """
    hours, rest = divmod(lifetime.seconds, 3600)
    span = f"{lifetime.days}.{hours:02}:{rest // 60:02}:{rest % 60:02}"
    message = (
        f"The refresh token has expired due to inactivity. The token was issued on {_time(issued)} and was inactive "
        f"for {span}."
    )
    return EntraError(400, "invalid_grant", 700082, message)


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
