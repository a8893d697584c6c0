"""What became of the meetings, for the people who ask afterwards: a plan, its outcomes and the proof, in one document.

Facility managers ask who was told, auditors what was left out and why, Microsoft's support for request ids. This
needs no Airflow and sends nothing; :mod:`airflow_graph_cancel.operators.report` offers the same as a task.
"""

from __future__ import annotations

from airflow_graph_cancel.report.as_csv import to_csv
from airflow_graph_cancel.report.as_html import to_html
from airflow_graph_cancel.report.as_markdown import to_markdown, to_summary
from airflow_graph_cancel.report.model import CancellationReport, ReportedEvent, build_report

__all__ = ["CancellationReport", "ReportedEvent", "build_report", "to_csv", "to_html", "to_markdown", "to_summary"]
