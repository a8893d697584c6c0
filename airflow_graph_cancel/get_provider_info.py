"""What Airflow reads of this provider at start-up: plain data, no imports, since every process loads it."""

from __future__ import annotations

from typing import Any

_SIGN_IN, _NETWORK, _SAFETY = "Sign-in", "Cloud and network", "Safety"


def _field(section: str, label: str, description: str, **schema: Any) -> dict[str, Any]:
    """Return one field of the form; optional unless the schema gives it a type of its own."""
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], "section": section, **schema},
    }


def _dropdown(section: str, label: str, description: str, **choices: str) -> dict[str, Any]:
    """Return a field with choices and what the form calls them; the first one is preset."""
    preset = next(iter(choices))
    return _field(
        section, label, description, type="string", enum=list(choices), values_display=choices, default=preset
    )  # fmt: skip


def _switch(section: str, label: str, description: str, *, preset: bool) -> dict[str, Any]:
    return _field(section, label, description, type=["boolean", "null"], default=preset)


CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "credential": _dropdown(
        _SIGN_IN,
        "Credential",
        "How to sign in. Automatic takes the kind whose fields are filled in.",
        auto="Automatic",
        client_secret="App with client secret",
        certificate="App with certificate",
        managed_identity="Managed identity",
        workload_identity="Workload identity (federated token)",
        refresh_token="Person (refresh token)",
        azure_cli="Azure CLI",
        default="Default chain of azure-identity",
    ),
    "tenant_id": _field(
        _SIGN_IN, "Tenant ID", "Directory (tenant) ID of the app registration. Managed identities need none."
    ),
    "certificate_path": _field(
        _SIGN_IN, "Certificate path", "PEM or PKCS12 file with its key on the worker, instead of a client secret."
    ),
    "private_key": _field(
        _SIGN_IN, "Certificate and private key",
        "The certificate and its key as PEM text, instead of a path.", format="multiline",
    ),
    "certificate_password": _field(
        _SIGN_IN, "Certificate password", "Of the certificate's key, if it has one.", format="password"
    ),
    "refresh_token": _field(
        _SIGN_IN, "Refresh token",
        "Of the person who signed in, for /me and group calendars: python -m airflow_graph_cancel.login prints it.",
        format="password",
    ),
    "federated_file": _field(
        _SIGN_IN, "Federated token file",
        "File that proves the workload; blank means AZURE_FEDERATED_TOKEN_FILE of the worker.",
    ),
    "disable_instance_discovery": _switch(
        _SIGN_IN, "Disable instance discovery",
        "For a login authority that Microsoft's directory of clouds does not know.", preset=False,
    ),
    "cloud": _dropdown(
        _NETWORK,
        "Cloud",
        "Sets the addresses of Graph and of the login together; the fields below override them one by one.",
        **{"global": "Global, GCC"},
        us_gov="US Government L4 (GCC High)",
        us_gov_dod="US Government L5 (DoD)",
        china="China (21Vianet)",
        custom="Custom: give Base URL and Authority",
    ),
    "base_url": _field(_NETWORK, "Base URL", "Root of Graph, if it is not the cloud's."),
    "authority": _field(_NETWORK, "Authority", "Login host, if it is not the cloud's."),
    "api_version": _field(_NETWORK, "API version", "Graph version, v1.0 or beta; blank means v1.0."),
    "scopes": _field(_NETWORK, "Scopes", "Comma-separated; blank means /.default of the Graph root."),
    "allowed_hosts": _field(
        _NETWORK, "Allowed hosts",
        "Hosts that may receive the token, comma-separated; blank means the Graph host alone.",
    ),
    "proxies": _field(
        _NETWORK, "Proxies", 'JSON object: {"http": "http://proxy:3128", "https": "...", "no": "host1,host2"}.',
        format="multiline",
    ),
    "verify": _switch(
        _NETWORK, "Verify",
        "Verify TLS certificates. The path of a CA bundle can be given as JSON and then holds for Graph and for the "
        "login.", preset=True,
    ),
    "trust_env": _switch(
        _NETWORK, "Trust environment", "Use proxy and CA settings of the worker's environment.", preset=False
    ),
    "mailbox": _field(
        _SAFETY, "Mailbox",
        "Owner of the events when a task names none: user principal name or object ID. Blank means /me, which needs a "
        "person's sign-in.",
    ),
    "preview_only": _switch(
        _SAFETY, "Preview only",
        "Nothing is ever sent through this connection, whatever a DAG says: tasks read and report.", preset=False,
    ),
}  # fmt: skip
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
