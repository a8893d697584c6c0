"""Wait for what another process does."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Found = TypeVar("Found")


def until(condition: Callable[[], Found], what: str, seconds: float = 120, every: float = 0.1) -> Found:
    """Wait until a condition holds and return its value.

    :param what: names the condition in the failure of a test in which it never holds.
    :param every: seconds between two looks.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(every)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")
