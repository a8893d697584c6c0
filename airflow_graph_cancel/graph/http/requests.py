"""From an address to the request that msgraph-sdk would send.

The cancel request builders of msgraph-sdk make every request; which one is right follows from the address. Each
builder is a module of its own and only that module is imported, when it is first needed: the whole SDK is 200 MB.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

if TYPE_CHECKING:
    from kiota_abstractions.request_adapter import RequestAdapter

    from airflow_graph_cancel.graph.model.address import EventAddress, Form

__all__ = ["batch_request", "cancel_body", "cancel_request", "get_request", "look_path", "look_request"]

_GENERATED = "msgraph.generated"


class _CancelBody(Protocol):
    comment: str | None


class _CancelRequestBuilder(Protocol):
    """What the SDK's cancel request builders have in common; they share no type."""

    def to_post_request_information(self, body: _CancelBody) -> RequestInformation: ...

    def with_url(self, raw_url: str) -> _CancelRequestBuilder: ...


class _CancelModule(Protocol):
    def CancelRequestBuilder(  # noqa: N802
        self, request_adapter: RequestAdapter, path_parameters: dict[str, str]
    ) -> _CancelRequestBuilder: ...


_PACKAGES: dict[Form, str] = {
    "events": "item.events.item.cancel",
    "calendar/events": "item.calendar.events.item.cancel",
    "calendars/events": "item.calendars.item.events.item.cancel",
    # The SDK has none for the primary calendar group; this neighbour takes a whole URL as well.
    "calendarGroup/calendars/events": "item.calendars.item.events.item.cancel",
    "calendarGroups/calendars/events": "item.calendar_groups.item.calendars.item.events.item.cancel",
}


@cache
def _sdk(owner: str, form: Form) -> tuple[_CancelModule, Callable[..., _CancelBody]]:
    package = f"{_GENERATED}.{owner}.{_PACKAGES[form]}"
    module = cast("_CancelModule", import_module(f"{package}.cancel_request_builder"))
    return module, import_module(f"{package}.cancel_post_request_body").CancelPostRequestBody


def cancel_request(adapter: RequestAdapter, address: EventAddress, comment: str | None = None) -> RequestInformation:
    """Return the POST that cancels the event.

    The URL is given to the builder whole: the SDK writes ``/me`` as a user called "me-token-to-replace" and counts on
    a middleware of its own client to undo that, and expanding its template takes longer than all the rest. A test
    holds ours and the template's to be the same.

    :param adapter: serialises the body and knows the root URL; nothing is sent.
    :param address: which event.
    :param comment: text for the attendees; None sends none.
    """
    module, body_class = _sdk("groups" if address.group_id else "users", address.form)
    builder = module.CancelRequestBuilder(adapter, {}).with_url(f"{_root(adapter)}{address.path}/cancel")
    return builder.to_post_request_information(body_class(comment=comment))


def cancel_body(adapter: RequestAdapter, address: EventAddress, comment: str | None) -> dict[str, object]:
    """Return the body of the SDK's cancel request as a JSON object, for a part of a batch."""
    request = cancel_request(adapter, address, comment)
    return cast("dict[str, object]", json.loads(cast("bytes", request.content)))


def look_path(address: EventAddress, select: tuple[str, ...] = ()) -> str:
    """Return the path of a look, below the version."""
    return address.path + (f"?$select={','.join(select)}" if select else "")


def look_request(adapter: RequestAdapter, address: EventAddress, select: tuple[str, ...] = ()) -> RequestInformation:
    """Return the GET of the very resource that :func:`cancel_request` would act upon.

    :param adapter: knows the root URL; nothing is sent.
    :param address: which event.
    :param select: properties to read; all if empty.
    """
    return get_request(adapter, look_path(address, select))


def get_request(adapter: RequestAdapter, path: str) -> RequestInformation:
    """Return the GET of any resource.

    :param adapter: knows the root URL; nothing is sent.
    :param path: below the version, percent-encoded, with a leading slash.
    """
    request = RequestInformation(Method.GET)
    request.url = f"{_root(adapter)}{path}"
    request.headers.try_add("Accept", "application/json")
    return request


def batch_request(adapter: RequestAdapter, body: bytes) -> RequestInformation:
    """Return the POST of a batch.

    :param adapter: knows the root URL; nothing is sent.
    :param body: as :func:`~airflow_graph_cancel.graph.http.batch.batch_body` makes it.
    """
    request = RequestInformation(Method.POST)
    request.url = f"{_root(adapter)}/$batch"
    request.headers.try_add("Accept", "application/json")
    request.set_stream_content(body, "application/json")
    return request


def _root(adapter: RequestAdapter) -> str:
    return str(adapter.base_url).rstrip("/")
