"""Airflow lists the provider and draws its connection form."""

from __future__ import annotations

import subprocess
import sys

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS, get_provider_info

INFO = get_provider_info()


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
    assert set(ours.extra_fields or ()) == set(CONNECTION_FIELDS)
