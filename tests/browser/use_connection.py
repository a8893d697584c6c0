"""Use a stored connection in a process of that Airflow: ``use_connection.py CONN_ID [EVENT_ID [USER_ID]]``.

Prints one line of JSON: what the hook makes of the fields, a digest of the certificate's text in place of itself, and,
with an event, the outcome of its cancellation.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys

from airflow.models.connection import Connection

from airflow_graph_cancel.hooks.graph_event import GraphEventHook


async def use(conn_id: str, event_id: str | None = None, user_id: str | None = None) -> dict[str, object]:
    """Read the connection, and cancel the event if there is one."""
    hook = GraphEventHook(conn_id)
    settings = await hook.get_settings()
    key = settings.sign_in.private_key
    found: dict[str, object] = {
        "kind": settings.sign_in.kind,
        "root": settings.root,
        "api_version": settings.api_version,
        "verify": settings.verify,
        "trust_env": settings.trust_env,
        "mailbox": settings.mailbox,
        "preview_only": settings.preview_only,
        "certificate": hashlib.sha256(key.encode()).hexdigest() if key else None,
    }
    if event_id:
        found["outcome"] = (await hook.cancel_event(event_id, "Closed.", user_id=user_id)).outcome
    return found


if __name__ == "__main__":
    name = sys.argv[1]
    # Only a server and a task see the database; a program is given what is in it, as "airflow connections test" does.
    os.environ[f"AIRFLOW_CONN_{name.upper()}"] = Connection.get_connection_from_secrets(name).as_json()
    print(json.dumps(asyncio.run(use(*sys.argv[1:]))))
