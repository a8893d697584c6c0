"""The journal in Airflow's task state store (AIP-103): it survives retries, deferrals and killed processes."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import astuple
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow.sdk.execution_time.context import TaskStateStoreAccessor

    from airflow_graph_cancel.graph.address import EventAddress

__all__ = ["TaskStateJournal"]

log = logging.getLogger(__name__)

_KEY = "graph_cancel"


class TaskStateJournal:
    """One event's journal, kept under the task instance (dag run, task, map index).

    The entry holds a digest of the address, a state and a mark of who wrote it: no comment, no subject, for everybody
    who can see the DAG run can read it.

    :param store: ``context["task_state_store"]``.
    :param address: which event; an entry that a try with other arguments left does not count.
    """

    def __init__(self, store: TaskStateStoreAccessor, address: EventAddress) -> None:
        self._store = store
        self._event = hashlib.sha256("\0".join(map(str, astuple(address))).encode()).hexdigest()[:32]
        self._me = uuid4().hex[:12]
        self.sent = int(str(self._entry().get("sent", 0)))

    def _entry(self) -> dict[str, object]:
        entry = self._store.get(_KEY)
        if not isinstance(entry, dict):
            return {}
        if entry.get("event") != self._event:
            if entry.get("state") == "sending" and entry.get("by") != self._me:
                log.warning("An earlier try of this task may have cancelled another event than the one it has now.")
            return {}
        return cast("dict[str, object]", entry)

    def _write(self, state: str, **more: object) -> None:
        entry = {"event": self._event, "state": state, "by": self._me, "sent": self.sent, **more}
        self._store.set(_KEY, entry)  # type: ignore[arg-type]

    def settled_before(self) -> CancelResult | None:
        """Return the result of an earlier try that ended well."""
        row = self._entry().get("result")
        if not isinstance(row, dict):
            return None
        return CancelResult(**{**row, "outcome": Outcome(row["outcome"])})

    def sent_before(self) -> bool:
        """Return whether somebody other than this process may have sent the request."""
        entry = self._entry()
        return entry.get("state") in {"sending", "settled"} and entry.get("by") != self._me

    def sending(self) -> None:
        """Write the mark; if it cannot be written, the error keeps the request from being sent."""
        self.sent += 1
        self._write("sending")

    def not_sent(self) -> None:
        """Take the mark back, so that the next try need not look first."""
        self._write_if_possible("not_sent")

    def settled(self, result: CancelResult) -> None:
        """Keep the result: a task that dies between here and its end is not sent again."""
        self._write_if_possible("settled", result=result.as_row())

    def _write_if_possible(self, state: str, **more: object) -> None:
        # What is in the store already is the cautious truth; failing a task whose meeting is cancelled would not be.
        try:
            self._write(state, **more)
        except Exception:
            log.warning(
                "The state of the cancellation could not be stored; a next try will look first.",
                exc_info=True,
            )
