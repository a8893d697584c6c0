"""``python -m airflow_graph_cancel.login``: sign in as a person, and print a connection that acts on their behalf.

For ``/me`` and group calendars, which an app cannot use by itself. The person signs in with a browser on any device.
The connection contains their refresh token, so treat it like a password.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msal import PublicClientApplication

from airflow_graph_cancel.graph.auth.refresh_token import LoginServer
from airflow_graph_cancel.graph.errors import GraphCancelError
from airflow_graph_cancel.hooks.connection.clouds import CLOUDS, GLOBAL

__all__ = ["main"]

SCOPES = ("Calendars.ReadWrite",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Sign in and print the connection; return the exit code.

    :param arguments: command-line arguments; default is the process's own.
    """
    options = _parser().parse_args(arguments)
    cloud = CLOUDS[options.cloud]
    root = (options.base_url or cloud.root).rstrip("/")
    authority = (options.authority or cloud.authority).rstrip("/")
    server = LoginServer(authority, options.verify or True, trust_env=True)
    try:
        with server.session() as session:
            answer = _sign_in(
                PublicClientApplication(
                    options.client_id,
                    authority=server.authority_of(options.tenant_id),
                    http_client=session,
                    instance_discovery=False,
                ),
                [f"{root}/{scope}" for scope in options.scope or SCOPES],
            )
    except GraphCancelError as error:
        return _failed(str(error))
    except (ValueError, OSError) as error:
        return _failed(f"{authority} could not be used ({type(error).__name__}). Check --authority and --tenant-id.")
    if "refresh_token" not in answer:
        return _failed(_reason(answer))
    connection = _connection(options, answer["refresh_token"])
    text = json.dumps(connection, indent=2)
    if options.output is None:
        print(text)
    else:
        _write(options.output, text)
        print(f"Written to {options.output}; only you can read it.", file=sys.stderr)
    print(
        f"Signed in as {_user_name(answer)}. The connection acts on their behalf: store it in a secrets backend, or "
        f"run `airflow connections add {options.conn_id} --conn-json ...`.",
        file=sys.stderr,
    )
    return 0


def _sign_in(app: PublicClientApplication, scopes: list[str]) -> dict[str, Any]:
    flow: dict[str, Any] = app.initiate_device_flow(scopes=scopes)
    if "user_code" not in flow:
        return flow
    print(flow["message"], file=sys.stderr, flush=True)
    found: dict[str, Any] = app.acquire_token_by_device_flow(flow)
    return found


def _connection(options: argparse.Namespace, refresh_token: str) -> dict[str, object]:
    extra: dict[str, object] = {
        "credential": "refresh_token",
        "tenant_id": options.tenant_id,
        "refresh_token": refresh_token,
    }
    if options.cloud != GLOBAL:
        extra["cloud"] = options.cloud
    for name in ("base_url", "authority", "verify"):
        if value := getattr(options, name):
            extra[name] = value
    if options.authority:
        extra["disable_instance_discovery"] = True
    return {"conn_type": "graph_calendar", "login": options.client_id, "extra": extra}


def _write(path: Path, text: str) -> None:
    # Created with these permissions: if they were set afterwards, others could read the file in between.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text + "\n")


def _user_name(answer: dict[str, Any]) -> str:
    claims = answer.get("id_token_claims")
    name = claims.get("preferred_username") if isinstance(claims, dict) else None
    return str(name or "an unnamed user")


def _reason(answer: dict[str, Any]) -> str:
    reason = str(answer.get("error_description") or answer.get("error") or "the response contains no refresh token")
    return f"Sign-in failed: {reason.splitlines()[0]}"


def _failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_graph_cancel.login",
        description="Sign in as a person by entering a code in a browser, and print an Airflow connection that acts on "
        "their behalf. The app registration must allow public client flows and have the delegated permission "
        "Calendars.ReadWrite.",
    )
    parser.add_argument("--client-id", required=True, help="application (client) ID of the app registration")
    parser.add_argument("--tenant-id", required=True, help="directory (tenant) ID")
    parser.add_argument("--cloud", choices=list(CLOUDS), default=GLOBAL, help="default: %(default)s")
    parser.add_argument("--scope", action="append", help="delegated permission; default: Calendars.ReadWrite")
    parser.add_argument(
        "--conn-id",
        default="graph_calendar_default",
        help="connection ID in the suggested command; default: %(default)s",
    )
    parser.add_argument("--output", type=Path, help="write the connection to this file instead of printing it")
    parser.add_argument("--base-url", help="address of Graph, if it is not the cloud's")
    parser.add_argument("--authority", help="address of the login server, if it is not the cloud's")
    parser.add_argument("--verify", help="path of the CA bundle to trust")
    return parser


if __name__ == "__main__":
    sys.exit(main())
