"""Clients that others wrote work against the sandbox: msgraph-sdk, and the Microsoft provider's hook."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from tests.support.connections import set_connection
from tests.support.contoso import ADA, BEN
from tests.support.graph_client import ROOM

if TYPE_CHECKING:
    from kiota_abstractions.request_adapter import RequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

    from airflow_graph_cancel.sandbox.client import Sandbox
    from tests.support.graph_client import Office

# The provider of Airflow passes the path in `verify` to httpx, which wants a context.
PASSES_A_PATH = pytest.mark.filterwarnings("ignore:.verify=<str>. is deprecated:DeprecationWarning")
JANUARY = {"startDateTime": "2035-01-01T00:00:00Z", "endDateTime": "2035-02-01T00:00:00Z", "$select": "id"}
Work = Callable[["GraphServiceClient"], Coroutine[Any, Any, Any]]
Value = TypeVar("Value")


def present(value: Value | None) -> Value:
    """Return a value that the SDK's types declare as optional."""
    assert value is not None
    return value


@pytest.fixture
def sdk(sandbox: Sandbox) -> Callable[[Work], Any]:
    """Run something with msgraph-sdk's client, set up as in its readme except for the address and the CA."""
    import httpx
    from azure.identity.aio import ClientSecretCredential
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

    extra = sandbox.connection["extra"]

    async def with_client(work: Work) -> Any:
        credential = ClientSecretCredential(
            extra["tenant_id"],
            "sandbox-app",
            "sandbox-secret",
            authority=sandbox.url,
            disable_instance_discovery=True,
            connection_verify=extra["verify"],
        )
        authentication = AzureIdentityAuthenticationProvider(
            credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["localhost"]
        )
        async with (
            credential,
            httpx.AsyncClient(verify=ssl.create_default_context(cafile=extra["verify"]), timeout=10) as client,
        ):
            adapter = GraphRequestAdapter(authentication, client=client)
            adapter.base_url = f"{sandbox.url}/v1.0"
            return await work(GraphServiceClient(request_adapter=adapter))

    return lambda work: asyncio.run(with_client(work))


def test_msgraph_sdk_finds_and_cancels(sdk: Callable[[Work], Any], sandbox: Sandbox, office: Office) -> None:
    """From the room's view over the organizer's copy to the cancel, all with the SDK's own types."""
    meeting = office.meet(recurrence={"type": "weekly", "count": 3})

    async def work(client: GraphServiceClient) -> None:
        from msgraph.generated.users.item.calendar_view.calendar_view_request_builder import CalendarViewRequestBuilder
        from msgraph.generated.users.item.events.item.cancel.cancel_post_request_body import CancelPostRequestBody

        query = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetQueryParameters(
            start_date_time="2035-01-15T00:00:00Z", end_date_time="2035-01-16T00:00:00Z"
        )
        configuration = CalendarViewRequestBuilder.CalendarViewRequestBuilderGetRequestConfiguration
        seen = await client.users.by_user_id(ROOM).calendar_view.get(configuration(query_parameters=query))
        (booked,) = present(present(seen).value)
        organizer = present(present(present(booked.organizer).email_address).address)
        own = await client.users.by_user_id(organizer).calendar_view.get(configuration(query_parameters=query))
        (occurrence,) = [each for each in present(present(own).value) if each.i_cal_u_id == booked.i_cal_u_id]
        assert occurrence.is_organizer
        assert occurrence.type == "occurrence"
        assert present(occurrence.start).date_time == "2035-01-15T10:00:00.0000000"
        event = client.users.by_user_id(organizer).events.by_event_id(present(occurrence.id))
        body = CancelPostRequestBody(comment="The roof leaks.")
        answer = await event.cancel.post(body)  # type: ignore[func-returns-value]
        assert answer is None

    sdk(work)
    (message,) = sandbox.messages(meeting.occurrences[ADA][1]["id"])
    assert (message["comment"], message["occurrence"]) == ("The roof leaks.", "2035-01-15")


def test_msgraph_sdk_reads_the_refusals(sdk: Callable[[Work], Any], office: Office) -> None:
    """A refusal becomes the SDK's ODataError, with code, request id and date in their fields."""
    meeting = office.meet()

    async def work(client: GraphServiceClient) -> Any:
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError
        from msgraph.generated.users.item.events.item.cancel.cancel_post_request_body import CancelPostRequestBody

        event = client.users.by_user_id(BEN).events.by_event_id(meeting.copies[BEN])
        with pytest.raises(ODataError) as caught:
            await event.cancel.post(CancelPostRequestBody(comment="x"))
        return caught.value

    error = sdk(work)
    assert (error.response_status_code, error.error.code) == (400, "ErrorInvalidRequest")
    assert error.error.inner_error.request_id == error.response_headers["request-id"]
    assert error.error.inner_error.date is not None


def test_msgraph_sdk_reads_calendars_people_and_rooms(sdk: Callable[[Work], Any], office: Office) -> None:
    """Calendars, people, rooms and a created event deserialize into the SDK's models."""

    async def work(client: GraphServiceClient) -> None:
        from msgraph.generated.models.attendee import Attendee
        from msgraph.generated.models.date_time_time_zone import DateTimeTimeZone
        from msgraph.generated.models.email_address import EmailAddress
        from msgraph.generated.models.event import Event

        ada = client.users.by_user_id(ADA)
        calendars = present(present(await ada.calendars.get()).value)
        assert [calendar.name for calendar in calendars] == ["Calendar", "Projects", "Travel"]
        assert present(await ada.get()).display_name == "Ada Okafor"
        rooms = present(present(await client.places.graph_room.get()).value)
        assert [(room.email_address, room.building, room.capacity) for room in rooms] == [(ROOM, "North Tower", 12)]
        made = await ada.events.post(
            Event(
                subject="Made by the SDK",
                start=DateTimeTimeZone(date_time="2035-01-08T10:00:00", time_zone="UTC"),
                end=DateTimeTimeZone(date_time="2035-01-08T11:00:00", time_zone="UTC"),
                attendees=[Attendee(email_address=EmailAddress(address=BEN))],
            )
        )
        assert present(made).is_organizer
        await ada.events.by_event_id(present(present(made).id)).delete()

    sdk(work)


def test_msgraph_sdk_sends_batches(sdk: Callable[[Work], Any], sandbox: Sandbox, office: Office) -> None:
    """The sandbox reads the SDK's batch content, and the SDK reads the sandbox's batch response."""
    meetings = [office.meet(), office.meet()]

    async def work(client: GraphServiceClient) -> None:
        from msgraph.generated.users.item.events.item.cancel.cancel_post_request_body import CancelPostRequestBody
        from msgraph_core.requests.batch_request_builder import BatchRequestBuilder  # type: ignore[import-untyped]
        from msgraph_core.requests.batch_request_content import BatchRequestContent  # type: ignore[import-untyped]
        from msgraph_core.requests.batch_request_item import BatchRequestItem  # type: ignore[import-untyped]

        adapter: RequestAdapter = client.request_adapter
        content = BatchRequestContent()
        for meeting in meetings:
            event = client.users.by_user_id(ADA).events.by_event_id(meeting.id)
            information = event.cancel.to_post_request_information(CancelPostRequestBody(comment="x"))
            item = BatchRequestItem(information, id=meeting.id)
            # The SDK writes the absolute URL here, which Graph does not accept.
            item.url = item.url.split("/v1.0", 1)[-1]
            content.add_request(item.id, item)
        answers = await BatchRequestBuilder(adapter).post(content)
        assert {answers.responses[meeting.id].status for meeting in meetings} == {202}

    sdk(work)
    assert {message["event_id"] for message in sandbox.messages()} == {meeting.id for meeting in meetings}


@pytest.fixture
def stock_connection(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> str:
    """Set up a ``msgraph`` connection as the Microsoft provider expects it; return its id.

    Each test needs a new id: the hook caches one adapter per id, which is bound to the event loop of its test.
    """
    extra = {"base_url": f"{sandbox.url}/v1.0"}
    return set_connection(monkeypatch, sandbox, f"stock_{uuid.uuid4().hex}", conn_type="msgraph", extra=extra)


@PASSES_A_PATH
def test_the_stock_hook_cancels(stock_connection: str, sandbox: Sandbox, office: Office) -> None:
    """KiotaRequestAdapterHook gets a token, sends a cancel, and turns refusals into its own exceptions."""
    from airflow.providers.microsoft.azure.hooks.msgraph import KiotaRequestAdapterHook
    from airflow.sdk.exceptions import AirflowNotFoundException

    meeting = office.meet()

    async def work() -> None:
        hook = KiotaRequestAdapterHook(conn_id=stock_connection)
        parameters = {"user": ADA, "event": meeting.id}
        options: dict[str, Any] = {
            "url": "users/{user}/events/{event}/cancel",
            "method": "POST",
            "path_parameters": parameters,
            "data": {"comment": "The roof leaks."},
        }
        try:
            await hook.run(**options)
            with pytest.raises(AirflowNotFoundException, match="ErrorItemNotFound"):
                await hook.run(**options)
        finally:
            await hook.close()

    asyncio.run(work())
    assert [message["comment"] for message in sandbox.messages(meeting.id)] == ["The roof leaks."]


@PASSES_A_PATH
def test_the_stock_hook_tests_its_connection(stock_connection: str) -> None:
    """The provider's own connection test passes against the sandbox."""
    from airflow.providers.microsoft.azure.hooks.msgraph import KiotaRequestAdapterHook

    hook = KiotaRequestAdapterHook(conn_id=stock_connection)
    works, _ = hook.test_connection()
    assert works
    # The hook leaves its client open after a test of the connection.
    asyncio.run(hook.close())


@PASSES_A_PATH
def test_the_stock_hook_pages_through_a_view(stock_connection: str, office: Office) -> None:
    """The provider's paging follows the sandbox's nextLink to the end."""
    from airflow.providers.microsoft.azure.hooks.msgraph import KiotaRequestAdapterHook

    made = [office.meet(start=f"2035-01-{day:02}T09:00:00Z", end=f"2035-01-{day:02}T10:00:00Z") for day in range(1, 24)]

    async def work() -> list[dict[str, Any]]:
        hook = KiotaRequestAdapterHook(conn_id=stock_connection)
        try:
            return list(await hook.paginated_run(url=f"users/{ADA}/calendarView", query_parameters=JANUARY))
        finally:
            await hook.close()

    pages = asyncio.run(work())
    assert [event["id"] for page in pages for event in page["value"]] == [meeting.id for meeting in made]
