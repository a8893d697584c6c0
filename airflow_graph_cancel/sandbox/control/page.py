"""The sandbox's front page: what happens in the tenant, to look at instead of reading a ledger."""

from __future__ import annotations

import functools
import importlib.resources


@functools.cache
def front_page() -> str:
    """Return the page as one self-contained HTML text; it asks ``/sandbox/state`` for everything that it shows."""
    return importlib.resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
