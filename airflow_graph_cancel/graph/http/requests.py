"""Build requests: msgraph-sdk's builders make every cancel request, alone or in a batch.

Which builder is right follows from the address. Each builder is a module of its own, and only that module is imported,
when it is first needed: the whole SDK is 200 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

if TYPE_CHECKING:
    from kiota_abstractions.request_adapter import RequestAdapter

    from airflow_graph_cancel.graph.model.address import EventAddress, Form, OwnerKind

_GENERATED = "msgraph.generated"


@dataclass(frozen=True, slots=True)
class GetRequest:
    """Read a resource.

    :param path: below the version, percent-encoded, with a leading slash.
    """

    path: str


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Cancel an event.

    :param comment: text for the attendees; None sends none.
    """

    address: EventAddress
    comment: str | None = None


Request = GetRequest | CancelRequest


class _CancelBody(Protocol):
    comment: str | None


class _CancelRequestBuilder(Protocol):
    """The SDK's cancel request builders share no type."""

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
    # The SDK has no builder for the primary calendar group; this one accepts its URL.
    "calendarGroup/calendars/events": "item.calendars.item.events.item.cancel",
    "calendarGroups/calendars/events": "item.calendar_groups.item.calendars.item.events.item.cancel",
}


@cache
def _sdk(owner_kind: OwnerKind, form: Form) -> tuple[_CancelModule, Callable[..., _CancelBody]]:
    package = f"{_GENERATED}.{owner_kind}.{_PACKAGES[form]}"
    module = cast("_CancelModule", import_module(f"{package}.cancel_request_builder"))
    return module, import_module(f"{package}.cancel_post_request_body").CancelPostRequestBody


def cancel_request(adapter: RequestAdapter, address: EventAddress, comment: str | None = None) -> RequestInformation:
    """Return the POST that cancels the event.

    The builder gets the whole URL: the SDK writes ``/me`` as a user called "me-token-to-replace" and relies on the
    middleware of its own client to undo that, and expanding its template takes longer than everything else. A test
    compares our URL with the template's.

    :param adapter: serializes the body and knows the root URL; nothing is sent.
    :param address: which event.
    :param comment: text for the attendees; None sends none.
    """
    return _build_cancel(adapter, address.owner_kind, address.form, f"{address.path}/cancel", comment)


def cancel_body(adapter: RequestAdapter, owner_kind: OwnerKind, form: Form, comment: str | None) -> bytes:
    """Return the JSON body of the SDK's cancel request, for a part of a batch.

    :param owner_kind: ``users`` or ``groups``.
    :param form: of the address.
    """
    return cast("bytes", _build_cancel(adapter, owner_kind, form, "", comment).content)


def _build_cancel(
    adapter: RequestAdapter, owner_kind: OwnerKind, form: Form, path: str, comment: str | None
) -> RequestInformation:
    module, body_class = _sdk(owner_kind, form)
    builder = module.CancelRequestBuilder(adapter, {}).with_url(f"{_root(adapter)}{path}")
    return builder.to_post_request_information(body_class(comment=comment))


def event_path(address: EventAddress, select: tuple[str, ...] = ()) -> str:
    """Return the path of an event below the version, the very resource that a cancel request acts on.

    :param address: which event.
    :param select: properties to read; all if empty.
    """
    return address.path + (f"?$select={','.join(select)}" if select else "")


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
