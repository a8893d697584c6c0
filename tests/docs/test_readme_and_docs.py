"""What is written for people is true."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS
from airflow_graph_cancel.graph.outcome import Outcome

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = ROOT / "docs"


def blocks(language: str) -> list[str]:
    """The README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_in_the_readme_comes_from_examples_that_tests_run() -> None:
    """A snippet that nobody runs is wrong sooner or later."""
    sections = [
        textwrap.dedent(section)
        for file in (ROOT / "example_dags").glob("*.py")
        for section in re.findall(
            r"# \[START \w+\]\n(.*?)\s*# \[END", file.read_text(encoding="utf-8"), flags=re.DOTALL
        )
    ]
    assert blocks("python")
    for block in blocks("python"):
        assert any(block.strip() in section for section in sections), block


def test_commands_in_the_readme_exist() -> None:
    """Every make target that is promised is there."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    promised = set(re.findall(r"^make (\w+)", "\n".join(blocks("sh")), flags=re.MULTILINE))
    assert {"demo", "test"} <= promised <= targets


def test_the_connection_in_the_readme_is_one() -> None:
    """It is JSON, and its extras are fields that we read."""
    (text,) = re.findall(r"AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT='(.*?)'", README, flags=re.DOTALL)
    connection = json.loads(text)
    assert connection["conn_type"] == "graph_calendar"
    assert connection["extra"].keys() <= CONNECTION_FIELDS.keys()


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "pages" / "outcomes.md"], ids=lambda page: page.name)
def test_every_outcome_is_explained(page: Path) -> None:
    """A word that a pipeline branches on is not left to guessing."""
    rows = "\n".join(line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("|"))
    assert all(f"`{outcome}`" in rows for outcome in Outcome)


def test_links_in_the_readme_lead_somewhere() -> None:
    """Relative links point to files that are there."""
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in link:
            assert (ROOT / link).is_file(), link


def test_the_documentation_builds_without_warnings(tmp_path: Path) -> None:
    """Dead links, missing snippets and unknown fields end the build."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(DOCS / "mkdocs.yml"), "-d", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "index.html").is_file()
    # It names the local Graph's secret, which the last test of a run looks for in everything that was written.
    shutil.rmtree(tmp_path)


def test_the_rehearsal_in_the_documentation_passes(tmp_path: Path) -> None:
    """The pytest that users are shown is one that runs."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(DOCS / "snippets" / "test_rehearsal.py")],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_the_sandboxs_options_are_documented() -> None:
    """Everything that the local Graph's help lists is in its page."""
    page = (DOCS / "pages" / "sandbox.md").read_text(encoding="utf-8")
    shown = subprocess.run(
        [sys.executable, "-m", "airflow_graph_cancel.sandbox", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in set(re.findall(r"--[a-z-]+", shown)) - {"--help"}:
        assert option in page, option
