"""Find the meetings of rooms, buildings and organizers: the plan of what would be cancelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, get_args

from airflow.sdk.bases.operator import BaseAsyncOperator
from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.graph.dispatch.backoff import LONGEST_WAIT, Backoff
from airflow_graph_cancel.graph.errors import GraphCancelError, InvalidInputError, StoppedError, TryLaterError
from airflow_graph_cancel.graph.find.search import Places, Search
from airflow_graph_cancel.graph.find.summary import summarize
from airflow_graph_cancel.graph.model.plan import Scope
from airflow_graph_cancel.graph.model.window import parse_window
from airflow_graph_cancel.graph.template_values import names
from airflow_graph_cancel.operators.endings import OBEY_GRAPH, check_rendered, check_switches, given

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

    from airflow_graph_cancel.hooks.graph_event import GraphEventHook

__all__ = ["GraphFindEventsOperator"]

Names = str | Iterable[str] | None


class GraphFindEventsOperator(BaseAsyncOperator):
    """Find the organizers' copies of the meetings of rooms, buildings or people, as a plan. Reads only.

    Rooms, room lists, buildings and organizers may be mixed; a meeting that is found in several ways is in the plan
    once. What takes place in the window and cannot be cancelled, or is not meant to be, is in ``left`` with the reason.
    The plan is for ``GraphCancelEventsOperator``, which carries it out as it stands, and its ``summary`` is for whoever
    approves it. Returns ``{"window", "meetings", "left", "totals", "digest", "made_at", "summary"}``; with more than
    1,000 meetings, or with ``plan_path``, the plan is a file and ``path`` stands for ``meetings`` and ``left``.

    :param rooms: addresses of room mailboxes, or one. (templated)
    :param room_list: addresses or names of room lists, or one. (templated)
    :param building: names of buildings as the rooms have them, or of room lists, or one. (templated)
    :param organizers: mailboxes whose own meetings are meant, wherever they take place, or one. (templated)
    :param start: ISO 8601 with offset, or without one if ``timezone`` is given; a date is its midnight. (templated)
    :param end: likewise; not part of the window: for a single day it is the next day. (templated)
    :param timezone: IANA name of the zone that the place is in; times are shown in it. (templated)
    :param scope: ``dates``: only the dates within the window; ``series``: the whole of every series that has one, past
        dates too. (templated)
    :param keep: shell-style patterns (``*fire drill*``); a meeting whose subject in the organizer's copy, or whose
        organizer's address, fits one is left. (templated)
    :param min_people: leave meetings with fewer people.
    :param include_past: take meetings that are over, too.
    :param with_subjects: put subjects into plan and summary; whoever can see the DAG run can read them.
    :param check_rooms: look up ``rooms`` in the tenant's places and refuse what is no room. Without it the app needs no
        ``Place.Read.All`` for them.
    :param max_days: refuse a longer window (days): 62, unless a longer one is meant.
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param plan_path: where to put the plan, anything that ``ObjectStoragePath`` takes; a folder per run keeps plans
        apart. Default for long plans is below ``AIRFLOW_HOME``, which only the same worker can read. (templated)
    :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
    :param retry_for: how long to go on with a request within one try after "later" (seconds or timedelta).
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`; yours wins.
    """

    template_fields: Sequence[str] = (
        "rooms",
        "room_list",
        "building",
        "organizers",
        "start",
        "end",
        "timezone",
        "scope",
        "keep",
        "conn_id",
        "api_version",
        "plan_path",
    )

    def __init__(
        self,
        *,
        start: str | datetime,
        end: str | datetime,
        rooms: Names = None,
        room_list: Names = None,
        building: Names = None,
        organizers: Names = None,
        timezone: str | None = None,
        scope: Scope = "dates",
        keep: Names = None,
        min_people: int | None = None,
        include_past: bool = False,
        with_subjects: bool = False,
        check_rooms: bool = True,
        max_days: int = 62,
        conn_id: str = "graph_calendar_default",
        api_version: str | None = None,
        plan_path: str | None = None,
        concurrency: int = 64,
        retry_for: timedelta | float = timedelta(minutes=5),
        retry_policy: RetryPolicy | None = OBEY_GRAPH,
        **kwargs: Any,
    ) -> None:
        super().__init__(retry_policy=retry_policy, **kwargs)
        check_switches(include_past=include_past, with_subjects=with_subjects, check_rooms=check_rooms)
        self.rooms = rooms
        self.room_list = room_list
        self.building = building
        self.organizers = organizers
        self.start = start
        self.end = end
        self.timezone = timezone
        self.scope = scope
        self.keep = keep
        self.min_people = min_people
        self.include_past = include_past
        self.with_subjects = with_subjects
        self.check_rooms = check_rooms
        self.max_days = max_days
        self.conn_id = conn_id
        self.api_version = api_version
        self.plan_path = plan_path
        self.concurrency = concurrency
        self.retry_for = retry_for
        self._given = given(self)
        self._stopped = False

    @cached_property
    def hook(self) -> GraphEventHook:
        """The hook; imported here because DAG files are parsed all the time and the SDK is heavy."""
        from airflow_graph_cancel.hooks.graph_event import GraphEventHook

        return GraphEventHook(conn_id=self.conn_id, api_version=self.api_version)

    async def aexecute(self, context: Context) -> dict[str, object]:
        """Return the plan, or what stands for it."""
        from airflow_graph_cancel.hooks.storage import MOST_ROWS, own_path, save_plan

        budget = self.retry_for.total_seconds() if isinstance(self.retry_for, timedelta) else self.retry_for
        try:
            check_rendered(self, self._given)
            plan = await self.hook.find_events(
                self._search(),
                concurrency=self.concurrency,
                backoff=Backoff(retry_for=budget, longest_wait=LONGEST_WAIT),
                stopped=lambda: self._stopped,
            )
        except (TryLaterError, StoppedError):
            raise
        except GraphCancelError as error:
            raise AirflowFailException(str(error)) from error
        self.log.info("Found %s; left alone: %d", plan.totals, len(plan.excluded))
        document = plan.as_document(summarize(plan))
        if self.plan_path is None and len(plan.meetings) + len(plan.excluded) <= MOST_ROWS:
            return document
        path = self.plan_path
        if path is None:
            path = own_path(context)
            self.log.warning("The plan is too long for XCom and goes to %s; with several workers give plan_path", path)
        return save_plan(document, path)

    def on_kill(self) -> None:
        """Stop reading."""
        self._stopped = True

    def _search(self) -> Search:
        if self.scope not in get_args(Scope):
            raise InvalidInputError(f"scope is {self.scope!r:.80}; it must be dates or series.")
        return Search(
            window=parse_window(self.start, self.end, self.timezone, longest=timedelta(days=self.max_days)),
            places=Places(
                names("rooms", self.rooms),
                names("room_list", self.room_list),
                names("building", self.building),
                self.check_rooms,
            ),
            organizers=names("organizers", self.organizers),
            scope=self.scope,
            keep=names("keep", self.keep),
            min_people=self.min_people,
            include_past=self.include_past,
            with_subjects=self.with_subjects,
        )
