"""Limits on an application's concurrent requests."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.traffic import graph_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_graph_cancel.sandbox.behaviour import Settings


class Throttle:
    """Counts requests in flight by application and mailbox; one mailbox over its limit does not affect others."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._in_flight: Counter[tuple[str, str]] = Counter()
        self._by_app: Counter[str] = Counter()

    @contextmanager
    def slot(self, app: str, mailbox_id: str) -> Iterator[None]:
        """Count a request of the application on the mailbox for as long as the context lasts.

        :raises GraphError: 429 if the limit is reached.
        """
        key = (app, mailbox_id)
        limit = self._settings.app_concurrency
        if self._in_flight[key] >= self._settings.per_mailbox_concurrency or (limit and self._by_app[app] >= limit):
            raise graph_errors.mailbox_concurrency(self._settings.retry_after())
        self._in_flight[key] += 1
        self._by_app[app] += 1
        try:
            yield
        finally:
            self._in_flight[key] -= 1
            self._by_app[app] -= 1
