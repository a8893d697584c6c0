"""The sandbox stands alone, built from what is known of the service, not from a client; its parts have an order."""

from __future__ import annotations

import ast
import graphlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import airflow_graph_cancel.sandbox

FOLDER = Path(airflow_graph_cancel.sandbox.__file__).parent
SANDBOX = "airflow_graph_cancel.sandbox"
FOREIGN = ("airflow", "msgraph", "msgraph_core", "kiota_abstractions", "kiota_http", "httpx", "aiohttp", "azure")


def imports(path: Path) -> Iterator[str]:
    """Yield every module or name that a file imports, wherever in it; ``.`` for a relative import."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ("." * node.level or f"{node.module}.{each.name}" for each in node.names)


def file_of(folder: Path, name: str) -> Path | None:
    """Return the file of the sandbox that is loaded for a name, if one is."""
    parts = name.removeprefix(SANDBOX).split(".")[1:]
    for found in (parts, parts[:-1]):
        for path in (folder.joinpath(*found).with_suffix(".py"), folder.joinpath(*found, "__init__.py")):
            if path.is_file():
                return path
    return None


def part_of(folder: Path, path: Path) -> str:
    """Return the part of the sandbox that a file belongs to: a folder, or a file beside the folders."""
    return path.relative_to(folder).parts[0].removesuffix(".py")


def order(folder: Path) -> list[str]:
    """Return the parts from top to bottom: the package itself, and what its docstring lists."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))) or ""
    return ["__init__", *re.findall(r"^- ``(\w+)``", text, re.M)]


def violations(folder: Path) -> list[str]:
    """Return what breaks the rules: imports of something foreign, arrows upward, circles, parts without a place."""
    parts = order(folder)
    found: list[str] = []
    arrows: dict[Path, set[Path]] = {}
    for path in sorted(folder.rglob("*.py")):
        where, part = path.relative_to(folder).as_posix(), part_of(folder, path)
        if part not in parts:
            found.append(f"{part} has no place in the order")
            continue
        for name in imports(path):
            if name.startswith("."):
                found.append(f"{where} imports relatively")
            elif name.split(".")[0] in FOREIGN:
                found.append(f"{where} imports {name}")
            elif name.split(".")[0] == "airflow_graph_cancel":
                target = file_of(folder, name) if f"{name}.".startswith(f"{SANDBOX}.") else None
                if target is None:
                    found.append(f"{where} imports {name}")
                elif parts.index(part_of(folder, target)) < parts.index(part):
                    found.append(f"{where} imports {name}, which is above it")
                else:
                    arrows.setdefault(path, set()).add(target)
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        found.append(f"a circle: {', '.join(sorted({path.relative_to(folder).as_posix() for path in error.args[1]}))}")
    return found


def test_nothing_foreign_no_arrow_upward_and_no_circle() -> None:
    """No module names Airflow, a Graph SDK, an HTTP client, or the rest of this package; arrows run down."""
    assert violations(FOLDER) == []
    assert {part_of(FOLDER, path) for path in FOLDER.rglob("*.py")} == set(order(FOLDER))


@pytest.mark.parametrize(
    ("file", "line", "violation"),
    [
        pytest.param("state.py", "import airflow.sdk", "state.py imports airflow.sdk", id="airflow"),
        pytest.param("tenant/store.py", "import aiohttp", "tenant/store.py imports aiohttp", id="an HTTP client"),
        pytest.param(
            "graph_api/call.py",
            "def f():\n    from msgraph import x",
            "graph_api/call.py imports msgraph.x",
            id="within a function",
        ),
        pytest.param(
            "graph_api/deep/er.py",
            "import azure.identity",
            "graph_api/deep/er.py imports azure.identity",
            id="within a folder in a folder",
        ),
        pytest.param(
            "entra/tokens.py", "from . import sign_ins", "entra/tokens.py imports relatively", id="relatively"
        ),
        pytest.param(
            "traffic/faults.py",
            "from airflow_graph_cancel.graph.model import plan",
            "traffic/faults.py imports airflow_graph_cancel.graph.model.plan",
            id="the rest of the package",
        ),
        pytest.param(
            "tenant/deep/er.py",
            f"from {SANDBOX}.traffic import faults",
            f"tenant/deep/er.py imports {SANDBOX}.traffic.faults, which is above it",
            id="upward",
        ),
        pytest.param(
            "state.py",
            f"if TYPE_CHECKING:\n    from {SANDBOX}.entra.tokens import Person",
            f"state.py imports {SANDBOX}.entra.tokens.Person, which is above it",
            id="upward for a type",
        ),
        pytest.param(
            "graph_api/odata.py",
            f"if TYPE_CHECKING:\n    from {SANDBOX}.graph_api.directory import rooms",
            "a circle: graph_api/directory.py, graph_api/odata.py",
            id="in a circle",
        ),
        pytest.param("extra/new.py", "", "extra has no place in the order", id="a part without a place"),
    ],
)
def test_each_rule_can_be_broken(tmp_path: Path, file: str, line: str, violation: str) -> None:
    """A violation that is planted in a copy is found, in a folder within a folder too."""
    copy = shutil.copytree(FOLDER, tmp_path / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    planted = copy / file
    planted.parent.mkdir(parents=True, exist_ok=True)
    with planted.open("a") as opened:
        opened.write(f"\n{line}\n")
    assert violations(copy) == [violation]


def test_each_folder_says_what_belongs_in_it() -> None:
    """In the docstring of its ``__init__``, in which there is no code."""
    for path in FOLDER.rglob("__init__.py"):
        (only,) = ast.parse(path.read_text(encoding="utf-8")).body
        assert isinstance(only, ast.Expr), path
        assert isinstance(only.value, ast.Constant), path


def loaded_by(statement: str) -> set[str]:
    """Return the modules that a statement loads beyond those that Python itself, or a ``.pth`` file, has loaded."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(ended.stdout.split())


def test_running_it_loads_none_of_them_either() -> None:
    """Nothing of them comes in by way of something else."""
    modules = ("server.server", "sample_tenant.fixtures", "entra.managed_identity")
    loaded = loaded_by(f"import {', '.join(f'{SANDBOX}.{each}' for each in modules)}")
    assert not loaded & set(FOREIGN)
    ours = {each for each in loaded if each.startswith("airflow_graph_cancel.")}
    assert f"{SANDBOX}.server.server" in ours
    assert all(f"{each}.".startswith(f"{SANDBOX}.") for each in ours)


def test_its_client_costs_a_test_suite_nothing() -> None:
    """The client needs the standard library alone."""
    own = {each.split(".")[0] for each in loaded_by(f"import {SANDBOX}.client")} - set(sys.stdlib_module_names)
    assert {each for each in own if not each.startswith("_")} == {"airflow_graph_cancel"}
