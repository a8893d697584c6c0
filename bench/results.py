"""What a benchmark found: for a terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["Promise", "Section"]


@dataclass(frozen=True)
class Promise:
    """A promise, and whether it was kept.

    :param promised: with its bound.
    :param measured: in the same unit.
    """

    promised: str
    measured: str
    kept: bool


@dataclass(frozen=True)
class Section:
    """One table, and the promises that its figures support.

    :param explained: what was measured, and how; Markdown.
    :param rows: a first cell that names what was measured, then figures.
    """

    title: str
    explained: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    promises: Sequence[Promise]

    @property
    def kept(self) -> bool:
        """Whether no promise was broken."""
        return all(promise.kept for promise in self.promises)

    def show(self, console: Console) -> None:
        """Print the table and the promises."""
        table = Table(title=self.title, title_justify="left")
        for place, heading in enumerate(self.headings):
            table.add_column(heading, justify="right" if place else "left")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)
        for promise in self.promises:
            kept = "kept  " if promise.kept else "BROKEN"
            console.print(f"{kept}  {promise.promised}: {promise.measured}", soft_wrap=True, highlight=False)
        console.print()

    def markdown(self) -> str:
        """Return it as a section of a page."""
        lines = [f"## {self.title}", "", self.explained, ""]
        lines += [_row(self.headings), _row(["---", *["---:"] * (len(self.headings) - 1)])]
        lines += [_row(row) for row in self.rows]
        lines += ["", "| promised | measured | |", "| --- | --- | --- |"]
        lines += [_row((each.promised, each.measured, "kept" if each.kept else "**broken**")) for each in self.promises]
        return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
