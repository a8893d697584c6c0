"""The way of a request through Graph: token, address, mailbox, throttle, action; faults may strike on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.entra.app_registrations import SCOPED_APP
from airflow_graph_cancel.sandbox.graph_api import paths
from airflow_graph_cancel.sandbox.graph_api.json_batch import Batch
from airflow_graph_cancel.sandbox.traffic import graph_errors
from airflow_graph_cancel.sandbox.traffic.faults import BREAKS, HEADER, Fault
from airflow_graph_cancel.sandbox.traffic.ledger import Record
from airflow_graph_cancel.sandbox.traffic.messages import Answer, Caller, GraphError, Request

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.graph_api.paths import Address
    from airflow_graph_cancel.sandbox.state import World
    from airflow_graph_cancel.sandbox.tenant.entities import Mailbox

_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"SANDBOX0001"}}'
)


@dataclass(slots=True)
class Call:
    """A request that was understood: from whom, to what, in whose mailbox."""

    world: World
    request: Request
    caller: Caller
    address: Address
    box: Mailbox | None = None

    @property
    def mailbox(self) -> Mailbox:
        """The mailbox whose path it is; only paths below an owner come here."""
        if self.box is None:
            raise graph_errors.bad_request("Resource not found.")
        return self.box


@dataclass(slots=True)
class Outcome:
    """What goes back over the wire; ``breaks`` names the way in which the connection fails, if it does.

    :param seconds: How long the connection is held before it fails.
    """

    answer: Answer
    breaks: str | None = None
    seconds: float = 0.0


Action = Callable[[Call], Answer | Awaitable[Answer]]
#: Actions that change something, and so need more than the right to read.
_WRITES = {("cancel", "POST"), ("events", "POST"), ("event", "PATCH"), ("event", "DELETE")}


class GraphService:
    """Answers requests to Graph, those within a batch too.

    :param actions: What each resource does on each method; batches are the service's own.
    :param port: Of the sandbox itself.
    """

    def __init__(self, world: World, actions: dict[tuple[str, str], Action], port: int) -> None:
        self.world = world
        self._actions = {**actions, ("batch", "POST"): Batch(self, world.seed).run}
        self._port = port

    async def serve(self, request: Request, refused: GraphError | None = None) -> Outcome:
        """Answer a request, and enter it into the ledger.

        :param refused: Why it is refused, if that is known before it is looked at.
        """
        world, at, started = self.world, time.time(), time.perf_counter()
        call: Call | None = None
        fault: Fault | None = None
        outcome: Outcome | None = None
        refusal = refused
        try:
            try:
                caller = world.tokens.caller(request.headers.get("authorization"), self._port)
                call = Call(world, request, caller, paths.parse(paths.split_path(request.below)))
                self._admit(call)
            except GraphError as error:
                refusal = refusal or error
            try:
                fault = world.faults.pick(
                    request.method,
                    request.path,
                    request.headers.get(HEADER),
                    mailbox=call.box.address if call and call.box else None,
                    event_id=call.address.event_id if call else None,
                    in_batch=request.batch is not None,
                )
            except ValueError as error:
                refusal = graph_errors.bad_request(str(error))
            if fault:
                outcome = await self._stricken(fault, call, refusal, request)
            else:
                outcome = Outcome(await self._answered(call, refusal, request))
        finally:
            answer = outcome.answer if outcome else Answer(500)
            world.ledger.add(
                Record(
                    request.number, at, request.method, request.path,
                    None if outcome and outcome.breaks and outcome.breaks != "truncated" else answer.status,
                    call.caller.app if call else None,
                    call.box.address if call and call.box else None,
                    request.request_id, request.client_request_id, fault.kind if fault else None,
                    time.perf_counter() - started, request.batch, answer.effect,
                )
            )  # fmt: skip
        answer.headers |= {
            "request-id": request.request_id,
            "client-request-id": request.client_request_id,
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
        }
        return outcome

    def _admit(self, call: Call) -> None:
        """Find the mailbox of the path, and refuse whoever may not use it in this way."""
        address, caller, store = call.address, call.caller, self.world.store
        if (address.resource, call.request.method) not in self._actions:
            raise graph_errors.method_not_allowed()
        if not address.owner:
            return
        name = address.owner_id or caller.upn or ""
        if address.owner == "me" and not caller.upn:
            raise graph_errors.me_without_person()
        if address.owner == "groups" and not caller.upn:
            raise graph_errors.access_denied()
        mailbox = store.mailbox(name)
        if mailbox and self.world.settings.guesses.alias_addresses == "unknown" and mailbox.has_alias(name):
            mailbox = None
        call.box = mailbox
        if address.owner == "groups":
            if mailbox is None or mailbox.kind != "group":
                raise graph_errors.directory_object_not_found(name)
            if caller.upn and caller.upn.lower() not in {member.lower() for member in mailbox.members}:
                raise graph_errors.access_denied()
        elif address.resource == "mailbox":
            if mailbox is None:
                raise graph_errors.directory_object_not_found(name)
            return
        elif mailbox is None or mailbox.kind in ("group", "room_list"):
            raise graph_errors.invalid_user(name)
        elif caller.upn and caller.upn.lower() != mailbox.address.lower():
            raise graph_errors.access_denied()
        if (address.resource, call.request.method) in _WRITES:
            if "Calendars.ReadWrite" not in caller.permissions:
                raise graph_errors.access_denied()
        elif not caller.permissions & {"Calendars.Read", "Calendars.ReadWrite"}:
            raise graph_errors.access_denied()
        outside = self.world.settings.out_of_scope
        if caller.app == SCOPED_APP and mailbox.address.lower() in {each.lower() for each in outside}:
            raise graph_errors.out_of_policy()
        if not mailbox.cloud:
            raise graph_errors.mailbox_not_enabled()

    async def _answered(self, call: Call | None, refusal: GraphError | None, request: Request) -> Answer:
        """Return the right answer, after the latency, within the throttle's limits."""
        world = self.world
        try:
            if refusal or call is None:
                raise refusal or graph_errors.bad_request("Resource not found.")
            action = self._actions[call.address.resource, request.method]
            if call.box is None or call.address.resource == "mailbox":
                if world.settings.latency and call.address.resource != "batch":
                    await asyncio.sleep(world.settings.latency)
                return await _awaited(action(call))
            with world.throttle.slot(call.caller.app, call.box.id):
                if world.settings.latency:
                    await asyncio.sleep(world.settings.latency)
                return await _awaited(action(call))
        except GraphError as error:
            return error.answer(request)

    async def _stricken(self, fault: Fault, call: Call | None, refusal: GraphError | None, request: Request) -> Outcome:
        """Let a fault strike, before the request is carried out or after."""
        if fault.delay and not fault.after_effect and fault.kind != "hang":
            await asyncio.sleep(fault.delay)
        # Reading has no effect that half an answer could hide, so that half can be of the real one.
        whole = fault.after_effect or fault.kind == "slow" or (fault.kind == "truncated" and request.method == "GET")
        real = await self._answered(call, refusal, request) if whole else None
        if fault.delay and fault.after_effect and fault.kind != "hang":
            await asyncio.sleep(fault.delay)
        if real and fault.kind == "slow":
            return Outcome(real)
        shown = fault.answer(request, self.world.settings)
        if fault.kind in BREAKS:
            answer = real if real and fault.kind == "truncated" else shown
            answer.effect = bool(real and real.effect)
            return Outcome(answer, fault.kind, fault.delay if fault.kind == "hang" else 0.0)
        shown.effect = bool(real and real.effect)
        return Outcome(shown)


async def _awaited(result: Answer | Awaitable[Answer]) -> Answer:
    return result if isinstance(result, Answer) else await result
