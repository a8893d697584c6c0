"""When Airflow should try a failed cancellation again (retry policies: AIP-105)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk.definitions.retry_policy import RetryDecision, RetryPolicy

from airflow_graph_cancel.graph.errors import GraphCancelError, StoppedError, TryLaterError

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

__all__ = ["GraphRetryPolicy"]


class GraphRetryPolicy(RetryPolicy):
    """Wait as long as Graph asked, and never repeat what Graph refused.

    The operators of this package use it unless they are given another policy; it also fits ``@task`` functions that
    use the hook. It never adds to ``retries``, it only sets the delay or ends them early.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,
        max_tries: int,
        context: Context | None = None,
    ) -> RetryDecision:
        """Decide by what the error says of itself; leave every other exception to Airflow."""
        if isinstance(exception, TryLaterError):
            if exception.retry_after is None:
                return RetryDecision.retry(reason=f"Graph: {exception.outcome}")
            return RetryDecision.retry(
                timedelta(seconds=exception.retry_after),
                reason=f"Graph: {exception.outcome}, to be asked again in {exception.retry_after:.0f} s",
            )
        if isinstance(exception, GraphCancelError) and not isinstance(exception, StoppedError):
            return RetryDecision.fail(reason=f"Graph: {exception.outcome}")
        return RetryDecision.default()
