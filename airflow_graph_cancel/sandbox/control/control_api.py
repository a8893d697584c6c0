"""The control API below ``/sandbox``: fill the tenant, inject faults, control sign-ins, and see what happened."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.control import tenant_view
from airflow_graph_cancel.sandbox.entra.app_registrations import PUBLIC_APP, App
from airflow_graph_cancel.sandbox.entra.client_assertions import read_certificate, read_federation
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError
from airflow_graph_cancel.sandbox.entra.sign_ins import RequestedScopes
from airflow_graph_cancel.sandbox.tenant.scheduling import NewMeeting, create_event
from airflow_graph_cancel.sandbox.traffic import faults

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.sign_ins import IdentityProvider
    from airflow_graph_cancel.sandbox.tenant.entities import Json

Handler = Callable[[Request], Awaitable[Response]]


class Control:
    """Handlers of the control API. The response to an invalid request is 400 with ``{"error": sentence}``."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider
        self._state = provider.state
        self._view = tenant_view.TenantView(provider.state)

    def routes(self) -> list[Route]:
        """Return the routes, including that of the front page."""
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
            ("GET", "/sandbox/apps", self.apps),
            ("POST", "/sandbox/apps", self.register_app),
            ("GET", "/sandbox/sign-ins", self.sign_ins),
            ("POST", "/sandbox/sign-ins/{user_code}", self.decide),
            ("POST", "/sandbox/refresh-tokens", self.issue_refresh_token),
            ("POST", "/sandbox/refresh-tokens/refuse", self.refuse_refresh_tokens),
        ]
        return [Route(path, _explained(handler), methods=[method]) for method, path, handler in table]

    async def front_page(self, request: Request) -> Response:
        """Return the page that shows the mailboxes."""
        return HTMLResponse(tenant_view.front_page())

    async def reset(self, request: Request) -> Response:
        """Reset everything."""
        body = await _json_object(request)
        self._state.reset(str(body.get("tenant", "empty")))
        self._provider.reset()
        return JSONResponse({})

    async def add_mailbox(self, request: Request) -> Response:
        """Add a person, a room, a group or a room list, or a list of them."""
        return await _each(request, self._state.store.add_mailbox)

    async def create_event(self, request: Request) -> Response:
        """Create a meeting with all its copies, or a list of meetings."""
        return await _each(request, lambda **properties: create_event(self._state.store, NewMeeting(**properties)))

    async def ledger(self, request: Request) -> Response:
        """Return the requests to Graph and sign-in, and the messages; ``?since=n`` leaves out older requests."""
        ledger = self._state.ledger
        return JSONResponse(
            {
                "requests": ledger.to_json(int(request.query_params.get("since", "0"))),
                "messages": self._state.outbox.to_json(self._state.outbox.messages),
                "tokens": ledger.tokens,
                "token_requests": ledger.token_requests_to_json(),
            }
        )

    async def clear_ledger(self, request: Request) -> Response:
        """Forget requests and messages."""
        self._state.clear_records()
        return JSONResponse({})

    async def faults(self, request: Request) -> Response:
        """Return the faults that wait for a request."""
        return JSONResponse({"faults": self._state.faults.to_json()})

    async def add_faults(self, request: Request) -> Response:
        """Add one fault or a list of them; if one is invalid, add none."""
        body = json.loads(await request.body())
        wanted = [faults.from_json(each) for each in (body if isinstance(body, list) else [body])]
        self._state.revision.bump()
        return JSONResponse({"ids": [self._state.faults.add(fault) for fault in wanted]})

    async def clear_faults(self, request: Request) -> Response:
        """Remove all faults."""
        self._state.faults.clear()
        self._state.revision.bump()
        return JSONResponse({})

    async def settings(self, request: Request) -> Response:
        """Return all settings and guesses."""
        return JSONResponse(self._state.settings.to_json())

    async def change_settings(self, request: Request) -> Response:
        """Change some settings or guesses."""
        self._state.settings.change(await _json_object(request))
        self._state.revision.bump()
        return JSONResponse(self._state.settings.to_json())

    async def expire_tokens(self, request: Request) -> Response:
        """Expire every access token issued so far."""
        self._provider.tokens.expire_all()
        return JSONResponse({})

    async def state(self, request: Request) -> Response:
        """Return what the front page shows, or that nothing changed since the caller's version."""
        since = request.query_params.get("since")
        return Response(self._view.body(int(since) if since else None), media_type="application/json")

    async def meetings(self, request: Request) -> Response:
        """Return the meetings in all calendars, or in one mailbox, in full."""
        address = request.query_params.get("mailbox")
        return JSONResponse({"meetings": tenant_view.meetings(self._state.store, address)})

    async def apps(self, request: Request) -> Response:
        """Return the applications and managed identities."""
        return JSONResponse({"apps": [app.to_json() for app in self._provider.apps.values()]})

    async def register_app(self, request: Request) -> Response:
        """Register an application, or change the given properties of a registered one."""
        body = await _json_object(request)
        client_id = _text(body, "client_id")
        if not client_id:
            raise ValueError("an application needs a client_id")
        known = self._provider.apps.get(client_id) or App(client_id, secret=None)
        self._provider.apps[client_id] = app = _changed(known, body)
        return JSONResponse(app.to_json())

    async def sign_ins(self, request: Request) -> Response:
        """Return the devices' sign-ins that wait for a person."""
        return JSONResponse({"waiting": self._provider.sign_ins.waiting()})

    async def decide(self, request: Request) -> Response:
        """Decide about a sign-in: ``{"decision": "approve" | "decline" | "expire", "as": address}``."""
        body = await _json_object(request)
        person = self._provider.person(_text(body, "as"))
        decision, upn = str(body.get("decision", "")), person.upn if person else None
        self._provider.sign_ins.decide(request.path_params["user_code"], decision, upn)
        return JSONResponse({})

    async def issue_refresh_token(self, request: Request) -> Response:
        """Return a refresh token of a person, without the sign-in."""
        body = await _json_object(request)
        app = self._provider.apps.get(_text(body, "client_id") or PUBLIC_APP)
        person = self._provider.person(_text(body, "as"))
        if app is None or person is None:
            raise ValueError(f"there is no such {'person' if app else 'application'}")
        scope = _text(body, "scope") or " ".join([*app.scopes, "offline_access"])
        try:
            RequestedScopes.read(scope).check(app)
        except EntraError as error:
            raise ValueError(error.message) from error
        token = self._provider.sign_ins.issue_refresh_token(app, person.upn, scope)
        return JSONResponse({"refresh_token": token, "as": person.upn})

    async def refuse_refresh_tokens(self, request: Request) -> Response:
        """Refuse the refresh tokens issued so far: ``{"reason": ..., "as": address}``."""
        body = await _json_object(request)
        count = self._provider.sign_ins.refuse(_text(body, "reason") or "revoked", _text(body, "as"))
        return JSONResponse({"refused": count})


def _explained(handler: Handler) -> Handler:
    """Answer a handler's errors with a sentence."""

    async def explained(request: Request) -> Response:
        try:
            return await handler(request)
        except (ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return explained


async def _json_object(request: Request) -> Json:
    value = json.loads(await request.body() or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


async def _each(request: Request, operation: Callable[..., Json]) -> Response:
    body = json.loads(await request.body() or b"{}")
    wanted = body if isinstance(body, list) else [body]
    if not all(isinstance(each, dict) for each in wanted):
        raise ValueError("the body must be a JSON object or a list of them")
    try:
        made = [operation(**each) for each in wanted]
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
    return JSONResponse({"made": made} if isinstance(body, list) else made[0])


def _changed(app: App, body: Json) -> App:
    changes: dict[str, object] = {}
    for name, value in body.items():
        match name:
            case "client_id":
                continue
            case "roles" | "scopes":
                changes[name] = tuple(_list(body, name))
            case "certificates":
                changes[name] = tuple(map(read_certificate, _list(body, name)))
            case "federations":
                if not isinstance(value, list):
                    raise ValueError("federations must be a list of objects")
                changes[name] = tuple(map(read_federation, value))
            case "public":
                if not isinstance(value, bool):
                    raise ValueError("public must be true or false")
                changes[name] = value
            case "secret" | "identity":
                changes[name] = _text(body, name)
            case "object_id" | "resource_id":
                changes[name] = _text(body, name) or ""
            case _:
                raise ValueError(f"an application has no {name!r}")
    if changes.get("identity") not in (None, "system", "user"):
        raise ValueError("identity must be system, user or null")
    # All names and values were checked above, which mypy cannot see.
    return replace(app, **changes)  # type: ignore[arg-type]


def _list(body: Json, name: str) -> list[str]:
    value = body[name]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} must be a list of texts")
    return value


def _text(body: Json, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} must be text")
    return value
