"""A process that is killed in the middle of many events leaves nothing to guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.killing import kill_and_retry

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_graph_cancel.sandbox.client import Sandbox


@pytest.mark.parametrize("percent", [20, 45, 70])
def test_killed_at(sandbox: Sandbox, tmp_path: Path, percent: int) -> None:
    """SIGKILL, then the retry: one message each, all reported as cancelled, what was settled not sent again."""
    kill_and_retry(sandbox, tmp_path, percent, each=20)
