"""A client of the local Graph that knows nothing of the provider: aiohttp, and what Microsoft documents."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp
from yarl import URL

from tests.support.contoso import ADA, BEN, CLEO, TEAM

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

ROOM = "atrium@contoso.example"


class Reply(NamedTuple):
    """A response, with its body parsed if it is JSON."""

    status: int
    headers: Any
    body: Any

    @property
    def code(self) -> str:
        """Graph's own error code."""
        return str(self.body["error"]["code"])


class GraphClient:
    """Sends plain requests over TLS, with one connection pool and one token per application."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.tokens: dict[str, str] = {}
        self._runner = asyncio.Runner()
        self._session = self._runner.run(self._open())

    def close(self) -> None:
        """Close the pool."""
        self._runner.run(self._session.close())
        self._runner.close()

    def token(self, app: str = "sandbox-app") -> str:
        """Return the application's token, requested once."""
        if app not in self.tokens:
            self.tokens[app] = self.ask_for_token(client_id=app).body["access_token"]
        return self.tokens[app]

    def ask_for_token(self, tenant: str | None = None, headers: dict[str, str] | None = None, **form: str) -> Reply:
        """Send a token request for client credentials, with some fields changed."""
        tenant = tenant or self.sandbox.connection["extra"]["tenant_id"]
        form = {
            "grant_type": "client_credentials",
            "client_id": "sandbox-app",
            "client_secret": "sandbox-secret",
            "scope": "https://graph.microsoft.com/.default",
        } | form
        url = f"{self.sandbox.url}/{tenant}/oauth2/v2.0/token"
        return self.request("POST", url, form, **(headers or {}))

    def request(self, method: str, url: str, data: object = None, **headers: str) -> Reply:
        """Send a request to any URL, without a token of its own."""
        return self._runner.run(self._send(method, url, headers, data))

    def send(
        self, method: str, path: str, body: object = None, *, app: str | None = "sandbox-app", **headers: str
    ) -> Reply:
        """Send one request."""
        return self.together((method, path, body), app=app, **headers)[0]

    def together(
        self, *requests: tuple[str, str, object], app: str | None = "sandbox-app", **headers: str
    ) -> list[Reply]:
        """Send requests at the same time; their paths are sent unchanged."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if app:
            sent["Authorization"] = f"Bearer {self.token(app)}"

        async def send_all() -> list[Reply]:
            return await asyncio.gather(
                *(
                    self._send(
                        method,
                        self.sandbox.url + (path if path.startswith(("/v1.0", "/beta")) else f"/v1.0{path}"),
                        sent if body is None else {**sent, "Content-Type": "application/json"},
                        data=None if body is None else json.dumps(body),
                    )
                    for method, path, body in requests
                )
            )

        return self._runner.run(send_all())

    def get(self, path: str, **options: Any) -> Reply:
        """Send a GET."""
        return self.send("GET", path, **options)

    def cancel(self, mailbox: str, event_id: str, comment: str | None = "We are closed.", **options: Any) -> Reply:
        """Send a cancel on the shortest path."""
        return self.send("POST", f"/users/{mailbox}/events/{event_id}/cancel", {"comment": comment}, **options)

    async def _open(self) -> aiohttp.ClientSession:
        context = ssl.create_default_context(cafile=str(self.sandbox.ca))
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context))

    async def _send(self, method: str, url: str, headers: dict[str, str], data: Any) -> Reply:
        async with self._session.request(method, URL(url, encoded=True), headers=headers, data=data) as reply:
            content = await reply.read()
            is_json = reply.content_type == "application/json"
            return Reply(reply.status, reply.headers, json.loads(content) if is_json else content)


class Meeting(NamedTuple):
    """A meeting, as the control API created it."""

    id: str
    copies: dict[str, str]
    uid: str
    occurrences: dict[str, list[dict[str, str]]]


class Office:
    """Ada, Ben and Cleo, a room and a team; Ada has further calendars, one in its own group."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        projects = {"name": "Projects", "group": "Work"}
        self.ada = sandbox.add_mailbox(ADA, display_name="Ada Okafor", calendars=[projects, {"name": "Travel"}])
        for address in (BEN, CLEO):
            sandbox.add_mailbox(address)
        sandbox.add_mailbox(ROOM, display_name="Atrium", kind="room", building="North Tower", floor=3, capacity=12)
        sandbox.add_mailbox(TEAM, kind="group", members=[ADA, BEN])

    def meet(self, **changes: Any) -> Meeting:
        """Create a meeting of Ada, Ben and the room in January 2035, with some properties changed."""
        made = self.sandbox.create_event(
            **{
                "organizer": ADA,
                "subject": "Review",
                "start": "2035-01-08T10:00:00+00:00",
                "end": "2035-01-08T11:00:00+00:00",
                "attendees": [BEN],
                "rooms": [ROOM],
                **changes,
            }
        )
        organizer = changes.get("organizer", ADA)
        return Meeting(made["copies"].get(organizer, ""), made["copies"], made["iCalUId"], made["occurrences"])
