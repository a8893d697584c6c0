"""What Airflow reads of this provider at start-up: plain data, no imports, since every process loads it."""

from __future__ import annotations

from typing import Any

CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "tenant_id": {
        "label": "Tenant ID",
        "description": "Required. Directory (tenant) ID of the app registration.",
        "schema": {"type": ["string", "null"]},
    },
    "mailbox": {
        "label": "Mailbox",
        "description": "Owner of the events when a task names none: user principal name or object ID. "
        "Blank means /me, which app-only sign-in cannot use.",
        "schema": {"type": ["string", "null"]},
    },
    "preview_only": {
        "label": "Preview only",
        "description": "Nothing is ever sent through this connection, whatever a DAG says: tasks read and report.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
    "certificate_path": {
        "label": "Certificate path",
        "description": "PEM or PKCS12 file on the worker, instead of a client secret. "
        "Its password, if it has one, goes into Client Secret.",
        "schema": {"type": ["string", "null"]},
    },
    "certificate_data": {
        "label": "Certificate data",
        "description": "The certificate itself instead of a path. Airflow shows this field to whoever may read "
        "the connection: prefer a path.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
    "api_version": {
        "label": "API version",
        "description": "Graph version, v1.0 or beta; blank means v1.0.",
        "schema": {"type": ["string", "null"]},
    },
    "base_url": {
        "label": "Base URL",
        "description": "Root of Graph if it is not https://graph.microsoft.com: a national cloud or a local Graph.",
        "schema": {"type": ["string", "null"]},
    },
    "authority": {
        "label": "Authority",
        "description": "Login host of a national cloud; blank means https://login.microsoftonline.com.",
        "schema": {"type": ["string", "null"]},
    },
    "scopes": {
        "label": "Scopes",
        "description": "Comma-separated; blank means /.default of the Graph root.",
        "schema": {"type": ["string", "null"]},
    },
    "allowed_hosts": {
        "label": "Allowed hosts",
        "description": "Hosts that may receive the token, comma-separated; blank means the Graph host alone.",
        "schema": {"type": ["string", "null"]},
    },
    "proxies": {
        "label": "Proxies",
        "description": 'JSON object: {"http": "http://proxy:3128", "https": "...", "no": "host1,host2"}.',
        "schema": {"type": ["string", "null"], "format": "multiline"},
    },
    "verify": {
        "label": "Verify",
        "description": "Verify TLS certificates. The path of a CA bundle can be given as JSON and then holds for "
        "Graph and for the login.",
        "schema": {"type": ["boolean", "null"], "default": True},
    },
    "trust_env": {
        "label": "Trust environment",
        "description": "Use proxy and CA settings of the worker's environment.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
    "disable_instance_discovery": {
        "label": "Disable instance discovery",
        "description": "For a login authority that Microsoft's directory of clouds does not know.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
}
"""Extras of a ``graph_calendar`` connection; the labels are also what error messages name."""


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata (entry point ``apache_airflow_provider``)."""
    return {
        "package-name": "airflow-graph-cancel",
        "name": "Microsoft Graph Calendar",
        "description": "Cancel Outlook meetings through Microsoft Graph, once each, as one step of a pipeline.",
        "integrations": [
            {
                "integration-name": "Microsoft Graph Calendar",
                "external-doc-url": "https://learn.microsoft.com/graph/api/event-cancel",
                "tags": ["azure"],
            }
        ],
        "hooks": [
            {
                "integration-name": "Microsoft Graph Calendar",
                "python-modules": ["airflow_graph_cancel.hooks.graph_event"],
            }
        ],
        "operators": [
            {
                "integration-name": "Microsoft Graph Calendar",
                "python-modules": [
                    "airflow_graph_cancel.operators.cancel",
                    "airflow_graph_cancel.operators.find",
                    "airflow_graph_cancel.operators.report",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": "Microsoft Graph Calendar",
                "python-modules": ["airflow_graph_cancel.sensors.cancelled"],
            }
        ],
        "triggers": [
            {
                "integration-name": "Microsoft Graph Calendar",
                "python-modules": ["airflow_graph_cancel.triggers.cancelled"],
            }
        ],
        "notifications": ["airflow_graph_cancel.notifications.cancel_event.GraphCancelEventNotifier"],
        "connection-types": [
            {
                "connection-type": "graph_calendar",
                "hook-class-name": "airflow_graph_cancel.hooks.graph_event.GraphEventHook",
                "hook-name": "Microsoft Graph Calendar",
                "ui-field-behaviour": {
                    "hidden-fields": ["schema"],
                    "relabeling": {"login": "Client ID", "password": "Client Secret", "host": "Graph host"},
                    "placeholders": {"host": "graph.microsoft.com", "port": "443"},
                },
                "conn-fields": CONNECTION_FIELDS,
            }
        ],
    }
