"""Errors of the sign-in service in Entra's format. Their numbers and words are those that are documented.

Source: https://learn.microsoft.com/entra/identity-platform/reference-error-codes and
https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code; the errors and suberrors of refresh tokens as
observed.
"""

from __future__ import annotations

import datetime
import uuid
from functools import partial

from starlette.responses import JSONResponse

#: The last second of the year 9999, because an assertion may claim any number.
_END_OF_TIME = 253_402_300_799


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


invalid_request = partial(EntraError, 400, "invalid_request")
invalid_scope = partial(EntraError, 400, "invalid_scope")
invalid_client = partial(EntraError, 401, "invalid_client")
invalid_grant = partial(EntraError, 400, "invalid_grant")


def missing(name: str) -> EntraError:
    """Refuse a form without a required field."""
    return invalid_request(900144, f"The request body must contain the following parameter: '{name}'.")


def timestamp(seconds: float) -> str:
    """Return a time (seconds since 1970) as Entra's messages write it."""
    seconds = min(max(seconds, 0), _END_OF_TIME)
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f0Z")
