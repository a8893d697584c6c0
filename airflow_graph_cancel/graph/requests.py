"""From an address to the request that msgraph-sdk would send.

The cancel request builders of msgraph-sdk make every request; which one is right follows from the address. Each
builder is a module of its own and only that module is imported, when it is first needed: the whole SDK is 200 MB.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

if TYPE_CHECKING:
    from kiota_abstractions.request_adapter import RequestAdapter

    from airflow_graph_cancel.graph.address import EventAddress

__all__ = ["cancel_request", "get_request", "look_request"]

_GENERATED = "msgraph.generated"
_ME = "/users/{user%2Did}"


class _CancelBody(Protocol):
    comment: str | None


class _CancelRequestBuilder(Protocol):
    """What the SDK's five cancel request builders have in common; they share no type."""

    def to_post_request_information(self, body: _CancelBody) -> RequestInformation: ...

    def with_url(self, raw_url: str) -> _CancelRequestBuilder: ...


class _CancelModule(Protocol):
    def CancelRequestBuilder(  # noqa: N802
        self, request_adapter: RequestAdapter, path_parameters: dict[str, str]
    ) -> _CancelRequestBuilder: ...


_PACKAGES = {
    "events": "item.events.item.cancel",
    "calendar/events": "item.calendar.events.item.cancel",
    "calendars/events": "item.calendars.item.events.item.cancel",
    "calendarGroup/calendars/events": "item.calendars.item.events.item.cancel",
    "calendarGroups/calendars/events": "item.calendar_groups.item.calendars.item.events.item.cancel",
}


def _package(address: EventAddress) -> str:
    owner = "groups" if address.group_id else "users"
    return f"{_GENERATED}.{owner}.{_PACKAGES[address.form]}"


def _path_parameters(address: EventAddress) -> dict[str, str]:
    parameters = {
        "user%2Did": address.user_id,
        "group%2Did": address.group_id,
        "calendarGroup%2Did": address.calendar_group_id,
        "calendar%2Did": address.calendar_id,
        "event%2Did": address.event_id,
    }
    return {name: value for name, value in parameters.items() if value is not None}


def _at_me(request: RequestInformation) -> RequestInformation:
    # msgraph-sdk writes /me as a user called "me-token-to-replace" and counts on a middleware of its own client to
    # undo that; the template is the one place where it can be undone for every client.
    request.url_template = cast("str", request.url_template).replace(_ME, "/me", 1)
    return request


def cancel_request(adapter: RequestAdapter, address: EventAddress, comment: str | None = None) -> RequestInformation:
    """Return the POST that cancels the event.

    :param adapter: serialises the body and knows the root URL; nothing is sent.
    :param address: which event.
    :param comment: text for the attendees; None sends none.
    """
    package = _package(address)
    body_class = import_module(f"{package}.cancel_post_request_body").CancelPostRequestBody
    body = cast("_CancelBody", body_class(comment=comment))
    module = cast("_CancelModule", import_module(f"{package}.cancel_request_builder"))
    builder = module.CancelRequestBuilder(adapter, _path_parameters(address))
    if address.form == "calendarGroup/calendars/events":
        # The SDK has no builder for the primary calendar group; its neighbour takes a whole URL.
        return builder.with_url(f"{_root(adapter)}{address.path}/cancel").to_post_request_information(body)
    request = builder.to_post_request_information(body)
    return request if address.user_id or address.group_id else _at_me(request)


def look_request(adapter: RequestAdapter, address: EventAddress, select: tuple[str, ...] = ()) -> RequestInformation:
    """Return the GET of the very resource that :func:`cancel_request` would act upon.

    :param adapter: knows the root URL; nothing is sent.
    :param address: which event.
    :param select: properties to read; all if empty.
    """
    return get_request(adapter, address.path + (f"?$select={','.join(select)}" if select else ""))


def get_request(adapter: RequestAdapter, path: str) -> RequestInformation:
    """Return the GET of any resource.

    :param adapter: knows the root URL; nothing is sent.
    :param path: below the version, percent-encoded, with a leading slash.
    """
    request = RequestInformation(Method.GET)
    request.url = f"{_root(adapter)}{path}"
    request.headers.try_add("Accept", "application/json")
    return request


def _root(adapter: RequestAdapter) -> str:
    return str(adapter.base_url).rstrip("/")
