"""What the cancelling operators have in common: policies, the default retry policy, and waiting without a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

from airflow_graph_cancel.retry import GraphRetryPolicy

if TYPE_CHECKING:
    from datetime import datetime

    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

__all__ = ["OBEY_GRAPH", "Policy", "check_policies", "waiting_trigger"]

Policy = Literal["fail", "skip", "succeed"]
OBEY_GRAPH = GraphRetryPolicy()


def check_policies(**policies: str) -> None:
    """Refuse a misspelt policy when the DAG is parsed, and not on the night when it is needed.

    :raises ValueError: naming the argument.
    """
    for name, policy in policies.items():
        if policy not in get_args(Policy):
            raise ValueError(f"{name} must be one of {', '.join(get_args(Policy))}, not {policy!r}")


def waiting_trigger(moment: datetime) -> DateTimeTrigger:
    """Return what wakes a deferred task at that time; imported late, for DAG files are parsed all the time."""
    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

    return DateTimeTrigger(moment=moment)
