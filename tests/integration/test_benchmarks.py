"""The benchmarks cannot pass by accident."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.client import Sandbox

from bench import __main__ as bench
from bench.closures import make
from bench.measuring import verified
from bench.results import Promise, Section


def section(*, kept: bool) -> Section:
    """A measurement."""
    return Section("Speed", "How it was done.", ("", "cancels/s"), [("ours", "7")], [Promise("at least 8", "7", kept)])


@pytest.mark.parametrize(("kept", "code"), [(True, 0), (False, 1)])
def test_a_broken_promise_fails_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: bool, code: int) -> None:
    """The exit code and the page both show a broken promise."""
    monkeypatch.setattr(
        bench, "MEASUREMENTS", {"good": lambda: section(kept=True), "other": lambda: section(kept=kept)}
    )
    monkeypatch.setattr(bench, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(bench, "described", lambda: [("Python", "3")])
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert bench.main([]) == code
    page = (tmp_path / "page.md").read_text()
    assert ("| at least 8 | 7 | **broken** |" in page) is not kept
    assert "| ours | 7 |" in page
    assert "| Python | 3 |" in page


def test_a_single_measurement_leaves_the_page_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only a complete run replaces the published figures."""
    monkeypatch.setattr(bench, "MEASUREMENTS", {"good": lambda: section(kept=True)})
    monkeypatch.setattr(bench, "PAGE", tmp_path / "page.md")
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    assert bench.main(["good"]) == 0
    assert not (tmp_path / "page.md").exists()


def test_a_table_shows_what_was_broken() -> None:
    """The terminal shows a broken promise as clearly as the page."""
    said = io.StringIO()
    section(kept=False).show(Console(file=said, width=80))
    assert "BROKEN  at least 8: 7" in said.getvalue()


def test_who_leaves_out_an_event_is_no_contender(sandbox: Sandbox) -> None:
    """Speed counts only if every attendee was told, by the local Graph's own ledger."""
    rows = make(sandbox, (2, 1))
    assert len({row["event_id"] for row in rows}) == 3
    with pytest.raises(RuntimeError, match="nobody told 0 of 3"):
        verified(sandbox, rows, "nobody")
