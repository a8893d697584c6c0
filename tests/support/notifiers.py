"""A notifier for the event that a run's conf names."""

from __future__ import annotations

from typing import Any

from airflow_graph_cancel.notifications.cancel_event import GraphCancelEventNotifier
from tests.support.contoso import ADA

SECRET = "Nobody but the attendees reads this."
"""The comment: what must not be logged."""


def notifier(**arguments: Any) -> GraphCancelEventNotifier:
    """Make a notifier for the event of the run's conf, with some arguments changed."""
    event_id = "{{ dag_run.conf['event_id'] }}"
    return GraphCancelEventNotifier(**{"event_id": event_id, "user_id": ADA, "comment": SECRET, **arguments})
