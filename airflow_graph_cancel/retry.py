"""Which failed tasks Airflow retries, and when (retry policies: AIP-105)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeGuard

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from airflow_graph_cancel.graph.errors import GraphCancelError, StoppedError, TryLaterError

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

__all__ = ["GraphRetryPolicy", "is_final"]


def is_final(error: BaseException) -> TypeGuard[GraphCancelError]:
    """Return whether a retry cannot change this error: Graph refused the request, or it was never valid."""
    return isinstance(error, GraphCancelError) and not isinstance(error, TryLaterError | StoppedError)


class GraphRetryPolicy(RetryPolicy):
    """Wait as long as Graph asks before a retry, and never retry a refusal.

    The default of this package's operators and sensor. Use it also for ``@task`` functions that call the hook. It never
    raises the number of ``retries``; it only sets the delay or ends them early.
    """

    def __repr__(self) -> str:
        """Show the policy by its name, for it has no settings."""
        return f"{type(self).__name__}()"

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide for this package's errors, and leave all others to Airflow."""
        if isinstance(exception, TryLaterError):
            if exception.retry_after is None:
                return RetryDecision.retry(reason=f"Graph: {exception.outcome}")
            return RetryDecision.retry(
                timedelta(seconds=exception.retry_after),
                reason=f"Graph: {exception.outcome}, retry after {exception.retry_after:.0f} s",
            )
        if is_final(exception):
            return RetryDecision.fail(reason=f"Graph: {exception.outcome}")
        return RetryDecision.default()
