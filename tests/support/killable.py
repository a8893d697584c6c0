"""Cancel events with a state store of files, to be killed: ``python -m tests.support.killable FOLDER EVENTS.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.support.operators import cancel_events
from tests.support.task_state import FileTaskStateStore

if __name__ == "__main__":
    folder, events = map(Path, sys.argv[1:])
    cancel_events(json.loads(events.read_text()), FileTaskStateStore(folder), concurrency=16)
