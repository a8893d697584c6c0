"""Where and with what it was measured: figures of another machine are not comparable."""

from __future__ import annotations

import os
import platform
import re
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

__all__ = ["described"]

_PACKAGES = ("apache-airflow", "apache-airflow-providers-microsoft-azure", "msgraph-sdk", "httpx", "aiohttp", "O365")


def described() -> list[tuple[str, str]]:
    """Return pairs of what it is and what it is here: the machine as its system names it, and the versions."""
    return [
        ("date", f"{datetime.now(UTC):%Y-%m-%d}"),
        ("processor", f"{os.cpu_count()} cores, {_processor()}"),
        ("memory", f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"),
        ("system", _system()),
        ("Python", platform.python_version()),
        *((name, version(name)) for name in _PACKAGES),
    ]


def _processor() -> str:
    with suppress(OSError):
        if found := re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE):
            return found[1]
    return platform.processor() or platform.machine()


def _system() -> str:
    with suppress(OSError):
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, {platform.system()} {platform.release()}"
    return platform.platform()
