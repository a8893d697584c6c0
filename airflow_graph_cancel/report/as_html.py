"""The report as one HTML page that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from airflow_graph_cancel.report.headline import facts, verdict
from airflow_graph_cancel.report.layout import origin, sections
from airflow_graph_cancel.report.model import CANCELLED, DONE, PREVIEW, CancellationReport
from airflow_graph_cancel.report.times import span, utc
from airflow_graph_cancel.report.words import OUTCOMES, REASONS, label, part, when

__all__ = ["to_html"]


def to_html(report: CancellationReport) -> str:
    """Return the report as a page to be opened, printed or put beside a ticket.

    Every value is escaped, for subjects and names are strangers' text; should one slip through all the same, the page's
    own content security policy lets it load and run nothing.
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
    environment.filters.update(breakable=_breakable, label=label, tone=_tone, unbroken=_unbroken, utc=utc)
    environment.globals.update(part=part, span=span, when=when)
    return environment.get_template("page.html")


def _breakable(address: str) -> Markup:
    """Let a long address go on in the next line before its domain, and not in the middle of a word."""
    return escape(address).replace("@", Markup("<wbr>@"))


def _unbroken(times: str) -> Markup:
    """Keep a date or a time in one line."""
    return Markup(" ").join(Markup("<span>{}</span>").format(part) for part in times.split())


def _tone(outcome: str) -> str:
    if outcome in DONE:
        return "good" if outcome == CANCELLED else "plain"
    return "plain" if outcome == PREVIEW else "bad"


@functools.cache
def _file(name: str) -> str:
    return importlib.resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
