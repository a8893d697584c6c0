"""README and documentation: snippets run, commands exist, links resolve, and the site builds."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = ROOT / "docs"


def blocks(language: str) -> list[str]:
    """The README's code blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_python_in_the_readme_comes_from_examples_that_tests_run() -> None:
    """Each snippet is part of an example that tests run."""
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
    """Every ``make`` target that the README names is in the Makefile."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    promised = set(re.findall(r"^make (\w+)", "\n".join(blocks("sh")), flags=re.MULTILINE))
    assert {"demo", "test"} <= promised <= targets


def test_the_connection_in_the_readme_is_valid() -> None:
    """It is valid JSON, and its extras are known fields."""
    (text,) = re.findall(r"AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT='(.*?)'", README, flags=re.DOTALL)
    connection = json.loads(text)
    assert connection["conn_type"] == "graph_calendar"
    assert connection["extra"].keys() <= CONNECTION_FIELDS.keys()


def test_links_in_the_readme_lead_somewhere() -> None:
    """Relative links point to files that exist."""
    for link in re.findall(r"\]\(([^)#]+)\)", README):
        if "://" not in link:
            assert (ROOT / link).is_file(), link


def test_the_documentation_builds_without_warnings(tmp_path: Path) -> None:
    """Broken links, missing snippets and unknown directives fail the strict build."""
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(DOCS / "mkdocs.yml"), "-d", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "index.html").is_file()
    # The site contains the sandbox's secret, and the last test of a run searches everything that was written for it.
    shutil.rmtree(tmp_path)


def test_the_rehearsal_in_the_documentation_passes(tmp_path: Path) -> None:
    """The example test for users runs and passes."""
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(DOCS / "snippets" / "test_rehearsal.py")],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    assert "1 passed" in ran.stdout


def test_the_sandboxs_options_are_documented() -> None:
    """Every option in the sandbox's ``--help`` is on its page."""
    page = (DOCS / "pages" / "sandbox.md").read_text(encoding="utf-8")
    shown = subprocess.run(
        [sys.executable, "-m", "airflow_graph_cancel.sandbox", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for option in set(re.findall(r"--[a-z-]+", shown)) - {"--help"}:
        assert option in page, option
