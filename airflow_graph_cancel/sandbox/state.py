"""Everything that a running sandbox knows, in one place that can be made anew."""

from __future__ import annotations

import copy
import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.sandbox.entra.app_registrations import Apps
from airflow_graph_cancel.sandbox.entra.sign_ins import SignIns
from airflow_graph_cancel.sandbox.entra.tokens import Tokens
from airflow_graph_cancel.sandbox.tenant.entities import Item, Revision
from airflow_graph_cancel.sandbox.tenant.outbox import Outbox
from airflow_graph_cancel.sandbox.tenant.store import Store
from airflow_graph_cancel.sandbox.traffic.faults import Faults
from airflow_graph_cancel.sandbox.traffic.ledger import Ledger
from airflow_graph_cancel.sandbox.traffic.throttling import Throttle

if TYPE_CHECKING:
    from airflow_graph_cancel.sandbox.behaviour import Settings

TENANTS = ("sample", "empty")


class World:
    """The tenant, its settings and faults, and the records of what happened.

    :ivar anew_since: Revision since which nothing was taken away, so that what was added since then is all the news.
    :param seed: Of everything that is drawn by lot: sample meetings, ids, probabilities of faults.
    """

    def __init__(self, settings: Settings, tenant: str = "sample", seed: int = 0) -> None:
        self._initial = copy.deepcopy(settings)
        self.seed = seed
        self.tokens = Tokens()
        self.revision = Revision()
        self._generation = 0
        self.reset(tenant)

    def reset(self, tenant: str) -> None:
        """Start over: an empty or the sample tenant, the settings and applications of the start, an empty ledger.

        Access tokens stay valid, as an application's do when somebody cleans up a tenant; people must sign in anew.
        """
        if tenant not in TENANTS:
            raise ValueError(f"tenant must be one of {', '.join(TENANTS)}, not {tenant!r}")
        self._generation += 1
        self.settings = copy.deepcopy(self._initial)
        # Ids must differ from those before the reset, or a stale id could find somebody else's meeting.
        store = Store(self.seed * 1_000_003 + self._generation, self.revision, self.settings)
        if tenant == "sample":
            from airflow_graph_cancel.sandbox.sample_tenant.fixtures import build_sample_tenant

            build_sample_tenant(store, seed=self.seed, today=datetime.date.today())
        self.store = store
        self.apps = Apps()
        self.sign_ins = SignIns()
        self.pending: set[Item] = set()
        self.outbox = Outbox(self.revision, self.settings)
        self.ledger = Ledger(self.revision)
        self.faults = Faults(self.seed)
        self.throttle = Throttle(self.settings)
        self.anew_since = self.revision.bump()

    def clear_records(self) -> None:
        """Forget requests and messages; the tenant stays as it is."""
        self.ledger.clear()
        self.outbox.clear()
        self.anew_since = self.revision.bump()
