"""What may import what, and what importing costs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import airflow_graph_cancel

PACKAGE = Path(airflow_graph_cancel.__file__).parent
OURS = "airflow_graph_cancel"
HEAVY = {"aiohttp", "azure", "httpx", "httpx_aiohttp", "kiota_abstractions", "kiota_http", "msgraph", "msgraph_core"}


def imports(file: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def below(folder: str) -> list[Path]:
    """The Python files of one layer."""
    files = sorted((PACKAGE / folder).rglob("*.py"))
    assert files, f"{folder} is empty: this test would pass for nothing"
    return files


@pytest.mark.parametrize(
    ("layer", "forbidden"),
    [
        ("graph", ("airflow", f"{OURS}.hooks", f"{OURS}.operators", f"{OURS}.sandbox")),
        ("hooks", (f"{OURS}.operators", f"{OURS}.sandbox")),
        ("operators", (f"{OURS}.sandbox", *sorted(HEAVY))),
        ("sensors", (f"{OURS}.sandbox", *sorted(HEAVY))),
        ("triggers", (f"{OURS}.operators", f"{OURS}.sandbox", *sorted(HEAVY))),
        ("notifications", (f"{OURS}.sandbox", *sorted(HEAVY))),
        ("report", ("airflow", *(f"{OURS}.{layer}" for layer in ("hooks", "operators", "sandbox")))),
        (
            "sandbox",
            ("airflow", "msgraph", "kiota_abstractions", f"{OURS}.graph", f"{OURS}.hooks", f"{OURS}.operators"),
        ),
    ],
)
def test_arrows_run_one_way(layer: str, forbidden: tuple[str, ...]) -> None:
    """graph <- hooks <- operators; what people read needs none of them; the sandbox must not be bent to our client."""
    broken = [
        f"{file.relative_to(PACKAGE)} imports {name}"
        for file in below(layer)
        for name in sorted(imports(file))
        if any(name == root or name.startswith(f"{root}.") for root in forbidden)
    ]
    assert not broken


def test_reports_know_of_the_graph_only_its_values() -> None:
    """Outcomes, plan rows and how both are shown: no request, and nothing that loads an SDK."""
    known = {f"{OURS}.graph.{module}" for module in ("formatting", "model.plan", "outcome")}
    used = {name for file in below("report") for name in imports(file) if name.startswith(f"{OURS}.graph")}
    assert used == known


def modules_after(statement: str) -> set[str]:
    """Top-level modules that a statement loads beyond what Airflow's SDK itself has loaded."""
    program = (
        "import json, sys\n"
        "from airflow.sdk.bases.operator import BaseAsyncOperator\n"
        "before = set(sys.modules)\n"
        f"{statement}\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_importing_the_operators_loads_no_sdk() -> None:
    """DAG files are parsed all the time: the Microsoft SDKs are loaded by the task that needs them."""
    modules = ("operators.cancel", "operators.find", "sensors.cancelled", "triggers.cancelled", "task_groups", "retry")
    assert modules_after(f"import {', '.join(f'{OURS}.{module}' for module in modules)}") & HEAVY == set()


def test_importing_the_notifier_loads_no_sdk() -> None:
    """The same for a DAG file that only has a callback."""
    assert modules_after(f"import {OURS}.notifications.cancel_event") & HEAVY == set()


def test_the_module_check_can_fail() -> None:
    """The hook does load them, so that an empty result above means something."""
    assert {"azure", "kiota_http"} <= modules_after(f"import {OURS}.hooks.graph_event")
