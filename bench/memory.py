"""The most memory that this process has ever had."""

from __future__ import annotations

import re
import resource
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["peak_mb"]


def peak_mb() -> float:
    """Return it in MB.

    Linux lets a process inherit the peak that ``getrusage`` reports from the one that started it, so that a small one
    would look as large as its parent; the kernel's own high-water mark is of this program alone.
    """
    with suppress(OSError):
        if found := re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE):
            return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)
