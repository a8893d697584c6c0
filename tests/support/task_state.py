"""Airflow's task state store without Airflow: in memory, and in files that outlive a process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 65_535
"""Bytes of JSON that Airflow takes as one value, as [state_store] max_value_storage_bytes is set by default."""


class TaskStateStore(dict[str, Any]):
    """A task state store in memory; it keeps JSON, as Airflow does, and refuses what Airflow would refuse."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        text = json.dumps(value)
        assert len(text) <= LARGEST
        self[key] = json.loads(text)


class FileTaskStateStore:
    """A task state store that outlives its process; each value is replaced whole, as in a database."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, or the default."""
        file = self._folder / key
        return json.loads(file.read_text()) if file.exists() else default

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        # A kill may leave half a file, so the name is that of no key until the file is whole.
        new = self._folder / f"new_{key}"
        new.write_text(json.dumps(value))
        new.replace(self._folder / key)
