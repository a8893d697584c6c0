"""Airflow's task state store without Airflow: in memory, and in files that outlive a process."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from airflow.sdk.execution_time.context import TaskStateStoreAccessor
from airflow.sdk.state import TaskScope

if TYPE_CHECKING:
    from pydantic import JsonValue

LARGEST = 65_535
"""Bytes of JSON that Airflow takes as one value, as [state_store] max_value_storage_bytes is set by default."""


class TaskStateStore(TaskStateStoreAccessor):
    """A task state store in memory; it keeps JSON, as Airflow does, and refuses what Airflow would refuse.

    :ivar values: what is kept.
    """

    def __init__(self) -> None:
        super().__init__(ti_id=uuid4(), scope=TaskScope(dag_id="dag", run_id="run", task_id="cancel"))
        self.values: dict[str, JsonValue] = {}

    def get(self, key: str, default: JsonValue = None) -> JsonValue:
        """Return a value, or the default."""
        return self.values.get(key, default)

    def set(self, key: str, value: JsonValue, *, retention: timedelta | None = None) -> None:
        """Keep a value."""
        text = json.dumps(value)
        assert len(text) <= LARGEST
        self.values[key] = json.loads(text)


class FileTaskStateStore(TaskStateStore):
    """A task state store that outlives its process; each value is replaced whole, as in a database."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def get(self, key: str, default: JsonValue = None) -> JsonValue:
        """Return a value, or the default."""
        file = self._folder / key
        return cast("JsonValue", json.loads(file.read_text())) if file.exists() else default

    def set(self, key: str, value: JsonValue, *, retention: timedelta | None = None) -> None:
        """Keep a value."""
        # A kill may leave half a file, so the name is that of no key until the file is whole.
        new = self._folder / f"new_{key}"
        new.write_text(json.dumps(value))
        new.replace(self._folder / key)
