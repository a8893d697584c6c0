"""Find the meetings in rooms or of organizers, as a plan of what would be cancelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, get_args

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.find.search import Places, Search
from airflow_graph_cancel.graph.find.summary import summarize
from airflow_graph_cancel.graph.model.plan import Scope
from airflow_graph_cancel.graph.model.window import parse_window
from airflow_graph_cancel.graph.template_values import names
from airflow_graph_cancel.operators.base import (
    DEFAULT_RETRY_POLICY,
    GraphOperator,
    airflow_errors,
    check_booleans,
    check_rendered,
    given_fields,
)

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context
    from airflow.sdk.definitions.retry_policy import RetryPolicy

__all__ = ["GraphFindEventsOperator"]

Names = str | Iterable[str] | None


class GraphFindEventsOperator(GraphOperator):
    """Find the meetings that take place in rooms, or belong to organizers, and return them as a plan. Reads only.

    Graph cancels only the organizer's copy of a meeting, so each meeting is looked up in its organizer's mailbox.
    Rooms, room lists, buildings and organizers can be combined; a meeting found in several ways is in the plan once.
    ``left`` lists the meetings in the window that are not part of the plan, each with the reason.

    Pass the plan to ``GraphCancelEventsOperator``, which carries it out unchanged or not at all, and show its
    ``summary`` to the approver. Returns ``{"window", "meetings", "left", "totals", "digest", "made_at", "summary"}``.
    With more than 1,000 meetings, or with ``plan_path``, the plan is written to a file, and ``path`` replaces
    ``meetings`` and ``left``.

    :param rooms: address of a room mailbox, or a list. (templated)
    :param room_list: address or name of a room list, or a list. (templated)
    :param building: name of a building, as set on the rooms, or of a room list, or a list. (templated)
    :param organizers: address of a mailbox whose own meetings to find, wherever they take place, or a list. (templated)
    :param start: start of the window, ISO 8601; without an offset it is in ``timezone``; a date means its midnight.
        (templated)
    :param end: end of the window, in the same form and exclusive: for a single day, the next day. (templated)
    :param timezone: IANA name of the place's time zone; times are shown in it. (templated)
    :param scope: ``dates`` takes only the dates within the window; ``series`` takes the whole series of each, past
        dates included. (templated)
    :param keep: shell-style patterns (``*fire drill*``): meetings whose subject in the organizer's copy, or whose
        organizer's address, matches are left alone. (templated)
    :param min_people: leave meetings with fewer people alone.
    :param include_past: include meetings that are over.
    :param with_subjects: put subjects into plan and summary; everyone who can see the DAG run can read them.
    :param check_rooms: look up ``rooms`` in the tenant and refuse an address that is not a room. False needs no
        ``Place.Read.All`` permission for them.
    :param max_days: refuse a longer window (days).
    :param conn_id: connection of type ``graph_calendar`` or ``msgraph``. (templated)
    :param api_version: version of Graph, ``v1.0`` or ``beta``; overrides the connection's. (templated)
    :param plan_path: where to write the plan, as ``ObjectStoragePath`` takes it; include the run in it, so that each
        run has its own file. A long plan without it goes to a file below ``AIRFLOW_HOME``, which only the same worker
        can read. (templated)
    :param concurrency: how many requests Graph may work on at once, over all mailboxes; a batch counts as four.
    :param retry_for: how long one try repeats a request after a 429, a 5xx or a lost response (seconds or timedelta).
    :param retry_policy: default is :class:`~airflow_graph_cancel.retry.GraphRetryPolicy`.
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
        retry_policy: RetryPolicy | None = DEFAULT_RETRY_POLICY,
        **kwargs: Any,
    ) -> None:
        super().__init__(retry_policy=retry_policy, **kwargs)
        check_booleans(include_past=include_past, with_subjects=with_subjects, check_rooms=check_rooms)
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
        self._given = given_fields(self)

    async def aexecute(self, context: Context) -> dict[str, object]:
        """Return the plan, or the reference to its file.

        :raises AirflowFailException: if an argument is invalid or something could not be read; a retry would change
            nothing.
        """
        from airflow_graph_cancel.hooks.storage import MOST_ROWS, default_plan_path, save_plan

        options = self._options(concurrency=self.concurrency)
        with airflow_errors():
            check_rendered(self, self._given)
            plan = await self.hook.find_events(self._search(), options=options)
        self.log.info("Found %s; left alone: %d", plan.totals, len(plan.excluded))
        document = plan.as_document(summarize(plan))
        if self.plan_path is None and len(plan.meetings) + len(plan.excluded) <= MOST_ROWS:
            return document
        path = self.plan_path
        if path is None:
            path = default_plan_path(context)
            self.log.warning("The plan is too long for XCom. With several workers set plan_path; written to %s", path)
        return save_plan(document, path)

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
