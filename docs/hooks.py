"""Fill the pages from the code, which keeps both in agreement.

Supports these directives, each alone on its line::

    <!-- snippet: example_dags/cancel_one_meeting.py#cancel_one_meeting -->
    <!-- json: docs/snippets/connections/client_secret.json -->
    <!-- page: docs/benchmarks.md -->
    <!-- connection fields -->

``snippet`` inserts the lines between ``[START name]`` and ``[END name]`` in a file, ``json`` a whole file as a code
block, ``page`` a generated Markdown file, and ``connection fields`` a table of the connection form. A missing file or
any other HTML comment fails the build.
"""

from __future__ import annotations

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
