"""Git hooks, CI workflow and templates work, and agree with the Makefile."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOOKS = ROOT / ".pre-commit-config.yaml"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"

GOOD = {
    "pyproject.toml": '[tool.ruff.lint]\nselect = ["F"]\n[tool.mypy]\nfiles = ["module.py"]\nstrict = true\n',
    "module.py": "def double(number: int) -> int:\n    return 2 * number\n",
}
BAD = {
    "ruff-check": ("module.py", "import os\n"),
    "ruff-format": ("module.py", "answer  =  42\n"),
    "mypy": ("module.py", 'answer: int = "text"\n'),
    "workflows": (".github/workflows/ci.yml", "name: CI\non: push\njobs: []\n"),
    "issue-forms": (".github/ISSUE_TEMPLATE/bug.yml", "name: Bug\ndescription: Without a body\n"),
    "issue-config": (".github/ISSUE_TEMPLATE/config.yml", "blank_issues_enabled: perhaps\n"),
    "dependabot": (".github/dependabot.yml", "version: 2\nupdates: none\n"),
    "zizmor": (
        ".github/workflows/ci.yml",
        "name: CI\non: push\njobs:\n  all:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: someone/action@v1\n",
    ),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A Git repository with this one's hooks and forge files, and one small module."""
    shutil.copy(HOOKS, tmp_path)
    shutil.copytree(ROOT / ".github", tmp_path / ".github")
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".gitignore").write_text(".venv\n.*_cache\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def run_hooks(repository: Path, *hooks: str) -> dict[str, str]:
    """Run hooks, by default all of them, on all files; return "Passed" or "Failed" by the hook's name."""
    subprocess.run(["git", "add", "--all"], cwd=repository, check=True)
    ran = subprocess.run(
        [Path(sys.prefix) / "bin" / "prek", "run", *hooks, "--all-files", "--color=never"],
        env={**os.environ, "PREK_HOME": str(repository / ".git" / "prek"), "MYPY_CACHE_DIR": os.devnull},
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return dict(re.findall(r"^(.+?)\.{3,}.*?(Passed|Failed|Skipped)$", ran.stdout, flags=re.MULTILINE))


def hook_names() -> dict[str, str]:
    """The hooks' names by id."""
    return dict(re.findall(r"- id: (\S+)\n\s+name: (.+)", HOOKS.read_text(encoding="utf-8")))


def test_every_hook_passes_on_good_files(repository: Path) -> None:
    """The forge's files in this repository follow their schemas, and hooks do not block a good commit."""
    assert run_hooks(repository) == dict.fromkeys(hook_names().values(), "Passed")


@pytest.mark.parametrize("hook", BAD)
def test_every_hook_fails_on_a_bad_file(repository: Path, hook: str) -> None:
    """A hook that cannot fail protects nothing."""
    name, text = BAD[hook]
    (repository / name).write_text(text, encoding="utf-8")
    assert run_hooks(repository, hook) == {hook_names()[hook]: "Failed"}


def test_no_hook_is_untested() -> None:
    """Each hook has a file above that makes it fail."""
    assert hook_names().keys() == BAD.keys()


def test_hooks_run_the_tools_of_make_lint() -> None:
    """A commit that passes the hooks passes ``make lint``: same commands, from the same environment."""
    recipe = re.search(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE)
    assert recipe
    commands = re.findall(r"\$\(BIN\)/(ruff \w+|mypy)", recipe[1])
    entries = re.findall(r"entry: \.venv/bin/(ruff \w+|mypy)", HOOKS.read_text(encoding="utf-8"))
    assert commands
    assert sorted(commands) == sorted(entries)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_workflows_call_make_targets_that_exist(workflow: Path) -> None:
    """CI on a forge runs what a contributor runs, and nothing else."""
    targets = set(re.findall(r"^(\w+):", MAKEFILE, flags=re.MULTILINE))
    commands = re.findall(r"^\s*-? ?run: (.*)$", workflow.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert commands
    for command in commands:
        make, target, *_ = command.split()
        assert make == "make"
        assert target in targets, command


def test_the_bug_form_asks_for_what_a_diagnosis_needs() -> None:
    """Versions, outcome row and request id are asked for, secrets and attendee data are not."""
    form = (FORMS / "bug.yml").read_text(encoding="utf-8")
    assert {"what", "versions", "row", "request-id"} <= set(re.findall(r"^    id: (\S+)$", form, flags=re.MULTILINE))
    assert "Do not paste secrets or attendee data" in form
