"""Tables in README and documentation agree with the code."""

from __future__ import annotations

import ast
import dataclasses
import itertools
import re
from pathlib import Path

import pytest

from airflow_graph_cancel.graph import errors
from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import Outcome
from airflow_graph_cancel.sandbox.behaviour import CHOICES, Guesses
from airflow_graph_cancel.sandbox.traffic.faults import KINDS

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "pages"


def table(page: Path, first_heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading."""
    lines = iter(page.read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.startswith(f"| {first_heading} |"):
            next(lines)
            rows = itertools.takewhile(lambda row: row.startswith("|"), lines)
            return [[cell.strip() for cell in row.strip()[1:-1].split("|")] for row in rows]
    raise AssertionError(f"no table {first_heading!r} in {page.name}")


def words(cell: str) -> list[str]:
    """Return what a cell shows as code."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("page", [ROOT / "README.md", PAGES / "outcomes.md"], ids=lambda page: page.name)
def test_every_outcome_is_explained(page: Path) -> None:
    """Pipelines branch on these words, so no outcome is missing and none is made up."""
    explained = [word for row in table(page, "outcome") for word in words(row[0])]
    assert sorted(explained) == sorted(Outcome)


def test_every_address_is_in_the_table() -> None:
    """The table of addresses has every form that is accepted, with its path, and no other."""
    accepted = set()
    for user, group, calendar_group, calendar in itertools.product(
        (None, "u"), (None, "g"), (None, "default", "cg"), (None, "default", "c")
    ):
        try:
            address = EventAddress("id", user, group, calendar, calendar_group)
        except InvalidInputError:
            continue
        accepted.add((user, group, calendar_group, calendar, f"{address.path}/cancel"))
    rows = table(PAGES / "operator.md", "`user_id` | `group_id` | `calendar_group_id`")
    shown = {(*[re.sub(r'[`"]', "", cell) or None for cell in row[:4]], re.sub(r"[`{}]", "", row[4])) for row in rows}
    assert shown == accepted


def test_every_fault_is_in_the_table() -> None:
    """A fault that nobody can look up is not used."""
    assert sorted(word for row in table(PAGES / "sandbox.md", "kind") for word in words(row[0])) == sorted(KINDS)


def test_every_guess_is_in_the_table() -> None:
    """With all its values, the default first."""
    shown = {words(row[0])[0]: words(row[1]) for row in table(PAGES / "sandbox.md", "guess")}
    defaults = {field.name: str(field.default) for field in dataclasses.fields(Guesses)}
    assert shown.keys() == defaults.keys()
    for name, values in shown.items():
        assert float(values[0]) == float(defaults[name]) if name == "effect_delay" else values[0] == defaults[name]
        assert sorted(values) == sorted(CHOICES.get(name, values)), name


def test_every_error_is_in_the_table() -> None:
    """Tasks that call the hook catch errors by these names."""
    shown = {word for row in table(PAGES / "operator.md", "error") for word in words(" ".join(row))}
    assert set(errors.__all__) - {"GraphCancelError"} <= shown


@pytest.mark.parametrize("package", ["graph", "hooks", "sandbox"])
def test_every_module_is_in_the_table(package: str) -> None:
    """The architecture page shows subpackages and modules with the first paragraphs of their docstrings."""
    page = (PAGES / "architecture.md").read_text(encoding="utf-8")
    section = page.partition(f"### {package}/\n\n")[2]
    shown = [*itertools.takewhile(bool, section.splitlines())]
    folder = ROOT / "airflow_graph_cancel" / package
    packages = sorted(file.parent for file in folder.glob("*/__init__.py"))
    modules = sorted(file for file in folder.glob("*.py") if file.name != "__init__.py")
    assert packages
    assert shown == [
        "| module | purpose |",
        "| --- | --- |",
        *(f"| `{package}/{each.name}/` | {purpose(each / '__init__.py')} |" for each in packages),
        *(f"| `{package}/{each.name}` | {purpose(each)} |" for each in modules),
    ]


def purpose(file: Path) -> str:
    """Return the first paragraph of a module's docstring as Markdown in a table."""
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    text = " ".join(docstring.partition("\n\n")[0].split())
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text).replace("``", "`").replace("|", "\\|")
