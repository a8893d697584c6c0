"""What the operators, the sensor and the notifier share: connection and hook, argument checks, errors, deferrals."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NoReturn, Protocol, TypeGuard, get_args

from airflow.sdk.bases.operator import BaseAsyncOperator
from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.graph.dispatch.backoff import LONGEST_WAIT, Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import GraphCancelError, InvalidInputError
from airflow_graph_cancel.retry import GraphRetryPolicy, is_final

if TYPE_CHECKING:
    from airflow_graph_cancel.hooks.graph_event import GraphEventHook

Policy = Literal["fail", "skip", "succeed"]
DEFAULT_RETRY_POLICY = GraphRetryPolicy()


class Templated(Protocol):
    """Anything whose template fields Airflow renders before it runs: an operator, a sensor or a notifier."""

    @property
    def template_fields(self) -> Collection[str]:
        """Names of the attributes that Airflow renders."""


def check_policies(**policies: str) -> None:
    """Reject a misspelt policy when the DAG is parsed, before a run depends on it.

    :raises ValueError: naming the argument.
    """
    for name, policy in policies.items():
        if policy not in get_args(Policy):
            raise ValueError(f"{name} must be one of {', '.join(get_args(Policy))}, not {policy!r}")


def check_booleans(**values: object) -> None:
    """Reject a switch that is not a bool: the text "false" from a feed would turn it on.

    :raises ValueError: naming the argument.
    """
    for name, value in values.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, not {value!r}")


def given_fields(task: Templated) -> frozenset[str]:
    """Return the template fields that the DAG's author set; call it in ``__init__``, before anything is rendered."""
    return frozenset(name for name in task.template_fields if getattr(task, name) is not None)


def check_rendered(task: Templated, given: frozenset[str]) -> None:
    """Reject an argument that was given and has rendered to None, as a missing XCom does.

    Without the comment, attendees would get no explanation; without the owner, the request would go to the wrong
    mailbox.

    :param given: from :func:`given_fields`.
    :raises InvalidInputError: naming the argument.
    """
    for name in sorted(given):
        if getattr(task, name) is None:
            raise InvalidInputError(
                f"{name} is None: its template rendered nothing, perhaps because an XCom is missing."
            )


def to_seconds(duration: timedelta | float) -> float:
    """Return a duration in seconds."""
    return duration.total_seconds() if isinstance(duration, timedelta) else duration


def is_long_wait(seconds: float | None) -> TypeGuard[float]:
    """Return whether Graph asked for a wait that must not hold a worker slot."""
    return seconds is not None and seconds > LONGEST_WAIT


@contextmanager
def airflow_errors(*, after_sending: bool = False) -> Iterator[None]:
    """Fail the task without a retry for every error that a retry cannot change; Airflow retries the others.

    The message explains such an error in full, so the log shows no traceback of this package above it.

    :param after_sending: for a task that runs after the cancelling one, whose message must not say that nothing was
        sent.
    :raises AirflowFailException: in place of the error.
    """
    try:
        yield
    except GraphCancelError as error:
        if not is_final(error):
            raise
        raise AirflowFailException(error.message if after_sending else str(error)) from None


class GraphConnectionMixin:
    """The connection arguments and the hook that uses them.

    List this class after Airflow's own: its metaclass wraps ``__init__`` a second time if the first base has none.

    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: version of Graph, ``v1.0`` or ``beta``; overrides the connection's. (templated)
    """

    conn_id: str
    api_version: str | None

    @cached_property
    def hook(self) -> GraphEventHook:
        """The hook; imported on first use, because Airflow parses DAG files all the time and the SDKs are heavy."""
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook

        return GraphEventHook(conn_id=self.conn_id, api_version=self.api_version)


class GraphOperator(BaseAsyncOperator, GraphConnectionMixin):
    """Base of the operators that call Graph.

    Each operator names all arguments in its own ``__init__``: Airflow looks there for ``default_args`` and template
    fields.

    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: version of Graph, ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param concurrency: how many requests Graph may work on at once, over all mailboxes. A batch counts as four, because
        Graph works on four of its requests at a time.
    :param retry_for: how long one try of the task repeats a request after a 429, a 5xx or a lost response (seconds or
        timedelta). A single wait of more than a minute is not spent on the worker: the task defers until it is over, or
        fails and leaves the wait to Airflow's retry delay.
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`, which waits as long as Graph
        asks and never retries a refusal; None is Airflow's own way of retrying.
    """

    retry_for: timedelta | float
    _stopped: bool = False

    def on_kill(self) -> None:
        """Send nothing more.

        Airflow raises nothing inside a task that is marked failed or gets a SIGTERM. It calls this and leaves the task
        running, so the flag is checked before every request.
        """
        self._stopped = True

    def _options(self, *, retry_for: float | None = None, concurrency: int = 64, batch: bool = True) -> Options:
        """Return how the hook is to send.

        :param retry_for: seconds, if less than the operator's is left.
        """
        seconds = to_seconds(self.retry_for) if retry_for is None else retry_for
        backoff = Backoff(retry_for=seconds, longest_wait=LONGEST_WAIT)
        return Options(backoff, concurrency, batch, stopped=lambda: self._stopped)

    def _wait_deferred(self, seconds: float, **kwargs: Any) -> NoReturn:
        """Wait without a worker slot, then resume in ``execute_complete``.

        :param kwargs: for ``execute_complete``.
        :raises TaskDeferred: always.
        """
        from airflow.providers.standard.triggers.temporal import DateTimeTrigger

        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        self.log.info("Graph asks to wait %.0f s: deferred until %s", seconds, moment.isoformat(timespec="seconds"))
        self.defer(trigger=DateTimeTrigger(moment=moment), method_name="execute_complete", kwargs=kwargs)
        raise AssertionError("defer() always raises")
