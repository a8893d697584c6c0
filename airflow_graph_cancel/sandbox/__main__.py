"""Start a local Microsoft Graph: ``python -m airflow_graph_cancel.sandbox --help``."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import errno
import json
import os
import shlex
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.behaviour import CHOICES, Guesses, Settings
from airflow_graph_cancel.sandbox.client import connection
from airflow_graph_cancel.sandbox.entra.app_registrations import BUILT_IN, PERSON_APP, SECRET, App
from airflow_graph_cancel.sandbox.entra.sign_ins import IdentityProvider
from airflow_graph_cancel.sandbox.state import TENANTS, SandboxState
from airflow_graph_cancel.sandbox.traffic.faults import KINDS, from_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_GUESSES = "\n".join(
    f"  {field.name}: {' | '.join(CHOICES.get(field.name, ()) or ('text or number',))} (default: {field.default})"
    for field in dataclasses.fields(Guesses)
)


def _described(app: App) -> str:
    kind = f"a managed identity, {app.identity}-assigned" if app.identity else "public" if app.public else ""
    people = f"for people {', '.join(app.scopes)}" if app.scopes else ""
    parts = [each for each in (kind, ", ".join(app.roles), people) if each]
    return f"  {app.client_id}: {'; '.join(parts) or 'nothing'}"


_APPS = "\n".join(map(_described, BUILT_IN))
_EPILOG = f"""
applications and their permissions; the secret is {SECRET}, public applications and identities have none:
{_APPS}
  sandbox-person is a shortcut: its client credentials give a delegated token, for /me and /groups.
  sandbox-scoped has no access to the mailboxes in the setting out_of_scope.

guesses (--guess), where the behaviour of the real service is unknown:
{_GUESSES}

faults (--fault, or the request header sandbox-fault for a single request):
  KIND[;after][;times=N|always][;probability=P][;delay=SECONDS][;retry_after=VALUE]
      [;path=REGEX][;method=POST][;mailbox=ADDRESS][;event_id=ID]
  kinds: {", ".join(KINDS)}
  "after" carries the request out, then loses the response.

Everything is also available over HTTP while it runs, below /sandbox/: reset, mailboxes, events, meetings, ledger,
faults, settings, tokens/expire, state, apps, sign-ins, refresh-tokens.
From Python: airflow_graph_cancel.sandbox.client.Sandbox.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    found = argparse.ArgumentParser(
        prog="python -m airflow_graph_cancel.sandbox",
        description="A local Microsoft Graph with mailboxes, rooms and meetings, to rehearse cancelling.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    found.add_argument("--port", type=int, default=8443, help="0 for any free port (default: %(default)s)")
    found.add_argument(
        "--directory",
        type=Path,
        default=Path(".graph-sandbox"),
        help="where the CA is kept between starts (default: %(default)s)",
    )
    found.add_argument("--tenant", choices=TENANTS, default="sample", help="its content (default: %(default)s)")
    found.add_argument("--seed", type=int, default=0, help="for the sample tenant and everything else that is random")
    found.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="of every Graph request")
    found.add_argument("--fault", action="append", default=[], metavar="SPEC", help="see below; may be repeated")
    found.add_argument(
        "--guess", action="append", default=[], metavar="NAME=VALUE",
        help="see below; may be repeated",
    )  # fmt: skip
    found.add_argument("--sign-in-as", metavar="UPN", help="whom sandbox-person acts for (default: the first person)")
    found.add_argument(
        "--managed-identity-port", type=int, metavar="PORT",
        help="also serve managed identities on this port, over plain HTTP and on 127.0.0.1 only; 0 for any free port "
        "(default: off)",
    )  # fmt: skip
    found.add_argument(
        "--ready-file", type=Path, metavar="PATH", help="write JSON with url, ca and connections when ready"
    )
    found.add_argument("--until-eof", action="store_true", help="stop when standard input ends")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the sandbox until it is stopped."""
    options = parser().parse_args(arguments)
    try:
        settings = Settings()
        guesses = dict(_pair(each) for each in options.guess)
        settings.change({"latency": options.latency, "signed_in_as": options.sign_in_as, "guesses": guesses})
        faults = [from_text(each) for each in options.fault]
    except ValueError as error:
        parser().error(str(error))
    try:
        from airflow_graph_cancel.sandbox.server.server import SandboxApp, run, server_context
    except ModuleNotFoundError as error:
        raise SystemExit(f"{error}. Install the extra: pip install 'airflow-graph-cancel[sandbox]'") from error
    provider = IdentityProvider(SandboxState(settings, options.tenant, options.seed))
    for fault in faults:
        provider.state.faults.add(fault)
    context, ca = server_context(options.directory)
    listener = _listener(options.host, options.port, "--port")
    port = listener.getsockname()[1]
    url = f"https://localhost:{port}"
    environments: dict[str, dict[str, str]] = {}
    plain = None
    if options.managed_identity_port is not None:
        from airflow_graph_cancel.sandbox.entra.managed_identity import ManagedIdentities

        # Everybody who reaches it gets tokens, so it never listens on any other address.
        secondary = _listener("127.0.0.1", options.managed_identity_port, "--managed-identity-port")
        identities = ManagedIdentities(provider, secondary.getsockname()[1])
        environments, plain = identities.environment, (identities.app, secondary)

    def on_ready() -> None:
        ready = {
            "url": url,
            "ca": str(ca),
            "port": port,
            "pid": os.getpid(),
            "connection": connection(url, ca),
            "connection_person": connection(url, ca, PERSON_APP),
            **environments,
        }
        _announce(url, ca, environments)
        if options.ready_file:
            draft = options.ready_file.with_suffix(".part")
            draft.write_text(json.dumps(ready, indent=2))
            draft.replace(options.ready_file)

    # uvicorn raises the signal again after it has stopped; then it is not an error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.suppress(KeyboardInterrupt):
        run(SandboxApp(provider, port), listener, context, on_ready, until_eof=options.until_eof, plain=plain)


def _listener(host: str, port: int, option: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=4096)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise SystemExit(f"port {port} is taken: choose another with {option}, or 0 for any free port") from None
        raise


def _announce(url: str, ca: Path, environments: Mapping[str, Mapping[str, str]]) -> None:
    app, person = json.dumps(connection(url, ca)), json.dumps(connection(url, ca, PERSON_APP))
    managed = "".join(
        f"For managed identities {where}:\n"
        + "".join(f"  export {name}={shlex.quote(value)}\n" for name, value in environments[key].items())
        + "\n"
        for key, where in (
            ("managed_identity", "as on a virtual machine"),
            ("managed_identity_app_service", "as in App Service"),
        )
        if key in environments
    )
    print(
        f"Microsoft Graph sandbox: {url}\n"
        f"Certificate authority:   {ca}\n\n"
        f"Connection for an application:\n  export AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT={shlex.quote(app)}\n\n"
        f"As JSON, for `airflow connections add graph_calendar_default --conn-json '...'`:\n  {app}\n\n"
        f"Connection for a person, for /me and /groups:\n"
        f"  export AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT={shlex.quote(person)}\n\n"
        f"{managed}"
        f"Stop it with Ctrl+C.",
        flush=True,
    )


def _pair(text: str) -> tuple[str, object]:
    name, separator, value = text.partition("=")
    if not separator:
        raise ValueError(f"--guess takes NAME=VALUE, not {text!r}")
    return name, float(value) if name == "effect_delay" else value


if __name__ == "__main__":
    main()
