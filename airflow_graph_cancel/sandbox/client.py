"""Use the sandbox from Python: start it for a test, fill it, inject faults, and read what was sent.

Uses only the standard library, so its import costs a test suite nothing::

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

from airflow_graph_cancel.sandbox.entra.app_registrations import PERSON_APP, SECRET, TENANT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Responses of the control API, which describes their content.
Reply = dict[str, Any]


class SandboxError(Exception):
    """The sandbox did not start, or its control API refused a request."""


class Sandbox:
    """A running sandbox.

    :ivar url: Its address, ``https://localhost:PORT``.
    :ivar ca: Path of the certificate authority to trust.
    :ivar connection: An Airflow connection for an application, as JSON.
    :ivar connection_person: The same for a person, for ``/me`` and ``/groups``.
    :ivar managed_identity: Environment variables for managed identities as on a virtual machine; empty unless started
        with ``managed_identity_port``.
    :ivar managed_identity_app_service: The same as in App Service.
    """

    def __init__(self, url: str, ca: Path, connection: Reply, connection_person: Reply) -> None:
        self.url = url
        self.ca = ca
        self.connection = connection
        self.connection_person = connection_person
        self.managed_identity: dict[str, str] = {}
        self.managed_identity_app_service: dict[str, str] = {}
        # Requests to this machine must not go through a proxy from the environment.
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
        """Run a sandbox in its own process for as long as the context lasts.

        :param tenant: ``empty`` or ``sample``.
        :param latency: Seconds that every Graph request takes.
        :param faults: As for ``--fault``.
        :param guesses: As for ``--guess``.
        :param port: 0 for any free port.
        :param managed_identity_port: Port of the endpoints for managed identities, 0 for any free port; None for none.
        :param directory: Directory of the CA; a temporary one if not given.
        :param timeout: Seconds to wait for the start.
        :raises SandboxError: if it does not start.
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
        """Return a client for a sandbox that is already running."""
        ca = Path(ca)
        return cls(url, ca, connection(url, ca), connection(url, ca, PERSON_APP))

    def connection_as(self, app: str) -> Reply:
        """Return the connection of another application, such as ``sandbox-scoped``."""
        return {**self.connection, "login": app}

    def connection_without_secret(self, app: str | None, **extra: object) -> Reply:
        """Return a connection with another credential than a secret.

        :param app: Client id; None leaves it out.
        :param extra: Further extras of the connection.
        """
        connection = {name: value for name, value in self.connection.items() if name not in ("login", "password")}
        named = {"login": app} if app else {}
        return {**connection, **named, "extra": {**self.connection["extra"], **extra}}

    def reset(self, tenant: str = "empty") -> None:
        """Reset everything: the tenant, settings, faults and the ledger."""
        self._call("POST", "reset", {"tenant": tenant})

    def add_mailbox(self, address: str, **properties: object) -> Reply:
        """Add a person, a room, a group or a room list; see ``Store.add_mailbox`` for the properties."""
        return self._call("POST", "mailboxes", {"address": address, **properties})

    def add_mailboxes(self, mailboxes: Sequence[Mapping[str, object]]) -> list[Reply]:
        """Add many mailboxes in one request, each with its ``address`` and properties."""
        return list(self._call("POST", "mailboxes", mailboxes)["made"])

    def create_event(self, **properties: object) -> Reply:
        """Create a meeting with all its copies; see ``tenant.scheduling.NewMeeting`` for the properties."""
        return self._call("POST", "events", properties)

    def create_events(self, events: Sequence[Mapping[str, object]]) -> list[Reply]:
        """Create many meetings in one request."""
        return list(self._call("POST", "events", events)["made"])

    def meetings(self, mailbox: str | None = None) -> list[Reply]:
        """Return all single events and dates of series, cancelled ones too, in all calendars or in one mailbox."""
        query = f"?{urlencode({'mailbox': mailbox})}" if mailbox else ""
        return list(self._call("GET", f"meetings{query}")["meetings"])

    def add_fault(self, kind: str, *, match: Mapping[str, str] | None = None, **properties: object) -> int:
        """Add a fault; see ``traffic.faults.Fault`` for the properties. Return its number."""
        reply = self._call("POST", "faults", {"kind": kind, "match": dict(match or {}), **properties})
        return int(reply["ids"][0])

    def faults(self) -> list[Reply]:
        """Return the faults that wait for a request."""
        return list(self._call("GET", "faults")["faults"])

    def clear_faults(self) -> None:
        """Remove all faults."""
        self._call("DELETE", "faults")

    def settings(self, **changes: object) -> Reply:
        """Change some settings, ``guesses={...}`` among them, and return them all."""
        return self._call("PATCH", "settings", changes) if changes else self._call("GET", "settings")

    def expire_tokens(self) -> None:
        """Make Graph treat every token issued so far as expired."""
        self._call("POST", "tokens/expire")

    def ledger(self) -> Reply:
        """Return ``{"requests", "messages", "tokens", "token_requests"}``; ``tokens`` counts the issued tokens."""
        return self._call("GET", "ledger")

    def clear_ledger(self) -> None:
        """Forget requests and messages."""
        self._call("DELETE", "ledger")

    def messages(
        self,
        event_id: str | None = None,
        *,
        iCalUId: str | None = None,  # noqa: N803 - as Graph spells it
    ) -> list[Reply]:
        """Return the messages that were sent: all, or those about one event."""
        return [
            message
            for message in self.ledger()["messages"]
            if event_id in (None, message["event_id"]) and iCalUId in (None, message["iCalUId"])
        ]

    def requests(self, **matching: object) -> list[Reply]:
        """Return the requests to Graph: all, or those with these values; ``path`` can be a part of the path."""
        path = str(matching.pop("path", ""))
        return [each for each in _matching(self.ledger()["requests"], matching) if path in each["path"]]

    def state(self, since: int | None = None) -> Reply:
        """Return what the front page shows."""
        return self._call("GET", "state" if since is None else f"state?{urlencode({'since': since})}")

    def apps(self) -> list[Reply]:
        """Return the applications and managed identities."""
        return list(self._call("GET", "apps")["apps"])

    def register_app(self, client_id: str, **properties: object) -> Reply:
        """Register an application, or change the given properties of a registered one.

        :param properties: ``roles`` and ``scopes`` (lists), ``public``, ``secret``, ``certificates`` (a list of PEM
            texts without keys), ``federations`` (a list of ``{"issuer", "subject", "audience", "key"}``), ``identity``
            (``system``, ``user`` or None), ``object_id``, ``resource_id``; see ``entra.app_registrations.App``.
        """
        return self._call("POST", "apps", {"client_id": client_id, **properties})

    def sign_ins(self) -> list[Reply]:
        """Return the devices' sign-ins that wait for a person: ``{"user_code", "client_id", "scope"}``."""
        return list(self._call("GET", "sign-ins")["waiting"])

    def approve_sign_in(self, user_code: str, upn: str | None = None) -> None:
        """Let a device act for a person, as they would in a browser.

        :param upn: Their address; the setting ``signed_in_as`` or the first person if not given.
        """
        self._call("POST", f"sign-ins/{user_code}", {"decision": "approve", "as": upn})

    def decline_sign_in(self, user_code: str) -> None:
        """Decline a device's sign-in."""
        self._call("POST", f"sign-ins/{user_code}", {"decision": "decline"})

    def expire_sign_in(self, user_code: str) -> None:
        """Expire a device's sign-in."""
        self._call("POST", f"sign-ins/{user_code}", {"decision": "expire"})

    def refresh_token(
        self, upn: str | None = None, *, client_id: str = "sandbox-public", scope: str | None = None
    ) -> str:
        """Return a refresh token of a person who signed in to an application.

        :param upn: Their address; the setting ``signed_in_as`` or the first person if not given.
        :param scope: All delegated permissions of the application if not given.
        """
        body = {"client_id": client_id, "as": upn, "scope": scope}
        return str(self._call("POST", "refresh-tokens", body)["refresh_token"])

    def refuse_refresh_tokens(self, reason: str = "revoked", upn: str | None = None) -> int:
        """Refuse the refresh tokens issued so far from now on; return how many there are.

        :param reason: ``revoked``, ``inactive``, ``mfa`` or ``consent``.
        :param upn: Only this person's; everybody's if not given.
        """
        return int(self._call("POST", "refresh-tokens/refuse", {"reason": reason, "as": upn})["refused"])

    def token_requests(self, **matching: object) -> list[Reply]:
        """Return the requests for tokens: all, or those with these values; see ``traffic.ledger.TokenRequest``."""
        return _matching(self.ledger()["token_requests"], matching)

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


def connection(url: str, ca: Path, app: str = "sandbox-app") -> Reply:
    """Return a ``graph_calendar`` connection as JSON.

    :param url: Address of the sandbox, without a path.
    :param ca: Certificate authority to trust.
    :param app: Client id; all applications have the same secret. With :data:`PERSON_APP`, tokens act for a person, for
        ``/me`` and ``/groups``.
    """
    return {
        "conn_type": "graph_calendar",
        "login": app,
        "password": SECRET,
        "extra": {
            "tenant_id": TENANT_ID,
            "authority": url,
            "base_url": url,
            "allowed_hosts": "localhost",
            "verify": str(ca),
            "disable_instance_discovery": True,
        },
    }


def _matching(rows: Sequence[Reply], values: Mapping[str, object]) -> list[Reply]:
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


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
