"""The metadata that Airflow reads at start-up: plain data without imports, because every process loads it."""

from __future__ import annotations

from typing import Any

# The form shows the sections in the order in which they first occur below.
_SIGN_IN, _SAFETY, _NETWORK = "Sign-in", "Mailbox and safety", "Cloud and network"


def _field(section: str, label: str, description: str, **schema: Any) -> dict[str, Any]:
    """Return one field of the form: optional, and text unless the schema says otherwise.

    The form requires a field whose type does not allow null. Which fields are required depends on the credential, so
    the hook checks that instead.
    """
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], "section": section, **schema},
    }


def _dropdown(section: str, label: str, description: str, **choices: str) -> dict[str, Any]:
    """Return a dropdown; ``choices`` maps values to their labels, and the first one is the default."""
    preset = next(iter(choices))
    return _field(section, label, description, enum=list(choices), values_display=choices, default=preset)


def _switch(section: str, label: str, description: str) -> dict[str, Any]:
    """Return a switch that is off by default."""
    return _field(section, label, description, type=["boolean", "null"], default=False)


CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "credential": _dropdown(
        _SIGN_IN,
        "Credential",
        "How to sign in. Automatic uses the one that is filled in: a client secret (under Standard Fields), a "
        "certificate, a refresh token or a federated token file. Choose any other kind here.",
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
        _SIGN_IN, "Tenant ID",
        "Directory (tenant) ID, from the app registration's page in Entra. Not needed for managed identity, Azure CLI "
        "and the default chain.",
    ),
    "certificate_path": _field(
        _SIGN_IN, "Certificate path",
        "For an app with certificate: path of a PEM or PKCS12 file with the certificate and its private key. The file "
        "must exist on every machine that uses this connection.",
    ),
    "private_key": _field(
        _SIGN_IN, "Certificate and private key",
        "Instead of a path: the certificate and its private key as text, both PEM blocks with their BEGIN and END "
        "lines.",
        format="multiline",
    ),
    "certificate_password": _field(
        _SIGN_IN, "Certificate password",
        "For an app with certificate: password of the private key, if it has one.",
        format="password",
    ),
    "refresh_token": _field(
        _SIGN_IN, "Refresh token",
        "For a person, as printed by python -m airflow_graph_cancel.login. Needed for /me and group calendars.",
        format="password",
    ),
    "federated_file": _field(
        _SIGN_IN, "Federated token file",
        "For workload identity: path of the file with its token. If blank, AZURE_FEDERATED_TOKEN_FILE on the worker.",
    ),
    "mailbox": _field(
        _SAFETY, "Mailbox",
        "Owner of the events for tasks that name none: an address such as ada@contoso.example, or an object ID. The "
        "connection test reads this calendar. If blank, the calendar of the person who signed in.",
    ),
    "preview_only": _switch(
        _SAFETY, "Preview only",
        "If on, nothing is ever sent through this connection, regardless of the DAG: tasks only read and report.",
    ),
    "cloud": _dropdown(
        _NETWORK,
        "Cloud",
        "The tenant's cloud. Sets the addresses of Graph and of the login server; the next fields override them.",
        **{"global": "Global, GCC"},
        us_gov="US Government L4 (GCC High)",
        us_gov_dod="US Government L5 (DoD)",
        china="China (21Vianet)",
        custom="Custom: set Base URL and Authority",
    ),
    "base_url": _field(
        _NETWORK, "Base URL", "Address of Graph, such as https://graph.microsoft.com. If blank, the cloud's."
    ),
    "authority": _field(
        _NETWORK, "Authority",
        "Address of the login server, such as https://login.microsoftonline.com. If blank, the cloud's.",
    ),
    "disable_instance_discovery": _switch(
        _NETWORK, "Disable instance discovery",
        "If on, Microsoft is not asked whether the Authority is its own. For a private cloud or a gateway.",
    ),
    "scopes": _field(
        _NETWORK, "Scopes", "Scopes of the token, comma-separated. If blank, /.default of the Base URL."
    ),
    "allowed_hosts": _field(
        _NETWORK, "Allowed hosts", "Hosts that may receive the token, comma-separated. If blank, only Graph's."
    ),
    "api_version": _dropdown(
        _NETWORK, "API version", "Version of Graph; a task can override it.", **{"v1.0": "v1.0"}, beta="beta"
    ),
    "proxies": _field(
        _NETWORK, "Proxies",
        'As JSON: {"http": "http://proxy:3128", "https": "http://proxy:3128", "no": "host1,host2"}. If blank, none.',
        format="multiline",
    ),
    "verify": _field(
        _NETWORK, "Verify",
        "CA certificates to trust for Graph and the login server: path of a file or folder, which must exist on every "
        "machine that uses this connection. If blank, the public CAs. The word false turns verification off.",
    ),
    "trust_env": _switch(
        _NETWORK, "Trust environment", "If on, the worker's HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE are used as well."
    ),
}  # fmt: skip
"""Extras of a ``graph_calendar`` connection; error messages use their labels."""


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
                    "airflow_graph_cancel.operators.approve",
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
                    "hidden-fields": ["host", "schema"],
                    # The Test button of Airflow 3.3 fails for a connection without a port, and there is no default.
                    "relabeling": {"login": "Client ID", "password": "Client Secret", "port": "Port (enter 443)"},
                    "placeholders": {
                        "login": "Application (client) ID; blank for a system-assigned identity",
                        "password": "The secret's value, not its ID",
                        "port": "Without a port the Test button fails",
                    },
                },
                "conn-fields": CONNECTION_FIELDS,
            }
        ],
    }
