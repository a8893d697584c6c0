"""How to go about many requests: the one value that operators, hooks and graph code hand down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from airflow_graph_cancel.graph.dispatch.backoff import Backoff, never_stopped

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """How many requests run at a time, how long to retry, and how to stop.

    :param backoff: how long to retry a request that Graph answers with "later".
    :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
    :param batch: False sends each request on its own instead of up to twenty in a ``$batch``.
    :param stopped: checked before every request; True ends the run.
    """

    backoff: Backoff = field(default_factory=Backoff)
    concurrency: int = 64
    batch: bool = True
    stopped: Callable[[], bool] = never_stopped
