"""Which versions of Python and Airflow are supported is said alike in every place that says it."""

from __future__ import annotations

import re
import runpy
import shlex
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MATRIX = runpy.run_path(str(ROOT / ".ci" / "matrix.py"))
PYTHONS: list[str] = MATRIX["PYTHONS"]
CONSTRAINTS: dict[str, Path] = MATRIX["CONSTRAINTS"]


def read(name: str) -> str:
    """The text of a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def as_numbers(version: str) -> tuple[int, ...]:
    """A version to compare."""
    return tuple(map(int, version.split(".")))


def test_python_versions_agree() -> None:
    """Classifiers, which the matrix goes by, requires-python, the Makefile, CI, README and documentation."""
    minors = [as_numbers(version)[1] for version in PYTHONS]
    oldest, newest = PYTHONS[0], PYTHONS[-1]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert PROJECT["project"]["requires-python"] == f">={oldest}"
    assert f"PYTHON ?= >={oldest},<3.{minors[-1] + 1}\n" in read("Makefile")
    in_ci = re.search(
        r"^  matrix:\n.*?python-version: \|\n((?: +3\.\d+\n)+)", read(".github/workflows/ci.yml"), re.S | re.M
    )
    assert in_ci
    assert sorted(in_ci[1].split()) == PYTHONS
    for name in ("README.md", "CONTRIBUTING.md", "docs/pages/index.md", "docs/pages/install.md"):
        said = re.findall(r"\b3\.\d+ to 3\.\d+\b", read(name))
        assert said, name
        assert set(said) == {f"{oldest} to {newest}"}, name


def test_the_oldest_airflow_is_the_one_that_is_run() -> None:
    """The dependency's floor is the oldest release whose constraints are in the matrix, and what people read."""
    (floor,) = re.findall(r"apache-airflow>=([\d.]+)", " ".join(PROJECT["project"]["dependencies"]))
    releases = [name.removeprefix("airflow-") for name in CONSTRAINTS]
    assert min(releases, key=as_numbers) == floor
    for name in ("README.md", "docs/pages/index.md", "docs/pages/install.md", "docs/pages/architecture.md"):
        assert f"Airflow {floor}" in read(name) or f"| Airflow | {floor}" in read(name), name


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_are_plain_pins(name: str) -> None:
    """One ``name==version`` a line, of the release that the file is named after."""
    lines = CONSTRAINTS[name].read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.]*", line) for line in lines)
    assert f"apache-airflow=={name.removeprefix('airflow-')}" in lines


def test_every_floor_is_one_that_the_matrix_can_run() -> None:
    """Each requirement has a floor and no cap, so that its lowest version is known and new ones are not kept out."""
    project = PROJECT["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["sandbox"]]
    for requirement in [*requirements, *PROJECT["dependency-groups"]["test"]]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+(; .*)?", requirement)


def test_ci_runs_cells_that_exist() -> None:
    """A misspelt cell would only fail on the day that it is needed."""
    (cells,) = re.findall(r'^make matrix CELLS="(.+)"$', read(".ci/run"), re.M)
    assert [cell.dependencies for cell in MATRIX["parse_cells"](shlex.split(cells))] == ["airflow-3.3.1", "lowest"]
    with pytest.raises(SystemExit, match="is not a cell"):
        MATRIX["parse_cells"](["3.11/airflow-3.3"])


def test_a_floor_that_is_not_installed_fails_its_cell() -> None:
    """Otherwise a floor would be a guess: another package may keep that version out."""
    check = MATRIX["not_at_their_floor"]
    project = PROJECT["project"]
    requirements = [*project["dependencies"], *project["optional-dependencies"]["sandbox"]]
    requirements += PROJECT["dependency-groups"]["test"]
    floors = dict(re.findall(r"^([\w-]+)>=([\d.]+)", "\n".join(requirements), re.M))
    installed = {name.lower(): version for name, version in floors.items()}
    assert check(installed) == []
    assert check({**installed, "httpx": "0.28.1", "msal": "1.32.0"}) == ["httpx is 0.28.1 instead of 0.27"]
