"""The Airflow connections to a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.entra.app_registrations import PERSON_APP, SECRET, TENANT_ID

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.tenant.entities import Json


def connection(url: str, ca: Path, app: str = "sandbox-app") -> Json:
    """Return a ``graph_calendar`` connection as JSON.

    :param url: Address of the sandbox, without a path.
    :param ca: Certificate authority to trust.
    :param app: Client id; all applications have the same secret.
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


def person_connection(url: str, ca: Path) -> Json:
    """Return the connection whose tokens act for a person, for ``/me`` and ``/groups``."""
    return connection(url, ca, PERSON_APP)
