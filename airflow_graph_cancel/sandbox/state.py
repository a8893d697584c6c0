"""Everything that a running sandbox knows about tenant and traffic, in one place that can be reset."""

from __future__ import annotations

import copy
import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.tenant.entities import Item, Revision
from airflow_graph_cancel.sandbox.tenant.outbox import Outbox
from airflow_graph_cancel.sandbox.tenant.store import Store
from airflow_graph_cancel.sandbox.traffic.faults import Faults, Throttle
from airflow_graph_cancel.sandbox.traffic.ledger import Ledger

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Settings

TENANTS = ("sample", "empty")


class SandboxState:
    """The tenant, its settings and faults, and the records of what happened.

    :ivar complete_since: Revision since which nothing was removed. What was added since then is all that changed.
    :param seed: For everything random: sample meetings, ids, probabilities of faults.
    """

    def __init__(self, settings: Settings, tenant: str = "sample", seed: int = 0) -> None:
        self._initial = copy.deepcopy(settings)
        self.seed = seed
        self.revision = Revision()
        self._generation = 0
        self.reset(tenant)

    def reset(self, tenant: str) -> None:
        """Start over: an empty or the sample tenant, the initial settings, an empty ledger, no faults."""
        if tenant not in TENANTS:
            raise ValueError(f"tenant must be one of {', '.join(TENANTS)}, not {tenant!r}")
        self._generation += 1
        self.settings = copy.deepcopy(self._initial)
        # Ids must differ from those before the reset, or a stale id could find another meeting.
        self.store = Store(self.seed * 1_000_003 + self._generation, self.revision, self.settings)
        if tenant == "sample":
            from airflow_graph_cancel.sandbox.sample_tenant.fixtures import build_sample_tenant

            build_sample_tenant(self.store, seed=self.seed, today=datetime.date.today())
        self.pending: set[Item] = set()
        self.outbox = Outbox(self.revision, self.settings)
        self.ledger = Ledger(self.revision)
        self.faults = Faults(self.seed)
        self.throttle = Throttle(self.settings)
        self.complete_since = self.revision.bump()

    def clear_records(self) -> None:
        """Forget requests and messages; the tenant stays unchanged."""
        self.ledger.clear()
        self.outbox.clear()
        self.complete_since = self.revision.bump()
