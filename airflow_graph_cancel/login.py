"""``python -m airflow_graph_cancel.login``: sign in as a person once, and print the connection that acts for them.

For ``/me`` and group calendars, which an app cannot use by itself. The person signs in in a browser, on any device;
what is printed holds their refresh token and is as secret as their password.

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

    :param arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    cloud = CLOUDS[options.cloud]
    root = (options.base_url or cloud.root).rstrip("/")
    authority = (options.authority or cloud.authority).rstrip("/")
    server = LoginServer(f"{authority}/{options.tenant_id}", options.verify or True, trust_env=True)
    try:
        with server.session() as session:
            answer = _sign_in(
                PublicClientApplication(
                    options.client_id, authority=server.authority, http_client=session, instance_discovery=False
                ),
                [f"{root}/{scope}" for scope in options.scope or SCOPES],
            )
    except GraphCancelError as error:
        return _failed(str(error))
    except (ValueError, OSError) as error:
        return _failed(f"The login at {authority} could not be used ({type(error).__name__}).")
    if "refresh_token" not in answer:
        return _failed(_explained(answer))
    connection = _connection(options, answer["refresh_token"])
    text = json.dumps(connection, indent=2)
    if options.output is None:
        print(text)
    else:
        _write(options.output, text)
        print(f"Written to {options.output}, readable by you alone.", file=sys.stderr)
    print(
        f"Signed in as {_who(answer)}. This connection acts for them: put it into a secrets backend, or "
        f"`airflow connections add {options.conn_id} --conn-json ...`.",
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
    # Made with these rights, and not given them afterwards: in between anybody could read it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text + "\n")


def _who(answer: dict[str, Any]) -> str:
    claims = answer.get("id_token_claims")
    return str(claims.get("preferred_username") or "somebody") if isinstance(claims, dict) else "somebody"


def _explained(answer: dict[str, Any]) -> str:
    said = str(answer.get("error_description") or answer.get("error") or "no refresh token was given")
    return f"Sign-in failed: {said.splitlines()[0]}"


def _failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_graph_cancel.login",
        description="Sign in as a person with a code in the browser, and print an Airflow connection that acts for "
        "them. The app registration must allow public client flows and have the delegated permission "
        "Calendars.ReadWrite.",
    )
    parser.add_argument("--client-id", required=True, help="application (client) ID of the app registration")
    parser.add_argument("--tenant-id", required=True, help="directory (tenant) ID")
    parser.add_argument("--cloud", choices=list(CLOUDS), default=GLOBAL, help="default: %(default)s")
    parser.add_argument("--scope", action="append", help="delegated permission; default: Calendars.ReadWrite")
    parser.add_argument("--conn-id", default="graph_calendar_default", help="for the command that is suggested")
    parser.add_argument("--output", type=Path, help="write the connection to this file instead of printing it")
    parser.add_argument("--base-url", help="root of Graph, if it is not the cloud's")
    parser.add_argument("--authority", help="login host, if it is not the cloud's")
    parser.add_argument("--verify", help="path of a CA bundle")
    return parser


if __name__ == "__main__":
    sys.exit(main())
