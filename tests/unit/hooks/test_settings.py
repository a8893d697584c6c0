"""A connection is read alike whether a form, a URI or a person wrote it, and what is wrong is named by its label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk import Connection

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS
from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.connection.settings import GraphSettings

if TYPE_CHECKING:
    from pathlib import Path

COMPLETE: dict[str, Any] = {"conn_type": "graph_calendar", "login": "client", "password": "s3cret"}


def settings(extra: dict[str, object] | None = None, api_version: str | None = None, **fields: Any) -> GraphSettings:
    """Parse a connection that is complete but for what is given."""
    connection = Connection(conn_id="c", **{**COMPLETE, **fields})
    return GraphSettings.from_connection(connection, {"tenant_id": "t", **(extra or {})}, api_version=api_version)


@pytest.mark.parametrize("blank", [None, "", "  "], ids=repr)
def test_null_empty_and_missing_are_alike(blank: str | None) -> None:
    """The 3.3 form stores every blank as null, which the azure provider's own hook fails on."""
    blanks = dict.fromkeys(CONNECTION_FIELDS, blank)
    assert settings({**blanks, "tenant_id": "t"}, host=blank) == settings()


def test_the_defaults() -> None:
    """With the three fields that nobody can guess, the rest is right for the global cloud."""
    plain = settings()
    assert plain.base_url == "https://graph.microsoft.com/v1.0"
    assert plain.scopes == ("https://graph.microsoft.com/.default",)
    assert plain.allowed_hosts == ("graph.microsoft.com",)
    assert (plain.verify, plain.trust_env, plain.preview_only, plain.mailbox) == (True, False, False, None)


@pytest.mark.parametrize(
    ("extra", "fields", "base_url"),
    [
        ({"base_url": "https://graph.microsoft.us"}, {}, "https://graph.microsoft.us/v1.0"),
        ({"base_url": "https://graph.microsoft.us/v1.0/"}, {}, "https://graph.microsoft.us/v1.0"),
        ({"base_url": "https://graph.microsoft.us/beta", "api_version": "v1.0"}, {}, "https://graph.microsoft.us/beta"),
        ({"api_version": "beta"}, {}, "https://graph.microsoft.com/beta"),
        (
            {},
            {"host": "https://graph.microsoft.com", "schema": "https", "port": 443},
            "https://graph.microsoft.com/v1.0",
        ),
        ({}, {"host": "graph.microsoft.us", "schema": "https"}, "https://graph.microsoft.us/v1.0"),
        ({}, {"host": "localhost", "port": 8443}, "https://localhost:8443/v1.0"),
        ({}, {"host": "localhost:8443"}, "https://localhost:8443/v1.0"),
        ({"base_url": "https://gateway.contoso.example/graph/"}, {}, "https://gateway.contoso.example/graph/v1.0"),
    ],
)
def test_the_root_of_graph(extra: dict[str, object], fields: dict[str, Any], base_url: str) -> None:
    """Whether the version stands in the URL, and whether a slash ends it, makes no difference."""
    assert settings(extra, **fields).base_url == base_url


def test_a_task_may_choose_the_version() -> None:
    """The operator's api_version wins over both of the connection's."""
    assert settings({"base_url": "https://graph.microsoft.com/v1.0"}, "beta").base_url.endswith("/beta")


@pytest.mark.parametrize(
    ("extra", "fields", "label"),
    [
        ({"tenant_id": None}, {}, "Tenant ID"),
        ({}, {"login": ""}, "Client ID"),
        ({}, {"password": None}, "Client Secret"),
        ({"base_url": "graph"}, {}, "Base URL"),
        ({"base_url": "http://graph.microsoft.com"}, {}, "Base URL"),
        ({"base_url": "https://user:pw@graph.microsoft.com"}, {}, "Base URL"),
        ({}, {"host": "http://graph.microsoft.com"}, "Graph host"),
        ({"authority": "http://login"}, {}, "Authority"),
        ({"api_version": "v2"}, {}, "API version"),
        ({"preview_only": "perhaps"}, {}, "Preview only"),
        ({"preview_only": 1}, {}, "Preview only"),
        ({"preview_onyl": True}, {}, "Preview only"),
        ({"previewOnly": True}, {}, "Preview only"),
        ({"PREVIEW_ONLY": True}, {}, "Preview only"),
        ({"Preview Only": True}, {}, "Preview only"),
        ({"extra__graph_calendar__preview_only": True}, {}, "Preview only"),
        ({"verify": "/no/such/ca.pem"}, {}, "Verify"),
        ({"proxies": "http://proxy"}, {}, "Proxies"),
        ({"proxies": '["http://proxy"]'}, {}, "Proxies"),
        ({"allowed_hosts": "login.microsoftonline.com"}, {}, "Allowed hosts"),
        ({"mailbox": 7}, {}, "Mailbox"),
    ],
)
def test_what_is_wrong_is_named_by_its_label(extra: dict[str, object], fields: dict[str, Any], label: str) -> None:
    """The person who reads the error looks at a form, not at a dictionary."""
    with pytest.raises(ConnectionSettingsError, match=label):
        settings(extra, **fields)


@pytest.mark.parametrize("value", [True, "true", "True", "1", "yes"], ids=repr)
def test_a_guard_given_as_text_is_on(value: object) -> None:
    """A connection URI has only text; "true" must not be read as anything else."""
    assert settings({"preview_only": value}).preview_only is True


def test_an_authority_does_not_change_who_may_receive_the_token() -> None:
    """The parent hook takes the authority for the allowed host and then sends no token to Graph."""
    cloud = settings({"authority": "login.microsoftonline.us", "base_url": "https://graph.microsoft.us"})
    assert cloud.authority == "https://login.microsoftonline.us"
    assert cloud.allowed_hosts == ("graph.microsoft.us",)
    assert cloud.scopes == ("https://graph.microsoft.us/.default",)


def test_lists_may_be_text_or_lists(tmp_path: Path) -> None:
    """Scopes, hosts and proxies are accepted in the forms that an msgraph connection has them in."""
    assert settings({"scopes": "a, b"}).scopes == settings({"scopes": ["a", "b"]}).scopes == ("a", "b")
    assert settings({"allowed_hosts": "https://graph.microsoft.com:443, other"}).allowed_hosts == (
        "graph.microsoft.com", "other",
    )  # fmt: skip
    for proxies in ({"https": "http://p"}, '{"https": "http://p"}', "{'https': 'http://p', 'no': None}"):
        assert settings({"proxies": proxies}).proxies == {"https": "http://p"}
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    assert settings({"verify": str(bundle)}).verify == str(bundle)


def test_no_secret_is_in_the_representation() -> None:
    """Settings that end up in a log or a traceback give nothing away."""
    person = {"credential": "refresh_token", "refresh_token": "r0tating"}
    shown = repr(settings({**person, "proxies": {"https": "http://u:pw@p"}}))
    assert not any(secret in shown for secret in ("s3cret", "r0tating", "pw@"))
