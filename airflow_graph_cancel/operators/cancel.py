"""Cancel Outlook meetings as a step of a pipeline: one in a task, or thousands."""

from __future__ import annotations

from airflow_graph_cancel.operators.cancel_event import GraphCancelEventOperator
from airflow_graph_cancel.operators.cancel_events import GraphCancelEventsOperator

__all__ = ["GraphCancelEventOperator", "GraphCancelEventsOperator"]
