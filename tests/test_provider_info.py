"""Airflow finds the provider, and what it finds is true."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import airflow
import jsonschema
import pytest
from packaging.utils import canonicalize_name

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS, get_provider_info

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


def test_optional_fields_may_be_left_blank() -> None:
    """The form stars a field, and keeps its owner from saving, unless its type admits null."""
    for field in CONNECTION_FIELDS.values():
        assert "null" in field["schema"]["type"] or field["schema"]["default"] in field["schema"]["enum"]


def test_airflow_lists_the_provider_and_its_form(airflow_db: None) -> None:
    """``airflow providers list`` shows it, and the UI draws our form."""
    listed = subprocess.run(
        [sys.executable, "-m", "airflow", "providers", "list", "--output", "json"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "airflow-graph-cancel" in listed.stdout

    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    (ours,) = [meta for meta in HookMetaService.hook_meta_data() if meta.connection_type == "graph_calendar"]
    assert ours.hook_name == "Microsoft Graph Calendar"
    assert set(ours.extra_fields) == set(CONNECTION_FIELDS)
