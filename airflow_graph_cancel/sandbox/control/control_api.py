"""The control API below ``/sandbox``, which fills the tenant, injects faults and shows what happened; and the page."""

from __future__ import annotations

import datetime
import functools
import importlib.resources
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.entra.app_registrations import PUBLIC_APP, App, Federation
from airflow_graph_cancel.sandbox.entra.client_assertions import read_certificate, read_federation
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError
from airflow_graph_cancel.sandbox.entra.sign_ins import RequestedScopes
from airflow_graph_cancel.sandbox.graph_api import serialize
from airflow_graph_cancel.sandbox.tenant.scheduling import NewMeeting, create_event
from airflow_graph_cancel.sandbox.traffic import faults

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.entra.sign_ins import IdentityProvider
    from airflow_graph_cancel.sandbox.state import SandboxState
    from airflow_graph_cancel.sandbox.tenant.entities import Item, Json, Mailbox
    from airflow_graph_cancel.sandbox.tenant.store import Store

#: A handler returns a response, or the JSON of one.
Handler = Callable[[Request], Awaitable["Response | Json"]]
#: The page shows at most this many messages; the ledger has all of them.
MESSAGES = 500
#: The properties of a mailbox on the page.
_KEYS = ("address", "display_name", "kind", "building", "floor", "capacity", "members", "aliases", "cloud", "cancelled")


class Control:
    """Handlers of the control API. The response to an invalid request is 400 with ``{"error": sentence}``."""

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider
        self._state = provider.state
        self._view = TenantView(provider.state)

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
        return HTMLResponse(front_page())

    async def reset(self, request: Request) -> Json:
        """Reset everything."""
        body = await _json_object(request)
        self._state.reset(str(body.get("tenant", "empty")))
        self._provider.reset()
        return {}

    async def add_mailbox(self, request: Request) -> Json:
        """Add a person, a room, a group or a room list, or a list of them."""
        return await _each(request, self._state.store.add_mailbox)

    async def create_event(self, request: Request) -> Json:
        """Create a meeting with all its copies, or a list of meetings."""
        return await _each(request, lambda **properties: create_event(self._state.store, NewMeeting(**properties)))

    async def ledger(self, request: Request) -> Json:
        """Return the requests to Graph and sign-in, and the messages; ``?since=n`` leaves out older requests."""
        ledger = self._state.ledger
        return {
            "requests": ledger.to_json(int(request.query_params.get("since", "0"))),
            "messages": self._state.outbox.to_json(self._state.outbox.messages),
            "tokens": ledger.tokens,
            "token_requests": ledger.token_requests_to_json(),
        }

    async def clear_ledger(self, request: Request) -> Json:
        """Forget requests and messages."""
        self._state.clear_records()
        return {}

    async def faults(self, request: Request) -> Json:
        """Return the faults that wait for a request."""
        return {"faults": self._state.faults.to_json()}

    async def add_faults(self, request: Request) -> Json:
        """Add one fault or a list of them; if one is invalid, add none."""
        body = json.loads(await request.body())
        wanted = [faults.from_json(each) for each in (body if isinstance(body, list) else [body])]
        self._state.revision.bump()
        return {"ids": [self._state.faults.add(fault) for fault in wanted]}

    async def clear_faults(self, request: Request) -> Json:
        """Remove all faults."""
        self._state.faults.clear()
        self._state.revision.bump()
        return {}

    async def settings(self, request: Request) -> Json:
        """Return all settings and guesses."""
        return self._state.settings.to_json()

    async def change_settings(self, request: Request) -> Json:
        """Change some settings or guesses."""
        self._state.settings.change(await _json_object(request))
        self._state.revision.bump()
        return self._state.settings.to_json()

    async def expire_tokens(self, request: Request) -> Json:
        """Expire every access token issued so far."""
        self._provider.tokens.expire_all()
        return {}

    async def state(self, request: Request) -> Response:
        """Return what the front page shows, or that nothing changed since the caller's version."""
        since = request.query_params.get("since")
        return Response(self._view.body(int(since) if since else None), media_type="application/json")

    async def meetings(self, request: Request) -> Json:
        """Return the meetings in all calendars, or in one mailbox, in full."""
        address = request.query_params.get("mailbox")
        return {"meetings": _meetings(self._state.store, address)}

    async def apps(self, request: Request) -> Json:
        """Return the applications and managed identities."""
        return {"apps": [app.to_json() for app in self._provider.apps.values()]}

    async def register_app(self, request: Request) -> Json:
        """Register an application, or change the given properties of a registered one."""
        body = await _json_object(request)
        client_id = _text(body, "client_id")
        if not client_id:
            raise ValueError("an application needs a client_id")
        known = self._provider.apps.get(client_id) or App(client_id, secret=None)
        self._provider.apps[client_id] = app = _changed(known, body)
        return app.to_json()

    async def sign_ins(self, request: Request) -> Json:
        """Return the devices' sign-ins that wait for a person."""
        return {"waiting": self._provider.sign_ins.waiting()}

    async def decide(self, request: Request) -> Json:
        """Decide about a sign-in: ``{"decision": "approve" | "decline" | "expire", "as": address}``."""
        body = await _json_object(request)
        person = self._provider.person(_text(body, "as"))
        decision, upn = str(body.get("decision", "")), person.upn if person else None
        self._provider.sign_ins.decide(request.path_params["user_code"], decision, upn)
        return {}

    async def issue_refresh_token(self, request: Request) -> Json:
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
        return {"refresh_token": token, "as": person.upn}

    async def refuse_refresh_tokens(self, request: Request) -> Json:
        """Refuse the refresh tokens issued so far: ``{"reason": ..., "as": address}``."""
        body = await _json_object(request)
        count = self._provider.sign_ins.refuse(_text(body, "reason") or "revoked", _text(body, "as"))
        return {"refused": count}


def _explained(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Answer a handler's errors with a sentence."""

    async def explained(request: Request) -> Response:
        try:
            found = await handler(request)
        except (ValueError, KeyError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return found if isinstance(found, Response) else JSONResponse(found)

    return explained


async def _json_object(request: Request) -> Json:
    value = json.loads(await request.body() or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


async def _each(request: Request, operation: Callable[..., Json]) -> Json:
    body = json.loads(await request.body() or b"{}")
    wanted = body if isinstance(body, list) else [body]
    if not all(isinstance(each, dict) for each in wanted):
        raise ValueError("the body must be a JSON object or a list of them")
    try:
        made = [operation(**each) for each in wanted]
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error
    return {"made": made} if isinstance(body, list) else made[0]


def _changed(app: App, body: Json) -> App:
    changes: dict[str, object] = {}
    for name in body:
        if name in _PROPERTIES:
            changes[name] = _PROPERTIES[name](body, name)
        elif name != "client_id":
            raise ValueError(f"an application has no {name!r}")
    # All names and values were checked above, which mypy cannot see.
    return replace(app, **changes)  # type: ignore[arg-type]


def _identity(body: Json, name: str) -> str | None:
    value = _text(body, name)
    if value not in (None, "system", "user"):
        raise ValueError("identity must be system, user or null")
    return value


def _flag(body: Json, name: str) -> bool:
    value = body[name]
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")
    return value


def _federations(body: Json, name: str) -> tuple[Federation, ...]:
    value = body[name]
    if not isinstance(value, list):
        raise ValueError("federations must be a list of objects")
    return tuple(map(read_federation, value))


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


#: How each property of an application is read from a request.
_PROPERTIES: dict[str, Callable[[Json, str], object]] = {
    "roles": lambda body, name: tuple(_list(body, name)),
    "scopes": lambda body, name: tuple(_list(body, name)),
    "certificates": lambda body, name: tuple(map(read_certificate, _list(body, name))),
    "federations": _federations,
    "public": _flag,
    "secret": _text,
    "identity": _identity,
    "object_id": lambda body, name: _text(body, name) or "",
    "resource_id": lambda body, name: _text(body, name) or "",
}


class TenantView:
    """Serializes the tenant for the front page; a mailbox is serialized again only if it changed."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        # After a reset the old mailboxes and their documents are garbage-collected.
        self._documents: WeakKeyDictionary[Mailbox, tuple[int, str]] = WeakKeyDictionary()

    def body(self, since: int | None) -> bytes:
        """Return the document, if possible only what changed.

        :param since: The reader's version. A ``partial`` document leaves out unchanged mailboxes and older
            messages.
        """
        state = self._state
        version = state.revision.number
        if since == version:
            return json.dumps({"version": version, "unchanged": True}).encode()
        partial = since is not None and since >= state.complete_since
        known = since if partial and since is not None else 0
        head = {
            "version": version,
            "partial": partial,
            "now": datetime.datetime.now(datetime.UTC).isoformat(),
            "messages": state.outbox.to_json(state.outbox.since(known)[-MESSAGES:]),
            "messages_total": len(state.outbox.messages),
            "requests": dict(state.ledger.statuses),
            "faults": state.faults.to_json(),
            "settings": state.settings.to_json(),
        }
        changed = [mailbox for mailbox in state.store.mailboxes.values() if mailbox.version > known]
        mailboxes = ",".join(map(self._document, changed))
        return f'{json.dumps(head)[:-1]}, "mailboxes": [{mailboxes}]}}'.encode()

    def _document(self, mailbox: Mailbox) -> str:
        known = self._documents.get(mailbox)
        if known and known[0] == mailbox.version:
            return known[1]
        document = {name: getattr(mailbox, name) for name in _KEYS}
        text = json.dumps({**document, "meetings": [_meeting(entry.item) for entry in mailbox.agenda.entries]})
        self._documents[mailbox] = mailbox.version, text
        return text


@functools.cache
def front_page() -> str:
    """Return the front page as self-contained HTML; it fetches ``/sandbox/state``."""
    return importlib.resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")


def _meetings(store: Store, address: str | None) -> list[Json]:
    """Return every single event and every date of a series in all calendars, or in one mailbox, in full.

    :raises ValueError: if there is no such mailbox.
    """
    boxes = [store.require(address)] if address else store.mailboxes.values()
    return [{**_meeting(line.item), **_more(line.item)} for box in boxes for line in box.agenda.entries]


def _more(item: Item) -> Json:
    event, meeting = item.event, item.event.meeting
    return {
        "mailbox": event.mailbox.address,
        "calendar": event.mailbox.calendars[event.calendar_id].name,
        "original_date": item.date and item.date.isoformat(),
        "time_zone": str(meeting.time_zone),
        "is_private": meeting.is_private,
        "invited": [{"address": each.address, "type": each.kind} for each in meeting.invited(item.date)],
    }


def _meeting(item: Item) -> Json:
    meeting = item.event.meeting
    return {
        "id": item.id,
        "subject": serialize.subject(item),
        "start": item.slot.start.isoformat(),
        "end": item.slot.end.isoformat(),
        "organizer": meeting.organizer.address,
        "is_organizer": item.event.is_organizer,
        "is_cancelled": item.is_cancelled,
        "is_all_day": meeting.is_all_day,
        "type": serialize.kind(item),
        "series_master_id": None if item.date == item.event.only else item.event.id,
        "attendees": sum(each.kind != "resource" for each in meeting.invited(item.date)),
        "rooms": [each.address for each in meeting.invited(item.date) if each.kind == "resource"],
        "iCalUId": item.uid,
    }
