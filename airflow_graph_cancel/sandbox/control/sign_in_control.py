"""The part of the control API that concerns signing in: applications, sign-ins that wait, refresh tokens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_graph_cancel.sandbox.control.control_api import Handler, explained, json_object
from airflow_graph_cancel.sandbox.entra.app_registrations import PUBLIC_APP, App
from airflow_graph_cancel.sandbox.entra.client_assertions import Certificate, Federation
from airflow_graph_cancel.sandbox.entra.entra_errors import EntraError
from airflow_graph_cancel.sandbox.entra.people import Asked, person

if TYPE_CHECKING:
    from starlette.requests import Request

    from airflow_graph_cancel.sandbox.state import World
    from airflow_graph_cancel.sandbox.tenant.entities import Json

_TEXTS = ("secret", "identity", "object_id", "resource_id")
_LISTS = ("roles", "scopes")


class SignInControl:
    """Handlers; what is wrong with a request is answered as ``{"error": sentence}``, 400."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[Route]:
        """Return the routes."""
        table: list[tuple[str, str, Handler]] = [
            ("GET", "/sandbox/apps", self.apps),
            ("POST", "/sandbox/apps", self.register_app),
            ("GET", "/sandbox/sign-ins", self.sign_ins),
            ("POST", "/sandbox/sign-ins/{user_code}", self.decide),
            ("POST", "/sandbox/refresh-tokens", self.issue_refresh_token),
            ("POST", "/sandbox/refresh-tokens/refuse", self.refuse_refresh_tokens),
        ]
        return [Route(path, explained(handler), methods=[method]) for method, path, handler in table]

    async def apps(self, request: Request) -> Response:
        """Answer the applications and managed identities."""
        return JSONResponse({"apps": [app.to_json() for app in self._world.apps.all()]})

    async def register_app(self, request: Request) -> Response:
        """Register an application, or change what is given of one that is there."""
        return JSONResponse(self._world.apps.put(_changed(self._world, await json_object(request))).to_json())

    async def sign_ins(self, request: Request) -> Response:
        """Answer the sign-ins of devices that wait for a person."""
        return JSONResponse({"waiting": self._world.sign_ins.waiting()})

    async def decide(self, request: Request) -> Response:
        """Decide about a sign-in: ``{"decision": "approve" | "decline" | "expire", "as": address}``."""
        body = await json_object(request)
        somebody = person(self._world, _text(body, "as"))
        self._world.sign_ins.decide(request.path_params["user_code"], str(body.get("decision", "")), somebody)
        return JSONResponse({})

    async def issue_refresh_token(self, request: Request) -> Response:
        """Answer a refresh token of somebody who signed in, without the way there."""
        body = await json_object(request)
        client_id = _text(body, "client_id") or PUBLIC_APP
        app, somebody = self._world.apps.find(client_id), person(self._world, _text(body, "as"))
        if app is None or somebody is None:
            raise ValueError(f"there is no such {'person' if app else 'application'}")
        scope = _text(body, "scope") or " ".join([*app.scopes, "offline_access"])
        try:
            Asked.read(scope).check(app)
        except EntraError as error:
            raise ValueError(error.message) from error
        return JSONResponse(
            {"refresh_token": self._world.sign_ins.issue_refresh_token(app, somebody.upn, scope), "as": somebody.upn}
        )

    async def refuse_refresh_tokens(self, request: Request) -> Response:
        """Let the refresh tokens issued so far be refused: ``{"reason": ..., "as": address}``."""
        body = await json_object(request)
        count = self._world.sign_ins.refuse(_text(body, "reason") or "revoked", _text(body, "as"))
        return JSONResponse({"refused": count})


def _changed(world: World, body: Json) -> App:
    client_id = _text(body, "client_id")
    if not client_id:
        raise ValueError("an application needs a client_id")
    values = {name: body[name] for name in body if name != "client_id"}
    changes: dict[str, object] = {}
    for name, value in values.items():
        if name in _LISTS:
            changes[name] = tuple(_strings(name, value))
        elif name == "certificates":
            changes[name] = tuple(Certificate.from_pem(text) for text in _strings(name, value))
        elif name == "federations":
            if not isinstance(value, list):
                raise ValueError("federations must be a list of objects")
            changes[name] = tuple(map(_federation, value))
        elif name == "public":
            if not isinstance(value, bool):
                raise ValueError("public must be true or false")
            changes[name] = value
        elif name in _TEXTS:
            changes[name] = _text(values, name) if name in ("secret", "identity") else _text(values, name) or ""
        else:
            raise ValueError(f"an application has no {name!r}")
    if changes.get("identity") not in (None, "system", "user"):
        raise ValueError("identity must be system, user or null")
    known = world.apps.find(client_id) or App(client_id, secret=None)
    # mypy cannot know that the names are the application's; all of them were looked at above.
    return replace(known, **changes)  # type: ignore[arg-type]


def _federation(value: object) -> Federation:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise ValueError("a federation must be an object with issuer and subject")
    try:
        return Federation(**value)
    except TypeError as error:
        raise ValueError(f"not a federation: {error}") from error


def _strings(name: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} must be a list of texts")
    return value


def _text(body: Json, name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} must be text")
    return value
