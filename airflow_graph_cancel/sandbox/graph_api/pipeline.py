"""A request's way through Graph: token, address, mailbox, throttle, action. Faults may apply on the way."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.entra.app_registrations import SCOPED_APP
from airflow_graph_cancel.sandbox.graph_api import directory, event_reads, event_writes
from airflow_graph_cancel.sandbox.graph_api.call import Call, parse, parse_query, split_path
from airflow_graph_cancel.sandbox.graph_api.json_batch import Batch
from airflow_graph_cancel.sandbox.traffic.asgi import Receive, Scope, Send, break_connection, read_body, send_response
from airflow_graph_cancel.sandbox.traffic.faults import BREAKS, HEADER, Fault
from airflow_graph_cancel.sandbox.traffic.ledger import Record
from airflow_graph_cancel.sandbox.traffic.messages import (
    Delivery,
    GraphError,
    Request,
    Response,
    access_denied,
    bad_request,
    directory_object_not_found,
)

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.sign_ins import IdentityProvider

Action = Callable[[Call], Response | Awaitable[Response]]
#: Which action answers which resource and method; ``$batch`` is added by the pipeline.
ACTIONS: dict[tuple[str, str], Action] = {
    ("cancel", "POST"): event_writes.cancel,
    ("event", "GET"): event_reads.event,
    ("event", "PATCH"): event_writes.change,
    ("event", "DELETE"): event_writes.delete,
    ("events", "GET"): event_reads.events,
    ("events", "POST"): event_writes.create,
    ("calendarView", "GET"): event_reads.calendar_view,
    ("instances", "GET"): event_reads.instances,
    ("calendar", "GET"): directory.calendar,
    ("calendars", "GET"): directory.calendars,
    ("calendarGroup", "GET"): directory.calendar_group,
    ("calendarGroups", "GET"): directory.calendar_groups,
    ("mailbox", "GET"): directory.mailbox,
    ("users", "GET"): directory.users,
    ("groups", "GET"): directory.groups,
    ("rooms", "GET"): directory.rooms,
    ("roomLists", "GET"): directory.room_lists,
    ("service", "GET"): directory.service,
}
_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SANDBOX0001"}}'
)


class GraphPipeline:
    """The ASGI application below ``/v1.0`` and ``/beta``.

    Uses ASGI directly, because a request through a routing framework costs many times as much.

    :param provider: Checks tokens.
    :param port: The sandbox's own port.
    """

    def __init__(self, provider: IdentityProvider, port: int) -> None:
        self._state = provider.state
        self._tokens = provider.tokens
        self._actions = {**ACTIONS, ("batch", "POST"): Batch(self.serve, self._state.seed).run}
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await read_body(receive)
        if body is None:
            return
        raw_path = scope["raw_path"].decode("ascii")
        query = scope["query_string"].decode("ascii")
        version, slash, below = raw_path[1:].partition("/")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(
            method=scope["method"],
            path=f"{raw_path}?{query}" if query else raw_path,
            version=version,
            below=slash + below,
            query=parse_query(query),
            headers=headers,
            body=body,
            origin=f"https://{headers.get('host', 'localhost')}",
            number=self._state.ledger.next_number(),
        )
        delivery = await self.serve(request)
        if delivery.breaks:
            await break_connection(delivery, scope, receive, send)
        else:
            await send_response(delivery.response, send)

    async def serve(self, request: Request, refused: GraphError | None = None) -> Delivery:
        """Answer a request, alone or within a batch, and log it in the ledger.

        :param refused: Why it is refused, if that is known before the request is read.
        """
        state, at, started = self._state, time.time(), time.perf_counter()
        call: Call | None = None
        fault: Fault | None = None
        delivery: Delivery | None = None
        refusal = refused
        try:
            try:
                caller = self._tokens.caller(request.headers.get("authorization"), self._port)
                call = Call(state, request, caller, parse(split_path(request.below)))
                self._admit(call)
            except GraphError as error:
                refusal = refusal or error
            try:
                fault = state.faults.pick(
                    request.method,
                    request.path,
                    request.headers.get(HEADER),
                    mailbox=call.box.address if call and call.box else None,
                    event_id=call.address.event_id if call else None,
                    in_batch=request.batch is not None,
                )
            except ValueError as error:
                refusal = bad_request(str(error))
            if fault:
                delivery = await self._with_fault(fault, call, refusal, request)
            else:
                delivery = Delivery(await self._answer(call, refusal, request))
        finally:
            response = delivery.response if delivery else Response(500)
            state.ledger.add(
                Record(
                    request.number, at, request.method, request.path,
                    None if delivery and delivery.breaks and delivery.breaks != "truncated" else response.status,
                    call.caller.app if call else None,
                    call.box.address if call and call.box else None,
                    request.request_id, request.client_request_id, fault.kind if fault else None,
                    time.perf_counter() - started, request.batch, response.effect,
                )
            )  # fmt: skip
        response.headers |= {
            "request-id": request.request_id,
            "client-request-id": request.client_request_id,
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
        }
        return delivery

    def _admit(self, call: Call) -> None:
        """Find the mailbox of the path, and check the caller's access to it.

        :raises GraphError: if the mailbox does not exist or the caller has no access.
        """
        address, caller, state = call.address, call.caller, self._state
        if (address.resource, call.request.method) not in self._actions:
            message = "Specified HTTP method is not allowed for the request target."
            raise GraphError(405, "Request_BadRequest", message)
        if not address.owner:
            return
        name = address.owner_id or caller.upn or ""
        if address.owner == "me" and not caller.upn:
            raise bad_request("/me request is only valid with delegated authentication flow.")
        if address.owner == "groups" and not caller.upn:
            raise access_denied()
        mailbox = state.store.mailbox(name)
        if mailbox and state.settings.guesses.alias_addresses == "unknown" and mailbox.has_alias(name):
            mailbox = None
        call.box = mailbox
        if address.owner == "groups":
            if mailbox is None or mailbox.kind != "group":
                raise directory_object_not_found(name)
            if caller.upn and caller.upn.lower() not in {member.lower() for member in mailbox.members}:
                raise access_denied()
        elif address.resource == "mailbox":
            if mailbox is None:
                raise directory_object_not_found(name)
            return
        elif mailbox is None or mailbox.kind in ("group", "room_list"):
            raise GraphError(404, "ErrorInvalidUser", f"The requested user '{name}' is invalid.")
        elif caller.upn and caller.upn.lower() != mailbox.address.lower():
            raise access_denied()
        if call.request.method != "GET":
            if "Calendars.ReadWrite" not in caller.permissions:
                raise access_denied()
        elif not caller.permissions & {"Calendars.Read", "Calendars.ReadWrite"}:
            raise access_denied()
        outside = state.settings.out_of_scope
        if caller.app == SCOPED_APP and mailbox.address.lower() in {each.lower() for each in outside}:
            blocked = "[RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
            raise GraphError(403, "ErrorAccessDenied", f"Access to OData is disabled: {blocked}", bare=True)
        if not mailbox.cloud:
            message = "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
            raise GraphError(404, "MailboxNotEnabledForRESTAPI", message)

    async def _answer(self, call: Call | None, refusal: GraphError | None, request: Request) -> Response:
        """Return the real response, after the latency and within the throttle's limits."""
        state = self._state
        try:
            if refusal or call is None:
                raise refusal or bad_request("Resource not found.")
            resource = call.address.resource
            in_mailbox = call.box is not None and resource != "mailbox"
            with state.throttle.slot(call.caller.app, call.mailbox.id) if in_mailbox else contextlib.nullcontext():
                if state.settings.latency and resource != "batch":
                    await asyncio.sleep(state.settings.latency)
                result = self._actions[resource, request.method](call)
                return result if isinstance(result, Response) else await result
        except GraphError as error:
            return error.response(request)

    async def _with_fault(
        self, fault: Fault, call: Call | None, refusal: GraphError | None, request: Request
    ) -> Delivery:
        """Apply a fault, before the request is carried out or after."""
        if fault.delay and not fault.after_effect and fault.kind != "hang":
            await asyncio.sleep(fault.delay)
        # A read has no effect that half a response could hide, so that half can be of the real one.
        whole = fault.after_effect or fault.kind == "slow" or (fault.kind == "truncated" and request.method == "GET")
        real = await self._answer(call, refusal, request) if whole else None
        if fault.delay and fault.after_effect and fault.kind != "hang":
            await asyncio.sleep(fault.delay)
        if real and fault.kind == "slow":
            return Delivery(real)
        shown = real if real and fault.kind == "truncated" else fault.response(request, self._state.settings)
        shown.effect = bool(real and real.effect)
        if fault.kind in BREAKS:
            return Delivery(shown, fault.kind, fault.delay if fault.kind == "hang" else 0.0)
        return Delivery(shown)
