"""What the pages for contributors say about the code is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "airflow_graph_cancel"
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "pages" / "architecture.md"]

_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_PATH = re.compile(r"\.?\w[\w.-]*(/[\w.-]+)*(/|\.(py|md|yml|toml|txt|csv|json|svg))|\.ci/run")
_NAME_IN = re.compile(r"`(\w+)`(?:,? which [^`]*)? in\s+`([\w./-]+\.py)`")


def resolve(path: str) -> Path | None:
    """Return the file or folder that a page means: below the repository or the package."""
    return next((root / path for root in (ROOT, PACKAGE) if (root / path).exists()), None)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_exist(page: Path) -> None:
    """Every file and folder that the page names exists, or is one that commands make."""
    named = [word for code in code_in(page) for word in code.split() if _PATH.fullmatch(word)]
    assert len(named) > 10
    built = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert [path for path in named if path not in built and resolve(path) is None] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_names_are_in_the_files_named_with_them(page: Path) -> None:
    """For "`name` in `file.py`", the file defines or uses that name."""
    pairs = _NAME_IN.findall(page.read_text(encoding="utf-8"))
    assert pairs
    for name, path in pairs:
        file = resolve(path)
        assert file, path
        assert re.search(rf"\b{name}\b", file.read_text(encoding="utf-8")), f"{name} in {path}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    """Every ``make`` command that the page names is in the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"\bmake (\w+)(?=[`\s#])", "\n".join(code_in(page))))
    assert named
    assert named <= targets


def code_in(page: Path) -> list[str]:
    """Return the page's inline code and code blocks."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL)
    return [*blocks, *(f"{code} " for code in _CODE.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)))]
