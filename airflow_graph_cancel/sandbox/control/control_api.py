"""The control API below ``/sandbox``: fill the tenant, break things, and look at what happened."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.control import tenant_view
from airflow_graph_cancel.sandbox.tenant.scheduling import NewMeeting, create_event
from airflow_graph_cancel.sandbox.traffic import faults

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.state import World

Handler = Callable[[Request], Awaitable[Response]]


class Control:
    """Handlers of the control API; what is wrong with a request is answered as ``{"error": sentence}``, 400."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._view = tenant_view.StateView(world)

    def routes(self) -> list[Route]:
        """Return the routes, the front page's included."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/", self.front_page),
            ("POST", "/sandbox/reset", self.reset),
            ("POST", "/sandbox/mailboxes", self.add_mailbox),
            ("POST", "/sandbox/events", self.create_event),
            ("GET", "/sandbox/ledger", self.ledger),
            ("DELETE", "/sandbox/ledger", self.clear_ledger),
            ("GET", "/sandbox/faults", self.faults),
            ("POST", "/sandbox/faults", self.add_faults),
            ("DELETE", "/sandbox/faults", self.clear_faults),
            ("GET", "/sandbox/settings", self.settings),
            ("PATCH", "/sandbox/settings", self.change_settings),
            ("POST", "/sandbox/tokens/expire", self.expire_tokens),
            ("GET", "/sandbox/state", self.state),
            ("GET", "/sandbox/meetings", self.meetings),
        ]
        return [Route(path, explained(handler), methods=[method]) for method, path, handler in table]

    async def front_page(self, request: Request) -> Response:
        """Answer the page that shows the mailboxes."""
        from airflow_graph_cancel.sandbox.control.page import front_page

        return HTMLResponse(front_page())

    async def reset(self, request: Request) -> Response:
        """Make everything anew."""
        body = await json_object(request)
        self._world.reset(str(body.get("tenant", "empty")))
        return JSONResponse({})

    async def add_mailbox(self, request: Request) -> Response:
        """Add a person, a room, a group or a room list, or each of a list of them."""
        return await _each(request, self._world.store.add_mailbox)

    async def create_event(self, request: Request) -> Response:
        """Create a meeting with all its copies, or each of a list of them."""
        return await _each(request, lambda **properties: create_event(self._world.store, NewMeeting(**properties)))

    async def ledger(self, request: Request) -> Response:
        """Answer what was asked of Graph and the login, and what was sent; ``?since=n`` leaves out older requests."""
        ledger = self._world.ledger
        return JSONResponse(
            {
                "requests": ledger.to_json(int(request.query_params.get("since", "0"))),
                "messages": self._world.outbox.to_json(self._world.outbox.messages),
                "tokens": ledger.tokens,
                "token_requests": ledger.token_requests_to_json(),
            }
        )

    async def clear_ledger(self, request: Request) -> Response:
        """Forget requests and messages."""
        self._world.clear_records()
        return JSONResponse({})

    async def faults(self, request: Request) -> Response:
        """Answer the faults that wait for a request."""
        return JSONResponse({"faults": self._world.faults.to_json()})

    async def add_faults(self, request: Request) -> Response:
        """Let one fault or a list of them wait; none, if one of them is wrong."""
        body = json.loads(await request.body())
        wanted = [faults.from_json(each) for each in (body if isinstance(body, list) else [body])]
        self._world.revision.bump()
        return JSONResponse({"ids": [self._world.faults.add(fault) for fault in wanted]})

    async def clear_faults(self, request: Request) -> Response:
        """Take all faults away."""
        self._world.faults.clear()
        self._world.revision.bump()
        return JSONResponse({})

    async def settings(self, request: Request) -> Response:
        """Answer all settings and guesses."""
        return JSONResponse(self._world.settings.to_json())

    async def change_settings(self, request: Request) -> Response:
        """Change some settings or guesses."""
        self._world.settings.change(await json_object(request))
        self._world.revision.bump()
        return JSONResponse(self._world.settings.to_json())

    async def expire_tokens(self, request: Request) -> Response:
        """Let every token issued so far be expired."""
        self._world.tokens.expire_all()
        return JSONResponse({})

    async def state(self, request: Request) -> Response:
        """Answer what the front page shows, or that nothing changed since the version that the caller has."""
        since = request.query_params.get("since")
        return Response(self._view.body(int(since) if since else None), media_type="application/json")

    async def meetings(self, request: Request) -> Response:
        """Answer all that is known of the meetings in all calendars, or in one mailbox's."""
        address = request.query_params.get("mailbox")
        return JSONResponse({"meetings": tenant_view.meetings(self._world.store, address)})


def explained(handler: Handler) -> Handler:
    """Let a handler's errors be answered as a sentence."""

    async def explained(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return explained


async def json_object(request: Request) -> dict[str, object]:
    """Return the body of a request.

    :raises ValueError: if it is no JSON object.
    """
    value = json.loads(await request.body() or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


async def _each(request: Request, operation: Callable[..., dict[str, object]]) -> Response:
    body = json.loads(await request.body() or b"{}")
    wanted = body if isinstance(body, list) else [body]
    if not all(isinstance(each, dict) for each in wanted):
        raise ValueError("the body must be a JSON object or a list of them")
    made = [_called(operation, each) for each in wanted]
    return JSONResponse({"made": made} if isinstance(body, list) else made[0])


def _called(operation: Callable[..., dict[str, object]], arguments: dict[str, object]) -> dict[str, object]:
    try:
        return operation(**arguments)
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
