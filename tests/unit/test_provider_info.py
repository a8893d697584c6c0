"""Airflow finds the provider, and what it finds is true."""

from __future__ import annotations

import json
from importlib import import_module, metadata
from itertools import groupby
from pathlib import Path

import airflow
import jsonschema
import pytest
from airflow.sdk.log import redact
from packaging.utils import canonicalize_name

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS, get_provider_info
from airflow_graph_cancel.hooks.connection.clouds import CLOUDS, CUSTOM
from airflow_graph_cancel.hooks.connection.credential_kind import Kind
from airflow_graph_cancel.hooks.connection.fields import VERSIONS

INFO = get_provider_info()


@pytest.mark.parametrize("name", ["provider_info.schema.json", "provider.yaml.schema.json"])
def test_the_metadata_fits_airflows_schemas(name: str) -> None:
    """A dictionary that does not fit breaks every Airflow command, even ``airflow version``."""
    schema = json.loads((Path(airflow.__file__).parent / name).read_text(encoding="utf-8"))
    for key in {"connection-types", "notifications"} & schema["properties"].keys():
        jsonschema.validate(INFO[key], {**schema["properties"][key], "definitions": schema.get("definitions", {})})
    if name.startswith("provider_info"):
        jsonschema.validate(INFO, schema)


def test_the_entry_point_is_installed_under_the_distributions_name() -> None:
    """Airflow refuses to start if the name differs from the distribution's canonical one."""
    (entry,) = [
        entry
        for entry in metadata.entry_points(group="apache_airflow_provider")
        if entry.value.startswith("airflow_graph_cancel.")
    ]
    assert entry.load()() == INFO
    assert entry.dist
    assert canonicalize_name(entry.dist.name) == INFO["package-name"]


def test_every_dotted_path_can_be_imported() -> None:
    """A listing that names what is not there would drop the connection type without an error."""
    for group in ("hooks", "operators"):
        for item in INFO[group]:
            for module in item["python-modules"]:
                import_module(module)
    for path in INFO["notifications"]:
        module, name = path.rsplit(".", 1)
        assert hasattr(import_module(module), name)
    for connection in INFO["connection-types"]:
        module, name = connection["hook-class-name"].rsplit(".", 1)
        hook = getattr(import_module(module), name)
        assert (hook.conn_type, hook.hook_name) == (connection["connection-type"], connection["hook-name"])


def test_the_msgraph_type_stays_with_its_owner() -> None:
    """Two providers of one connection type do not fail: the later one takes it over in silence."""
    assert [connection["connection-type"] for connection in INFO["connection-types"]] == ["graph_calendar"]


@pytest.mark.parametrize("name", CONNECTION_FIELDS)
def test_every_field_may_be_left_blank(name: str) -> None:
    """The form stars a field, and keeps its owner from saving, unless its type admits null."""
    assert "null" in CONNECTION_FIELDS[name]["schema"]["type"]


def test_dropdowns_offer_what_the_hook_understands() -> None:
    """All of it and nothing else, each choice with words for it, and one preset."""
    understood = {"credential": {"auto", *Kind}, "cloud": {*CLOUDS, CUSTOM}, "api_version": {*VERSIONS}}
    offered = {name: field["schema"] for name, field in CONNECTION_FIELDS.items() if "enum" in field["schema"]}
    assert {name: set(schema["enum"]) for name, schema in offered.items()} == understood
    for schema in offered.values():
        assert list(schema["values_display"]) == schema["enum"]
        assert schema["default"] in schema["enum"]


def test_sections_are_whole() -> None:
    """The form draws a section where it first occurs: a field that stands apart would be drawn elsewhere."""
    sections = [field["schema"]["section"] for field in CONNECTION_FIELDS.values()]
    assert [section for section, _ in groupby(sections)] == ["Sign-in", "Mailbox and safety", "Cloud and network"]


def test_secrets_are_masked_by_airflow() -> None:
    """Airflow masks them by name in the form, the API and logs, and shows all other fields."""
    shown = redact(dict.fromkeys(CONNECTION_FIELDS, "a value"))
    assert isinstance(shown, dict)
    masked = {name for name, value in shown.items() if value == "***"}
    assert masked == {"private_key", "certificate_password", "refresh_token", "proxies"}
    hidden = {name for name, field in CONNECTION_FIELDS.items() if field["schema"].get("format") == "password"}
    assert hidden == {"certificate_password", "refresh_token"}
