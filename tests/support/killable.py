"""Run the bulk operator with a state store of files, to be killed in the middle: ``killable.py FOLDER EVENTS.json``."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator


class FileStore:
    """A task state store that outlives its process; each value is replaced whole, as in a database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or the default."""
        file = self._folder / key
        return json.loads(file.read_text()) if file.exists() else default

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        # Under a name of no key, for a kill may leave half of it.
        new = self._folder / f"new_{key}"
        new.write_text(json.dumps(value))
        new.replace(self._folder / key)


def run(folder: Path, events: list[dict[str, str]], **arguments: Any) -> dict[str, Any]:
    """Cancel the events and return what the task would."""
    operator = GraphCancelEventsOperator(task_id="cancel", events=events, comment="Closed.", **arguments)
    return asyncio.run(operator.aexecute({"task_state_store": FileStore(folder)}))  # type: ignore[typeddict-item]


if __name__ == "__main__":
    run(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), concurrency=16)
