"""Cancel Outlook meetings through Microsoft Graph as one step of an Airflow pipeline.

Importing this package costs nothing: the operators, the hook and the sandbox are modules of their own, and the
Microsoft SDKs are loaded by the task that needs them.
"""

from __future__ import annotations

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("airflow-graph-cancel")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
