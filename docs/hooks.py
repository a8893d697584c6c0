"""Fill the pages from the code, which keeps both in agreement.

Supports these directives, each alone on its line::

    <!-- snippet: example_dags/cancel_one_meeting.py#cancel_one_meeting -->
    <!-- json: docs/snippets/connections/client_secret.json -->
    <!-- page: docs/benchmarks.md -->
    <!-- modules: airflow_graph_cancel/graph -->
    <!-- connection fields -->

``snippet`` inserts the lines between ``[START name]`` and ``[END name]`` in a file, ``json`` a whole file as a code
block, ``page`` a generated Markdown file, ``modules`` a table of a package's subpackages and modules with the first
paragraphs of their docstrings, and ``connection fields`` a table of the connection form. A missing file or any other
HTML comment fails the build.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path

from mkdocs.exceptions import PluginError

from airflow_graph_cancel.get_provider_info import CONNECTION_FIELDS

ROOT = Path(__file__).parents[1]
_DIRECTIVE = re.compile(r"^<!--\s*(.*?)\s*-->$", re.MULTILINE)
_SNIPPET = re.compile(r"snippet: (?P<path>\S+)#(?P<name>\w+)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the directives of one page (mkdocs event)."""
    return _DIRECTIVE.sub(lambda found: _filled(found[1]), markdown)


def _filled(directive: str) -> str:
    if directive == "connection fields":
        return _connection_fields()
    if directive.startswith("modules: "):
        return _modules(directive.removeprefix("modules: "))
    if directive.startswith("page: "):
        return _text(directive.removeprefix("page: "))
    if snippet := _SNIPPET.fullmatch(directive):
        return _code(snippet["path"], snippet["name"])
    if directive.startswith("json: "):
        return f"```json\n{_text(directive.removeprefix('json: ')).strip()}\n```"
    raise PluginError(f"Unknown directive {directive!r}.")


def _text(path: str) -> str:
    file = ROOT / path
    if not file.is_file():
        raise PluginError(f"File not found: {path}.")
    return file.read_text(encoding="utf-8")


def _code(path: str, name: str) -> str:
    section = re.compile(rf"^[ ]*# \[START {name}\]\n(.*?)^[ ]*# \[END {name}\]$", re.MULTILINE | re.DOTALL)
    sections = section.findall(_text(path))
    if len(sections) != 1:
        raise PluginError(f"{path} must have one section [START {name}] to [END {name}], but has {len(sections)}.")
    return f'```python title="{path}"\n{textwrap.dedent(sections[0]).strip()}\n```'


def _modules(path: str) -> str:
    folder = ROOT / path
    packages = sorted(file.parent for file in folder.glob("*/__init__.py"))
    modules = sorted(file for file in folder.glob("*.py") if file.name != "__init__.py")
    if not packages + modules:
        raise PluginError(f"No modules in {path}.")
    rows = ["| module | purpose |", "| --- | --- |"]
    rows += [f"| `{package.name}/` | {_first_paragraph(package / '__init__.py')} |" for package in packages]
    rows += [f"| `{module.name}` | {_first_paragraph(module)} |" for module in modules]
    return "\n".join(rows)


def _first_paragraph(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    if not docstring:
        raise PluginError(f"{file.relative_to(ROOT)} has no docstring.")
    text = " ".join(docstring.partition("\n\n")[0].split())
    # From reStructuredText to Markdown: ``code`` and :class:`~package.Name`.
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text).replace("``", "`")
    return text.replace("|", "\\|")


def _connection_fields() -> str:
    rows = ["| in the form | in the extras | default | description |", "| --- | --- | --- | --- |"]
    for name, field in CONNECTION_FIELDS.items():
        rows.append(f"| {field['label']} | `{name}` | {_default(field['schema'])} | {field['description']} |")
    return "\n".join(rows)


def _default(schema: Mapping[str, object]) -> str:
    match schema.get("default"):
        case None:
            return ""
        case bool(default):
            return "on" if default else "off"
        case default:
            return f"`{default}`"
