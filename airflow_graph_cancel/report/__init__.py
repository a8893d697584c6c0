"""What became of the meetings, for the people who ask afterwards: a plan, its outcomes and the proof as one page.

Facility managers ask who was told, auditors what was left and why, Microsoft's support for request ids. Nothing in here
imports Airflow or sends anything; :mod:`airflow_graph_cancel.operators.report` is the same as a task.
"""

from __future__ import annotations

from airflow_graph_cancel.report.as_csv import to_csv
from airflow_graph_cancel.report.as_html import to_html
from airflow_graph_cancel.report.as_markdown import to_markdown, to_summary
from airflow_graph_cancel.report.building import build_report
from airflow_graph_cancel.report.model import CancellationReport, LeftMeeting, ReportedEvent

__all__ = [
    "CancellationReport",
    "LeftMeeting",
    "ReportedEvent",
    "build_report",
    "to_csv",
    "to_html",
    "to_markdown",
    "to_summary",
]
