"""The report as one self-contained HTML page: no network, no script."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
from typing import TYPE_CHECKING

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from airflow_graph_cancel.graph.formatting import span, utc
from airflow_graph_cancel.report.content import (
    OUTCOMES,
    REASONS,
    facts,
    label,
    origin,
    part_of_series,
    sections,
    tone,
    verdict,
)

if TYPE_CHECKING:
    from airflow_graph_cancel.report.model import CancellationReport

__all__ = ["to_html"]


def to_html(report: CancellationReport) -> str:
    """Return the report as a page to open, print or attach to a ticket.

    Every value is escaped, because subjects and names are other people's text. Should one slip through all the same,
    the page's content security policy keeps it from loading or running anything.
    """
    style = _file("page.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(
        report=report,
        style=Markup(style),  # our own file
        style_digest=digest,
        facts=facts(report),
        verdict=verdict(report),
        sections=sections(report),
        origin=origin(report),
        outcomes=OUTCOMES,
        reasons=REASONS,
    )


@functools.cache
def _template() -> Template:
    environment = Environment(
        loader=DictLoader({"page.html": _file("page.html")}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(breakable=_breakable, label=label, tone=tone, unbroken=_unbroken, utc=utc)
    environment.globals.update(part_of_series=part_of_series, span=span)
    return environment.get_template("page.html")


def _breakable(address: str) -> Markup:
    """Let a long address wrap before its domain, and not in the middle of a word."""
    return escape(address).replace("@", Markup("<wbr>@"))


def _unbroken(times: str) -> Markup:
    """Keep a date or a time on one line."""
    return Markup(" ").join(Markup("<span>{}</span>").format(part) for part in times.split())


@functools.cache
def _file(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
