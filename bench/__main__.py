"""``make bench``: measure, hold the promises against it, and write ``docs/benchmarks.md``.

With names of measurements only these are made, and nothing is written::

    python -m bench many limited large finding one
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from bench.finding import finding
from bench.large import very_many_events
from bench.machine import described
from bench.many import where_mailboxes_are_many, where_the_service_is_the_limit
from bench.single import one_event

if TYPE_CHECKING:
    from bench.results import Section

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
MEASUREMENTS: dict[str, Callable[[], Section]] = {
    "many": where_mailboxes_are_many,
    "limited": where_the_service_is_the_limit,
    "large": very_many_events,
    "finding": finding,
    "one": one_event,
}
_INTRODUCTION = """\
# Benchmarks

Written by `make bench`, which measures everything in one run, in turn, against the local Graph, and fails if a promise
is broken. Speed is promised as a ratio, for machines differ.
"""


def main(names: list[str]) -> int:
    """Measure, print, write the page if all was measured, and return 1 if a promise is broken."""
    # A shell's own CA settings are for other servers than ours.
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ.pop(name, None)
    # Without a terminal, a log has room enough.
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory(prefix="airflow-bench-") as home:
        os.environ["AIRFLOW_HOME"] = home
        sections = []
        for name in names or MEASUREMENTS:
            section = MEASUREMENTS[name]()
            section.show(console)
            sections.append(section)
    if not names:
        PAGE.write_text(_page(sections), encoding="utf-8")
        console.print(f"Written into {PAGE}.")
    return 0 if all(section.kept for section in sections) else 1


def _page(sections: list[Section]) -> str:
    machine = "\n".join(["| | |", "| --- | --- |", *(f"| {what} | {here} |" for what, here in described())])
    return "\n\n".join([_INTRODUCTION.rstrip(), machine, *(section.markdown() for section in sections)]) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
