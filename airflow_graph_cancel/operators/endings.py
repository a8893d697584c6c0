"""What the cancelling operators have in common: policies, the default retry policy, and waiting without a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, get_args

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.retry import GraphRetryPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

__all__ = ["OBEY_GRAPH", "Policy", "check_policies", "check_rendered", "check_switches", "given", "waiting_trigger"]

Policy = Literal["fail", "skip", "succeed"]
OBEY_GRAPH = GraphRetryPolicy()


class Templated(Protocol):
    """What Airflow renders before it is run: an operator, a sensor or a notifier."""

    @property
    def template_fields(self) -> Iterable[str]:
        """Names of the attributes that are rendered."""


def check_policies(**policies: str) -> None:
    """Refuse a misspelt policy when the DAG is parsed, and not on the night when it is needed.

    :raises ValueError: naming the argument.
    """
    for name, policy in policies.items():
        if policy not in get_args(Policy):
            raise ValueError(f"{name} must be one of {', '.join(get_args(Policy))}, not {policy!r}")


def check_switches(**switches: object) -> None:
    """Refuse a switch that is no bool: the text "false" of a feed would switch it on.

    :raises ValueError: naming the argument.
    """
    for name, value in switches.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, not {value!r}")


def given(work: Templated) -> frozenset[str]:
    """Return the templated arguments that the DAG's author gave, before they are rendered."""
    return frozenset(name for name in work.template_fields if getattr(work, name) is not None)


def check_rendered(work: Templated, names: frozenset[str]) -> None:
    """Refuse an argument that was given and rendered to None, as an XCom does that is not there.

    Without its comment a meeting would be cancelled in silence, without its owner in another mailbox.

    :param names: as :func:`given` returned them.
    :raises InvalidInputError: naming the argument.
    """
    for name in sorted(names):
        if getattr(work, name) is None:
            raise InvalidInputError(f"{name} is None: a template rendered nothing, probably an XCom that is not there.")


def waiting_trigger(moment: datetime) -> DateTimeTrigger:
    """Return what wakes a deferred task at that time; imported late, for DAG files are parsed all the time."""
    from airflow.providers.standard.triggers.temporal import DateTimeTrigger

    return DateTimeTrigger(moment=moment)
