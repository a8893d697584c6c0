"""Read the files that a cancelling task and a report leave."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def outcome_rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a cancelling task's report, one for each event."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def csv_and_text(file: Path) -> tuple[list[dict[str, str]], str]:
    """Return the rows of a report's CSV file, and the Markdown beside it."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines)), file.with_suffix(".md").read_text(encoding="utf-8")
