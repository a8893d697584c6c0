"""Install the wheel with every supported Python and set of dependencies, and run it there.

A cell is one Python and one set of dependencies: the constraints of an Airflow release, the newest version of
everything, or the lowest version of every direct dependency. Each cell gets its own environment with the wheel in it.
Its tests run in a copy of the checkout without the package, so they can only import the installed one: the unit tests,
the provider's listing and form, and one cancellation in a DAG run against the sandbox.

    python .ci/matrix.py                                       every cell
    python .ci/matrix.py 3.12/newest                           one cell
    python .ci/matrix.py oldest/airflow-3.3.1 newest/lowest    with the oldest and the newest Python on this machine

A Python that is not on this machine is reported as absent. The exit code is 1 if a cell failed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / ".build" / "matrix"
CHECKOUT = WORK / "checkout"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

PYTHONS = [
    found[1]
    for classifier in PROJECT["project"]["classifiers"]
    if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
]
CONSTRAINTS = {file.stem: file for file in sorted((ROOT / "constraints").glob("airflow-*.txt"))}
DEPENDENCIES = [*CONSTRAINTS, "newest", "lowest"]

TESTS = ("tests/unit", "tests/airflow/test_provider_listed.py", "tests/airflow/test_cancel.py::test_cancelled")
SHOWN = ("apache-airflow", "apache-airflow-providers-microsoft-azure", "msgraph-sdk", "uvicorn", "starlette")
COLUMNS = ("python", "dependencies", "airflow", "azure", "msgraph-sdk", "uvicorn", "starlette", "tests", "seconds", "")

# What a shell sets for itself must not reach a clean environment.
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("AIRFLOW", "PYTEST", "PYTHON", "VIRTUAL_ENV", "UV_PROJECT"))
} | {"UV_PYTHON_DOWNLOADS": "never"}

# Prints where the package was imported from, and the version of every installed distribution.
INSPECT = """
import json, airflow_graph_cancel
from importlib.metadata import distributions
from packaging.utils import canonicalize_name
versions = {canonicalize_name(each.name): each.version for each in distributions()}
print(json.dumps([airflow_graph_cancel.__file__, versions]))
"""


class CellFailedError(Exception):
    """A cell could not be installed, or its tests failed."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One Python and one set of dependencies.

    :param python: its version, such as ``3.12``.
    :param interpreter: None if it is not on this machine.
    :param dependencies: one of ``DEPENDENCIES``.
    """

    python: str
    interpreter: Path | None
    dependencies: str

    @property
    def folder(self) -> Path:
        """Where its environment is."""
        return WORK / f"{self.python}-{self.dependencies}"

    @property
    def log(self) -> Path:
        """What its commands said."""
        return self.folder / "log.txt"

    @property
    def _venv(self) -> Path:
        return self.folder / "venv"

    @property
    def _python(self) -> str:
        return str(self._venv / "bin" / "python")

    def install(self, wheel: Path) -> dict[str, str]:
        """Install the wheel into a new environment; return the version of everything in it.

        :raises CellFailedError: saying what failed.
        """
        self.folder.mkdir()
        self._call("create the environment", find_uv(), "venv", "--python", str(self.interpreter), str(self._venv))
        target = ["--python", self._python, "--no-build"]
        constraints = CONSTRAINTS.get(self.dependencies)
        if self.dependencies == "lowest":
            # Only a project's own requirements are direct ones to uv; those of a wheel would be the newest.
            constraints = self.folder / "lowest.txt"
            self._call(
                "resolve the lowest versions",
                find_uv(), "pip", "compile", "pyproject.toml", "--extra", "sandbox", "--group", "test", *target,
                "--resolution", "lowest-direct", "--output-file", str(constraints),
            )  # fmt: skip
        self._call(
            "install the wheel",
            find_uv(), "pip", "install", *target, f"{wheel}[sandbox]", "--group", "pyproject.toml:test",
            *(["--constraint", str(constraints)] if constraints else []),
        )  # fmt: skip
        package, versions = json.loads(self._call("import the package", self._python, "-c", INSPECT))
        if not Path(package).is_relative_to(self.folder):
            raise CellFailedError(f"{package} is not the installed package")
        if self.dependencies == "lowest" and (other := not_at_their_floor(versions)):
            raise CellFailedError(f"not installed at the floor in pyproject.toml: {', '.join(other)}")
        return dict(versions)

    def test(self) -> str:
        """Run the tests in the environment and remove it; return how many passed.

        :raises CellFailedError: if one failed.
        """
        tested = self._call("run the tests", self._python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
        shutil.rmtree(self._venv)
        (passed,) = re.findall(r"(\d+) passed", tested.splitlines()[-1])
        return str(passed)

    def _call(self, what: str, *command: str) -> str:
        # Prepended to PATH, for tests that start a command of the environment.
        path = os.pathsep.join([str(self._venv / "bin"), os.environ["PATH"]])
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n")
            log.flush()
            ran = subprocess.run(
                command, cwd=CHECKOUT, env={**ENVIRONMENT, "PATH": path}, stdout=subprocess.PIPE,
                stderr=log, text=True, check=False,
            )  # fmt: skip
            log.write(ran.stdout)
        if ran.returncode:
            raise CellFailedError(f"could not {what}: see {self.log.relative_to(ROOT)}")
        return ran.stdout


def not_at_their_floor(versions: dict[str, str]) -> list[str]:
    """Return the requirements whose floor is not what is installed."""
    project = PROJECT["project"]
    requirements = [
        *project["dependencies"],
        *project["optional-dependencies"]["sandbox"],
        *PROJECT["dependency-groups"]["test"],
    ]
    wrong = []
    for requirement in requirements:
        ((name, floor),) = re.findall(r"^([\w-]+)>=([\d.]+)", requirement)
        installed = versions.get(name.lower(), "missing")
        if re.sub(r"(\.0)+$", "", installed) != re.sub(r"(\.0)+$", "", floor):
            wrong.append(f"{name} is {installed} instead of {floor}")
    return wrong


@cache
def find_uv() -> str:
    """Return uv from the path, else the one that make fetched."""
    for uv in ("uv", str(ROOT / ".build" / "uv" / "bin" / "uv")):
        if shutil.which(uv) and subprocess.run([uv, "--version"], capture_output=True, check=False).returncode == 0:
            return uv
    sys.exit("There is no uv on this machine. Run: make matrix")


def _find_interpreter(version: str) -> Path | None:
    """Return a Python that uv knows of, else pyenv's, whose commands work only for the version that it has selected."""
    found = subprocess.run(
        [find_uv(), "python", "find", "--system", version],
        env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if found.returncode == 0:
        return Path(found.stdout.strip())
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    return next(iter(sorted(pyenv.glob(f"versions/{version}.*/bin/python"))), None)


def parse_cells(names: list[str]) -> list[Cell]:
    """Return the cells with these names, or all."""
    interpreters = {version: _find_interpreter(version) for version in PYTHONS}
    present = [version for version, interpreter in interpreters.items() if interpreter]
    if not present:
        sys.exit(f"None of Python {', '.join(PYTHONS)} is on this machine.")
    nicknames = {"oldest": present[0], "newest": present[-1]}
    wanted = [name.split("/") for name in names] or [[python, each] for python in PYTHONS for each in DEPENDENCIES]
    cells = []
    for python, dependencies in wanted:
        version = nicknames.get(python, python)
        if version not in PYTHONS or dependencies not in DEPENDENCIES:
            sys.exit(f"{python}/{dependencies} is not a cell. Choose from {PYTHONS} and {DEPENDENCIES}.")
        cells.append(Cell(version, interpreters[version], dependencies))
    return cells


def _prepare() -> Path:
    """Build the wheel, and copy what its tests need; return the wheel."""
    shutil.rmtree(WORK, ignore_errors=True)
    CHECKOUT.mkdir(parents=True)
    for folder in ("tests", "example_dags"):
        shutil.copytree(ROOT / folder, CHECKOUT / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", CHECKOUT)
    subprocess.run([find_uv(), "build", "--quiet", "--wheel", "--out-dir", WORK, ROOT], env=ENVIRONMENT, check=True)
    (wheel,) = WORK.glob("*.whl")
    return wheel


def main(names: list[str]) -> int:
    """Run cells, print one row for each, and the end of the log of those that failed."""
    cells = parse_cells(names)
    wheel = _prepare()
    layout = "{:<6}  {:<13}  {:<7}  {:<6}  {:<11}  {:<7}  {:<9}  {:<5}  {:>7}  {}"
    print(layout.format(*COLUMNS).rstrip())
    failed = []
    for cell in cells:
        if cell.interpreter is None:
            print(layout.format(cell.python, cell.dependencies, *[""] * 7, "absent").rstrip())
            continue
        started = time.monotonic()
        versions: dict[str, str] = {}
        tests, outcome = "", "passed"
        try:
            versions = cell.install(wheel)
            tests = cell.test()
        except CellFailedError as error:
            failed.append(cell)
            outcome = f"FAILED: {error}"
        seconds = f"{time.monotonic() - started:.0f}"
        shown = [versions.get(name, "") for name in SHOWN]
        print(layout.format(cell.python, cell.dependencies, *shown, tests, seconds, outcome).rstrip(), flush=True)
    for cell in failed:
        end = cell.log.read_text(encoding="utf-8").splitlines()[-40:]
        print(f"\n{cell.python}/{cell.dependencies}", *end, sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
