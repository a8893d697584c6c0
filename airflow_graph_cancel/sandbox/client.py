"""The sandbox from Python: start one for a test, fill it, break it, and read what was sent.

Standard library only, so that importing it costs a test suite nothing::

    with Sandbox.start() as sandbox:
        sandbox.add_mailbox("ada@contoso.example")
        sandbox.add_mailbox("ben@contoso.example")
        meeting = sandbox.create_event(
            organizer="ada@contoso.example",
            subject="Review",
            start="2030-01-07T10:00:00Z",
            end="2030-01-07T11:00:00Z",
            attendees=["ben@contoso.example"],
        )
        os.environ["AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT"] = json.dumps(sandbox.connection)
        ...
        assert len(sandbox.messages(meeting["copies"]["ada@contoso.example"])) == 1
"""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow_graph_cancel.sandbox.client_sign_in import SignInClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Answers of the control API; their shapes are described there.
Reply = dict[str, Any]


class SandboxError(Exception):
    """The sandbox did not start, or refused a request to its control API."""


class Sandbox(SignInClient):
    """A sandbox that is up.

    :ivar url: Its address, ``https://localhost:PORT``.
    :ivar ca: Path of the certificate authority to trust.
    :ivar connection: An Airflow connection for an application, as JSON.
    :ivar connection_person: Likewise for a person, so that ``/me`` and ``/groups`` work.
    :ivar managed_identity: What the environment must have for managed identities as on a virtual machine; empty unless
        it was started with ``managed_identity_port``.
    :ivar managed_identity_app_service: Likewise as in App Service.
    """

    def __init__(self, url: str, ca: Path, connection: Reply, connection_person: Reply) -> None:
        self.url = url
        self.ca = ca
        self.connection = connection
        self.connection_person = connection_person
        self.managed_identity: dict[str, str] = {}
        self.managed_identity_app_service: dict[str, str] = {}
        # A proxy from the environment must not come between a test and its own machine.
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ca))),
        )

    @classmethod
    @contextmanager
    def start(
        cls,
        tenant: str = "empty",
        *,
        seed: int = 0,
        latency: float = 0.0,
        faults: Sequence[str] = (),
        guesses: Mapping[str, object] | None = None,
        sign_in_as: str | None = None,
        port: int = 0,
        managed_identity_port: int | None = None,
        directory: str | Path | None = None,
        timeout: float = 30.0,
    ) -> Iterator[Sandbox]:
        """Run a sandbox in a process of its own for as long as the context lasts.

        :param tenant: ``empty`` or ``sample``.
        :param latency: Seconds that every Graph request takes.
        :param faults: As for ``--fault``.
        :param guesses: As for ``--guess``.
        :param port: Any free one if 0.
        :param managed_identity_port: Of the endpoints for managed identities, any free one if 0; none if not given.
        :param directory: Where the CA is kept; a temporary one if not given.
        :param timeout: Seconds to wait until it answers.
        :raises SandboxError: if it does not.
        """
        with tempfile.TemporaryDirectory(prefix="graph-sandbox-") as temporary:
            ready_file = Path(temporary, "ready.json")
            command = [
                *(sys.executable, "-m", "airflow_graph_cancel.sandbox", "--until-eof"),
                *("--port", str(port), "--directory", str(directory or temporary), "--tenant", tenant),
                *("--seed", str(seed), "--latency", str(latency), "--ready-file", str(ready_file)),
                *(part for each in faults for part in ("--fault", each)),
                *(part for name, value in (guesses or {}).items() for part in ("--guess", f"{name}={value}")),
                *(("--sign-in-as", sign_in_as) if sign_in_as else ()),
            ]
            if managed_identity_port is not None:
                command += ("--managed-identity-port", str(managed_identity_port))
            with Path(temporary, "output").open("w+") as output:
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT)
                try:
                    _await_ready(process, ready_file, timeout)
                    ready = json.loads(ready_file.read_text())
                    sandbox = cls(ready["url"], Path(ready["ca"]), ready["connection"], ready["connection_person"])
                    sandbox.managed_identity = ready.get("managed_identity", {})
                    sandbox.managed_identity_app_service = ready.get("managed_identity_app_service", {})
                    yield sandbox
                except SandboxError as error:
                    output.seek(0)
                    raise SandboxError(f"{error}\n{output.read()}") from None
                finally:
                    _stop(process)

    @classmethod
    def connect(cls, url: str, ca: str | Path) -> Sandbox:
        """Return a client for a sandbox that somebody else started."""
        from airflow_graph_cancel.sandbox.connections import connection, person_connection

        ca = Path(ca)
        return cls(url, ca, connection(url, ca), person_connection(url, ca))

    def connection_as(self, app: str) -> Reply:
        """Return the connection of another application, such as ``sandbox-scoped``."""
        return {**self.connection, "login": app}

    def reset(self, tenant: str = "empty") -> None:
        """Make everything anew: the tenant, settings, faults and the ledger."""
        self._call("POST", "reset", {"tenant": tenant})

    def add_mailbox(self, address: str, **properties: object) -> Reply:
        """Add a person, a room, a group or a room list; see ``Store.add_mailbox`` for the properties."""
        return self._call("POST", "mailboxes", {"address": address, **properties})

    def add_mailboxes(self, mailboxes: Sequence[Mapping[str, object]]) -> list[Reply]:
        """Add many mailboxes in one request, each with its ``address`` and properties."""
        return list(self._call("POST", "mailboxes", mailboxes)["made"])

    def create_event(self, **properties: object) -> Reply:
        """Create a meeting with all its copies; see ``booking.create_event`` for the properties."""
        return self._call("POST", "events", properties)

    def create_events(self, events: Sequence[Mapping[str, object]]) -> list[Reply]:
        """Create many meetings in one request."""
        return list(self._call("POST", "events", events)["made"])

    def meetings(self, mailbox: str | None = None) -> list[Reply]:
        """Return what is in all calendars, or in one mailbox's: singles and dates of series, cancelled ones too."""
        query = f"?{urlencode({'mailbox': mailbox})}" if mailbox else ""
        return list(self._call("GET", f"meetings{query}")["meetings"])

    def add_fault(self, kind: str, *, match: Mapping[str, str] | None = None, **properties: object) -> int:
        """Let a fault wait for a request; see ``faults.Fault`` for the properties. Return its number."""
        reply = self._call("POST", "faults", {"kind": kind, "match": dict(match or {}), **properties})
        return int(reply["ids"][0])

    def faults(self) -> list[Reply]:
        """Return the faults that still wait."""
        return list(self._call("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        """Take all faults away."""
        self._call("DELETE", "faults")

    def settings(self, **changes: object) -> Reply:
        """Change some settings, ``guesses={...}`` among them, and return them all."""
        return self._call("PATCH", "settings", changes) if changes else self._call("GET", "settings")

    def expire_tokens(self) -> None:
        """Let every token issued so far be expired in the eyes of Graph."""
        self._call("POST", "tokens/expire")

    def ledger(self) -> Reply:
        """Return ``{"requests", "messages", "tokens", "token_requests"}``; ``tokens`` is how many were issued."""
        return self._call("GET", "ledger")

    def clear_ledger(self) -> None:
        """Forget requests and messages."""
        self._call("DELETE", "ledger")

    def messages(
        self,
        event_id: str | None = None,
        *,
        iCalUId: str | None = None,  # noqa: N803 - as the service spells it
    ) -> list[Reply]:
        """Return the messages that were sent, all or those about one event."""
        return [
            message
            for message in self.ledger()["messages"]
            if event_id in (None, message["event_id"]) and iCalUId in (None, message["iCalUId"])
        ]

    def requests(self, **matching: object) -> list[Reply]:
        """Return the requests to Graph, all or those whose fields have these values; ``path`` need only occur."""
        path = str(matching.pop("path", ""))
        return [
            request
            for request in self.ledger()["requests"]
            if path in request["path"] and all(request[name] == value for name, value in matching.items())
        ]

    def state(self, since: int | None = None) -> Reply:
        """Return what the front page shows."""
        return self._call("GET", "state" if since is None else f"state?{urlencode({'since': since})}")

    def _call(
        self, method: str, path: str, body: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None
    ) -> Reply:
        request = urllib.request.Request(
            f"{self.url}/sandbox/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json"},
            method=method,
        )
        try:
            with self._opener.open(request, timeout=60) as reply:
                found: Reply = json.load(reply)
                return found
        except urllib.error.HTTPError as error:
            with error:
                raise SandboxError(f"{method} /sandbox/{path}: {error.read().decode()}") from None


def _await_ready(process: subprocess.Popen[bytes], ready_file: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while not ready_file.exists():
        if process.poll() is not None:
            raise SandboxError(f"the sandbox ended with {process.returncode} before it answered")
        if time.monotonic() > deadline:
            raise SandboxError(f"the sandbox did not answer within {timeout:g} s")
        time.sleep(0.02)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
