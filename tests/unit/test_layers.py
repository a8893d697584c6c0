"""What may import what, down to the rooms of graph/ and hooks/, and what importing costs."""

from __future__ import annotations

import ast
import graphlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import airflow_graph_cancel

# The installed one, which is not always the checkout's.
PACKAGE = Path(airflow_graph_cancel.__file__).parent
OURS = "airflow_graph_cancel"
HEAVY = {"aiohttp", "azure", "httpx", "httpx_aiohttp", "kiota_abstractions", "kiota_http", "msgraph", "msgraph_core"}

ORDER = (
    # The local Graph is above everything: nothing imports it. What it imports is tests/sandbox/test_isolation.py's.
    "sandbox",
    "task_groups", "notifications", "sensors", "operators", "triggers", "login", "sharding", "retry", "report",
    "hooks", "hooks.graph_event", "hooks.task_state", "hooks.graph_hook", "hooks.check", "hooks.client_factory",
    "hooks.connection", "hooks.storage", "get_provider_info",
    "graph", "graph.access", "graph.cancel", "graph.find", "graph.dispatch", "graph.http", "graph.auth", "graph.model",
    "graph.formatting", "graph.template_values", "graph.retry_after", "graph.errors", "graph.outcome",
    "__init__",
)  # fmt: skip
"""The rooms from top to bottom: each may import those below it."""
DIVIDED = ("graph", "hooks")
"""Packages whose parts are rooms themselves."""
FORBIDDEN = {
    "graph": {"airflow"},
    "report": {"airflow", *HEAVY},
    **dict.fromkeys(("task_groups", "notifications", "sensors", "operators", "triggers", "retry", "sharding"), HEAVY),
}
"""What a layer must not import of others: Airflow, or SDKs that would load whenever a DAG file is parsed."""


def imports(file: Path) -> Iterator[str]:
    """Yield every module or name that a file imports, wherever in it; ``.`` for a relative import."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ("." * node.level or f"{node.module}.{each.name}" for each in node.names)


def file_of(package: Path, name: str) -> Path:
    """Return the file of our package that is loaded for a module, or for a name in one."""
    parts = name.split(".")[1:]
    for found in (parts, parts[:-1]):
        for file in (package.joinpath(*found).with_suffix(".py"), package.joinpath(*found, "__init__.py")):
            if file.is_file() and file.is_relative_to(package):
                return file
    raise AssertionError(f"{name} is not there")


def room_of(package: Path, file: Path) -> str:
    """Return the room of a file: a folder or a file of the package, or of one that is divided."""
    parts = file.relative_to(package).with_suffix("").parts
    if parts[0] in DIVIDED and parts[1] != "__init__":
        return ".".join(parts[:2])
    return parts[0]


def violations(package: Path) -> list[str]:
    """Return what breaks the rules: arrows upward, circles, imports of what is forbidden, rooms without a place."""
    found: list[str] = []
    arrows: dict[Path, set[Path]] = {}
    for file in sorted(package.rglob("*.py")):
        where, room = file.relative_to(package).as_posix(), room_of(package, file)
        if room not in ORDER:
            found.append(f"{room} has no place in the order")
            continue
        forbidden = FORBIDDEN.get(room.partition(".")[0], set())
        for name in imports(file):
            if name.startswith("."):
                found.append(f"{where} imports relatively")
            elif name.partition(".")[0] in forbidden:
                found.append(f"{where} imports {name}")
            elif name.partition(".")[0] == OURS:
                target = file_of(package, name)
                if ORDER.index(room_of(package, target)) < ORDER.index(room):
                    found.append(f"{where} imports {name}, which is above it")
                elif target != file:
                    arrows.setdefault(file, set()).add(target)
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        found.append(f"a circle: {', '.join(sorted({file.relative_to(package).as_posix() for file in error.args[1]}))}")
    return found


def test_arrows_run_down_and_in_no_circle() -> None:
    """Also those that only a type checker follows. graph/ needs no Airflow, and a DAG file loads no SDK."""
    assert violations(PACKAGE) == []
    assert {room_of(PACKAGE, file) for file in PACKAGE.rglob("*.py")} == set(ORDER)


@pytest.mark.parametrize(
    ("file", "line", "violation"),
    [
        ("graph/cancel/deep/er.py", "import airflow.sdk", "graph/cancel/deep/er.py imports airflow.sdk"),
        ("operators/deep/er.py", "def f():\n    import httpx", "operators/deep/er.py imports httpx"),
        ("report/as_csv.py", "from airflow import models", "report/as_csv.py imports airflow.models"),
        ("graph/utils/text.py", "", "graph.utils has no place in the order"),
        ("graph/find/search.py", "from . import finding", "graph/find/search.py imports relatively"),
        (
            "graph/http/deep/er.py",
            f"from {OURS}.graph.find import rooms",
            f"graph/http/deep/er.py imports {OURS}.graph.find.rooms, which is above it",
        ),
        (
            "graph/model/address.py",
            f"if TYPE_CHECKING:\n    from {OURS}.graph.http.client import GraphClient",
            f"graph/model/address.py imports {OURS}.graph.http.client.GraphClient, which is above it",
        ),
        (
            "hooks/connection/deep/er.py",
            f"import {OURS}.hooks.client_factory",
            f"hooks/connection/deep/er.py imports {OURS}.hooks.client_factory, which is above it",
        ),
        (
            "operators/find.py",
            f"from {OURS}.sandbox import client",
            f"operators/find.py imports {OURS}.sandbox.client, which is above it",
        ),
        (
            "graph/dispatch/mailbox_queue.py",
            f"from {OURS}.graph.dispatch import dispatcher",
            "a circle: graph/dispatch/dispatcher.py, graph/dispatch/mailbox_queue.py",
        ),
    ],
)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, line: str, violation: str) -> None:
    """In a copy of the package, however deep: the test above cannot pass by not looking."""
    package = tmp_path / OURS
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    planted = package / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    with planted.open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    assert violations(package) == [violation]


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
