"""Send one request to Graph and return one response, without any retry.

Kiota's own middleware repeats a POST on 503 and 504, when it may have been carried out already, and hides that it did.
The client therefore has no middleware and returns the raw response. Whether to repeat a cancellation is decided in
:mod:`airflow_graph_cancel.graph.cancel.state_machine`, and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import aiohttp
import httpx
from azure.core.exceptions import AzureError
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_http.middleware.options.response_handler_option import ResponseHandlerOption

from airflow_graph_cancel.graph.auth.credential import login_error
from airflow_graph_cancel.graph.errors import AccessDeniedError, GraphCancelError, ServiceUnavailableError
from airflow_graph_cancel.graph.http.batch import Part, batch_body, batch_responses
from airflow_graph_cancel.graph.http.requests import (
    CancelRequest,
    GetRequest,
    Request,
    batch_request,
    cancel_body,
    cancel_request,
    get_request,
)
from airflow_graph_cancel.graph.http.response import Meaning, Response

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation
    from kiota_http.httpx_request_adapter import HttpxRequestAdapter

    from airflow_graph_cancel.graph.auth.credential import RenewableCredential

_LONGEST_RESPONSE = 90.0
"""Seconds, in addition to the connect and read timeouts, which start again with every byte."""
_RAW = ResponseHandlerOption(NativeResponseHandler())
# A proxy that refuses the tunnel has passed nothing on.
_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError)


class ResponseLostError(ServiceUnavailableError):
    """The request may have reached Graph, and no usable response came back."""


class GraphClient:
    """Send requests through msgraph-sdk's builders, and tell lost responses from requests that were never sent.

    :param adapter: kiota adapter with the root URL, the credential and a plain HTTP client.
    :param credential: the adapter's credential, renewed when Graph refuses a token.
    :param scopes: scopes of the access token.
    """

    def __init__(self, adapter: HttpxRequestAdapter, credential: RenewableCredential, scopes: tuple[str, ...]) -> None:
        self.adapter = adapter
        self.credential = credential
        self.scopes = scopes
        # Most events share a comment, and the SDK takes its time over a body.
        self._cancel_body = lru_cache(maxsize=256)(partial(cancel_body, adapter))

    async def sign_in(self) -> str:
        """Return the access token; the login is asked for one if there is none yet.

        :raises GraphCancelError: if the login fails.
        """
        try:
            return (await self.credential.get_token(*self.scopes)).token
        except AzureError as error:
            # Not chained: azure-identity may quote the request, and with it the secret.
            raise login_error(error) from None

    async def send(self, request: Request) -> Response:
        """Send one request, once.

        A GET that Graph answers with 401 is sent again with a fresh token. A cancellation is not: the caller may have
        been told to stop meanwhile, and renews the token itself.

        :raises ResponseLostError: if it may have been carried out without a response.
        :raises ServiceUnavailableError: if it certainly was not sent.
        """
        if isinstance(request, CancelRequest):
            return await self._send_once(cancel_request(self.adapter, request.address, request.comment))
        return await self._send(lambda: get_request(self.adapter, request.path))

    async def send_batch(
        self, requests: Sequence[Request], *, stopped: Callable[[], bool] = lambda: False
    ) -> list[Response | None]:
        """Send up to twenty requests as one batch, once; return their responses, None for a missing one.

        A batch that Graph answers with 401 is sent again with a fresh token, unless the caller was told to stop.

        :param stopped: True keeps the batch from being sent again.
        :raises ResponseLostError: if they may have been carried out without a response.
        :raises ServiceUnavailableError: if the batch certainly was not sent.
        """
        body = batch_body([self._part(request) for request in requests])
        outer = await self._send(lambda: batch_request(self.adapter, body), stopped)
        return batch_responses(outer, len(requests))

    def _part(self, request: Request) -> Part:
        if isinstance(request, GetRequest):
            return Part("GET", request.path)
        address = request.address
        return Part(
            "POST", f"{address.path}/cancel", self._cancel_body(address.owner_kind, address.form, request.comment)
        )

    async def _send(
        self, build: Callable[[], RequestInformation], stopped: Callable[[], bool] = lambda: False
    ) -> Response:
        response = await self._send_once(build())
        if response.meaning is Meaning.TOKEN_REFUSED:
            # A 401 certainly had no effect. The request is built again because kiota keeps the old token's header on
            # one that it has sent.
            await self.credential.renew()
            # Signed in before the check, because that takes time.
            await self.sign_in()
            if not stopped():
                response = await self._send_once(build())
        return response

    async def _send_once(self, request: RequestInformation) -> Response:
        request.add_request_options([_RAW])
        request.headers.try_add("client-request-id", str(uuid4()))
        # A compressed response could hold the connection for ever, a byte at a time; and nothing here is worth it.
        request.headers.try_add("Accept-Encoding", "identity")
        try:
            async with asyncio.timeout(_LONGEST_RESPONSE):
                response = cast("httpx.Response", await self.adapter.send_primitive_async(request, "bytes", None))
        except AzureError as error:
            raise login_error(error) from None
        except (httpx.RequestError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _transport_error(error) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, headers, response.content)


def _transport_error(error: Exception) -> GraphCancelError:
    # httpx-aiohttp reports a connection that broke in the middle of a request as ConnectTimeout too. Only aiohttp's own
    # error underneath tells whether a connection was ever established.
    cause = error if isinstance(error, aiohttp.ClientError) else error.__cause__
    reason = str(error) or type(error).__name__
    if isinstance(cause, aiohttp.ClientConnectorCertificateError):
        return AccessDeniedError("Graph's TLS certificate is not trusted. Set Verify to the path of the CA bundle.")
    if isinstance(cause, _NEVER_CONNECTED):
        return ServiceUnavailableError(f"Graph could not be reached: {reason}.")
    return ResponseLostError(f"The response of Graph was lost: {reason}.")
