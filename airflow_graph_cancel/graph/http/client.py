"""One request to Graph and one answer, without any repetition.

Kiota's own middleware repeats a POST on 503 and 504, when it may have been carried out already, and hides that it
did. So the client underneath has no middleware, and what comes back is the raw answer: repeating is decided in
:mod:`airflow_graph_cancel.graph.cancel.state_machine`, in one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import aiohttp
import httpx
from azure.core.exceptions import AzureError
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_http.middleware.options.response_handler_option import ResponseHandlerOption

from airflow_graph_cancel.graph.auth.credential import login_error
from airflow_graph_cancel.graph.errors import AccessDeniedError, GraphCancelError, ServiceUnavailableError
from airflow_graph_cancel.graph.http.batch import Part, batch_answers, batch_body
from airflow_graph_cancel.graph.http.requests import batch_request, cancel_request, get_request, look_request
from airflow_graph_cancel.graph.http.response import Meaning, Response

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation
    from kiota_http.httpx_request_adapter import HttpxRequestAdapter

    from airflow_graph_cancel.graph.auth.credential import RenewableCredential
    from airflow_graph_cancel.graph.model.address import EventAddress

__all__ = ["GraphClient", "ResponseLostError"]

_LONGEST_ANSWER = 90.0
"""Seconds, beyond the timeouts of connecting and of reading, which begin anew with every byte."""
_RAW = ResponseHandlerOption(NativeResponseHandler())
# A proxy that refuses the tunnel has passed nothing on.
_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


class ResponseLostError(ServiceUnavailableError):
    """The request may have reached Graph, and no usable answer came back."""


class GraphClient:
    """Send single requests through msgraph-sdk's builders and tell lost answers from requests never sent.

    :param adapter: kiota adapter with the root URL, the credential and a plain HTTP client.
    :param credential: the adapter's credential, renewed when Graph refuses a token.
    :param scopes: what a token is asked for.
    """

    def __init__(self, adapter: HttpxRequestAdapter, credential: RenewableCredential, scopes: tuple[str, ...]) -> None:
        self.adapter = adapter
        self.credential = credential
        self.scopes = scopes

    async def sign_in(self) -> str:
        """Return the access token, fetched from the login if there is none yet.

        :raises GraphCancelError: if the login fails.
        """
        try:
            return (await self.credential.get_token(*self.scopes)).token
        except AzureError as error:
            # Not chained: what azure-identity quotes may hold the request, and that the secret.
            raise login_error(error) from None
        except (TypeError, KeyError, ValueError):
            # azure-identity takes an answer that is no token apart without a look at it.
            raise AccessDeniedError("Sign-in failed: what the login answered is no token.") from None

    async def cancel(self, address: EventAddress, comment: str | None) -> Response:
        """POST the cancellation once; a refused token is the caller's to renew, who may have been told to stop.

        :raises ResponseLostError: if it may have been carried out without an answer.
        :raises ServiceUnavailableError: if it certainly was not sent.
        """
        return await self._send_once(cancel_request(self.adapter, address, comment))

    async def look(self, address: EventAddress, select: tuple[str, ...] = ()) -> Response:
        """GET the event once.

        :param select: properties to read; all if empty.
        """
        return await self._send(lambda: look_request(self.adapter, address, select))

    async def get(self, path: str) -> Response:
        """GET any other resource once.

        :param path: below the version, percent-encoded, with a leading slash.
        """
        return await self._send(lambda: get_request(self.adapter, path))

    async def batch(self, parts: Sequence[Part]) -> list[Response | None]:
        """POST up to twenty requests as one batch, once; return their answers, None for one that has none.

        :param parts: the requests, at most twenty.
        :raises ResponseLostError: if they may have been carried out without an answer.
        """
        body = batch_body(parts)
        outer = await self._send(lambda: batch_request(self.adapter, body))
        return batch_answers(outer, len(parts))

    async def _send(self, make: Callable[[], RequestInformation]) -> Response:
        answer = await self._send_once(make())
        if answer.meaning is Meaning.TOKEN_REFUSED:
            # A 401 is certain to have had no effect. The request is built anew because kiota keeps the old token's
            # header on one that it has sent.
            await self.credential.renew()
            answer = await self._send_once(make())
        return answer

    async def _send_once(self, request: RequestInformation) -> Response:
        request.add_request_options([_RAW])
        request.headers.try_add("client-request-id", str(uuid4()))
        # A long answer could hold the connection for ever, a byte at a time; and nothing here is worth compressing.
        request.headers.try_add("Accept-Encoding", "identity")
        try:
            async with asyncio.timeout(_LONGEST_ANSWER):
                response = cast("httpx.Response", await self.adapter.send_primitive_async(request, "bytes", None))
        except AzureError as error:
            raise login_error(error) from None
        except (httpx.RequestError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _transport_error(error) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, headers, response.content)


def _transport_error(error: Exception) -> GraphCancelError:
    # httpx-aiohttp reports a connection that broke in mid-request as ConnectTimeout too; only aiohttp's own error
    # underneath says whether a connection ever stood.
    cause = error if isinstance(error, aiohttp.ClientError) else error.__cause__
    said = str(error) or type(error).__name__
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return AccessDeniedError("Graph's TLS certificate is not trusted: give the path of the CA bundle as Verify.")
    if isinstance(cause, _NEVER_CONNECTED):
        return ServiceUnavailableError(f"Graph could not be reached: {said}.")
    return ResponseLostError(f"The answer of Graph was lost: {said}.")
