"""What Airflow reads of this provider at start-up: plain data, no imports, since every process loads it."""

from __future__ import annotations

from typing import Any

# The form draws the sections in the order in which they first occur below.
_SIGN_IN, _SAFETY, _NETWORK = "Sign-in", "Mailbox and safety", "Cloud and network"


def _field(section: str, label: str, description: str, **schema: Any) -> dict[str, Any]:
    """Return one field of the form: text, unless the schema says otherwise, and optional.

    The form stars a field whose type does not admit null, and keeps its owner from saving while it is blank; what is
    needed depends on the credential, so that the hook says it and not the form.
    """
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], "section": section, **schema},
    }


def _dropdown(section: str, label: str, description: str, **choices: str) -> dict[str, Any]:
    """Return a field with choices and what the form calls them; the first one is preset."""
    preset = next(iter(choices))
    return _field(section, label, description, enum=list(choices), values_display=choices, default=preset)


def _switch(section: str, label: str, description: str) -> dict[str, Any]:
    """Return a field that is on or off; off is preset."""
    return _field(section, label, description, type=["boolean", "null"], default=False)


CONNECTION_FIELDS: dict[str, dict[str, Any]] = {
    "credential": _dropdown(
        _SIGN_IN,
        "Credential",
        "How to sign in. Automatic goes by what is filled in: a client secret (under Standard Fields), a certificate, "
        "a refresh token or a federated token file. Anything else must be chosen.",
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
        "Directory (tenant) ID on the app registration's page in Entra. Managed identity, Azure CLI and default chain "
        "need none.",
    ),
    "certificate_path": _field(
        _SIGN_IN, "Certificate path",
        "App with certificate: path of a PEM or PKCS12 file with the certificate and its private key, on every machine "
        "that uses this connection.",
    ),
    "private_key": _field(
        _SIGN_IN, "Certificate and private key",
        "Or, in place of a path, the same as text: both PEM blocks, with their BEGIN and END lines.",
        format="multiline",
    ),
    "certificate_password": _field(
        _SIGN_IN, "Certificate password", "App with certificate: of the private key, if it has one.", format="password"
    ),
    "refresh_token": _field(
        _SIGN_IN, "Refresh token",
        "Person: what python -m airflow_graph_cancel.login prints. Needed for /me and for group calendars.",
        format="password",
    ),
    "federated_file": _field(
        _SIGN_IN, "Federated token file",
        "Workload identity: path of the file that holds its token. Blank: the worker's AZURE_FEDERATED_TOKEN_FILE.",
    ),
    "mailbox": _field(
        _SAFETY, "Mailbox",
        "Whose calendar is meant when a task names none: an address, such as ada@contoso.example, or an object ID. "
        "Testing the connection reads it. Blank: that of the person who signed in.",
    ),
    "preview_only": _switch(
        _SAFETY, "Preview only",
        "On: nothing is ever sent through this connection, whatever a DAG says; tasks read and report.",
    ),
    "cloud": _dropdown(
        _NETWORK,
        "Cloud",
        "Where the tenant is. Sets the addresses of Graph and of the login; the next fields override them one by one.",
        **{"global": "Global, GCC"},
        us_gov="US Government L4 (GCC High)",
        us_gov_dod="US Government L5 (DoD)",
        china="China (21Vianet)",
        custom="Custom: give Base URL and Authority",
    ),
    "base_url": _field(
        _NETWORK, "Base URL", "Address of Graph, such as https://graph.microsoft.com. Blank: the cloud's."
    ),
    "authority": _field(
        _NETWORK, "Authority", "Address of the login, such as https://login.microsoftonline.com. Blank: the cloud's."
    ),
    "disable_instance_discovery": _switch(
        _NETWORK, "Disable instance discovery",
        "On: do not ask Microsoft whether the Authority is one of its own. For a private cloud or a gateway.",
    ),
    "scopes": _field(
        _NETWORK, "Scopes", "What the token is asked for, comma-separated. Blank: /.default of the Base URL."
    ),
    "allowed_hosts": _field(
        _NETWORK, "Allowed hosts", "Hosts that may receive the token, comma-separated. Blank: that of Graph alone."
    ),
    "api_version": _dropdown(
        _NETWORK, "API version", "Of Graph. A task may name another.", **{"v1.0": "v1.0"}, beta="beta"
    ),
    "proxies": _field(
        _NETWORK, "Proxies",
        'As JSON: {"http": "http://proxy:3128", "https": "http://proxy:3128", "no": "host1,host2"}. Blank: none.',
        format="multiline",
    ),
    "verify": _field(
        _NETWORK, "Verify",
        "Whom to trust with TLS, for Graph and the login: path of a file or folder with CA certificates, on every "
        "machine that uses this connection. Blank: the public CAs. The word false turns verification off.",
    ),
    "trust_env": _switch(
        _NETWORK, "Trust environment", "On: HTTPS_PROXY, NO_PROXY and SSL_CERT_FILE of the worker count as well."
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
                    # Airflow 3.3 refuses to test from the UI what is stored without a port, and presets none.
                    "relabeling": {"login": "Client ID", "password": "Client Secret", "port": "Port (enter 443)"},
                    "placeholders": {
                        "login": "Application (client) ID in Entra; blank: system-assigned identity",
                        "password": "The secret's value, not its ID",
                        "port": "Without a port the Test button fails",
                    },
                },
                "conn-fields": CONNECTION_FIELDS,
            }
        ],
    }
