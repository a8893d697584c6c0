"""The journal of one event in Airflow's task state store (AIP-103); survives retries, deferrals and kills."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow.sdk.execution_time.context import TaskStateStoreAccessor
    from pydantic import JsonValue

    from airflow_graph_cancel.graph.model.address import EventAddress

log = logging.getLogger(__name__)


class TaskStateJournal:
    """The journal of one event, kept under the task instance (dag run, task, map index).

    Each event has its own key: a task may cancel several, and a try whose templates rendered another event must not use
    the state of the earlier one. An entry holds a state, the process that wrote it and, at the end, the row. It holds
    no comment and no subject, because everybody who can see the DAG run can read it.

    :param store: ``context["task_state_store"]``.
    :param address: which event.
    """

    def __init__(self, store: TaskStateStoreAccessor, address: EventAddress) -> None:
        self._store = store
        self._key = "graph_cancel_" + hashlib.sha256(address.key.encode()).hexdigest()[:32]
        self._me = uuid4().hex[:12]
        sent = self._entry().get("sent")
        self.sent = sent if isinstance(sent, int) else 0

    def _entry(self) -> dict[str, object]:
        entry = self._store.get(self._key)
        return cast("dict[str, object]", entry) if isinstance(entry, dict) else {}

    def _write(self, state: str, **more: JsonValue) -> None:
        self._store.set(self._key, {"state": state, "by": self._me, "sent": self.sent, **more})

    def settled_before(self) -> CancelResult | None:
        """Return the result of an earlier try that settled the event."""
        row = self._entry().get("result")
        try:
            return CancelResult(**{**row, "outcome": Outcome(row["outcome"])}) if isinstance(row, dict) else None
        except (TypeError, KeyError, ValueError):
            # The entry is unreadable, but its state "settled" still makes the caller read the event first.
            return None

    def sent_before(self) -> bool:
        """Return whether a process other than this one may have sent the request."""
        entry = self._entry()
        return entry.get("state") in {"sending", "settled"} and entry.get("by") != self._me

    def sending(self) -> None:
        """Write the mark; an error keeps the request from being sent."""
        self.sent += 1
        self._write("sending")

    def not_sent(self) -> None:
        """Take the mark back; the next try then need not look first."""
        # Another process of this task may have sent since; its mark is not ours to take back.
        if self._entry().get("by") in {None, self._me}:
            self._write_if_possible("not_sent")

    def settled(self, result: CancelResult) -> None:
        """Keep the result: a task that dies between here and its end does not send again."""
        self._write_if_possible("settled", result=dict(result.as_row()))

    def _write_if_possible(self, state: str, **more: JsonValue) -> None:
        # Without this write a later try reads the event first, which is safe. To fail a task whose meeting is
        # cancelled would not be.
        try:
            self._write(state, **more)
        except Exception:
            log.warning(
                "The state of the cancellation could not be stored; a later try will read the event before it sends.",
                exc_info=True,
            )
