"""The sandbox stands alone: it is built from what is known of the service, not from a client."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_graph_cancel.sandbox

FOLDER = Path(airflow_graph_cancel.sandbox.__file__).parent
FOREIGN = ("airflow", "msgraph", "msgraph_core", "kiota_abstractions", "kiota_http", "httpx", "aiohttp", "azure")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_it_imports_nothing_of_the_provider_nor_of_any_client(path: Path) -> None:
    """No module names Airflow, a Graph SDK, an HTTP client, or the rest of this package."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names = [node.module or ""]
        else:
            continue
        for name in names:
            assert name.split(".")[0] not in FOREIGN
            assert not name.startswith("airflow_graph_cancel") or name.startswith("airflow_graph_cancel.sandbox")


def test_running_it_loads_none_of_them_either() -> None:
    """Nothing of them comes in by way of something else."""
    modules = ("server.server", "server.tls", "sample_tenant.fixtures", "entra.managed_identity")
    code = (
        f"import sys; {'; '.join(f'import airflow_graph_cancel.sandbox.{each}' for each in modules)};"
        f"found = sorted(set({FOREIGN!r}) & set(sys.modules));"
        "rest = [name for name in sys.modules if name.startswith('airflow_graph_cancel.') "
        "and not name.startswith('airflow_graph_cancel.sandbox')];"
        "print(found, rest)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "[] []"


def test_its_client_costs_a_test_suite_nothing() -> None:
    """The client needs the standard library alone."""
    code = (
        "import sys; import airflow_graph_cancel.sandbox.client;"
        "own = {name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names);"
        "print(sorted(name for name in own if not name.startswith('_')))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.strip() == "['airflow_graph_cancel']"
