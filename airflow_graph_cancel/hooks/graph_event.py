"""The hook: an Airflow connection in, calendar events out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.access import AccessReport, check_access
from airflow_graph_cancel.graph.cancel.bulk import BulkCancellation
from airflow_graph_cancel.graph.cancel.drift import hold_changed
from airflow_graph_cancel.graph.cancel.guards import refuse_too_many_people
from airflow_graph_cancel.graph.cancel.inputs import CancelInput, event_rows, parse_inputs
from airflow_graph_cancel.graph.cancel.journal import BulkJournal, Journal, NoJournal
from airflow_graph_cancel.graph.cancel.preview import preview_event, read_event
from airflow_graph_cancel.graph.cancel.single import cancel_event
from airflow_graph_cancel.graph.cancel.verify import Remaining, find_remaining
from airflow_graph_cancel.graph.comment import check_comment
from airflow_graph_cancel.graph.dispatch.backoff import Backoff, never_stopped
from airflow_graph_cancel.graph.dispatch.dispatcher import Options
from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.find.finding import find_events
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.hooks.graph_hook import GraphHook
from airflow_graph_cancel.hooks.storage import load_events
from airflow_graph_cancel.hooks.task_state.bulk_journal import TaskStateBulkJournal

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.find.search import Search
    from airflow_graph_cancel.graph.model.plan import Plan
    from airflow_graph_cancel.graph.outcome import CancelResult
    from airflow_graph_cancel.hooks.connection.settings import GraphSettings

__all__ = ["GraphEventHook"]


class GraphEventHook(GraphHook):
    """Cancel and read Outlook events through a ``graph_calendar`` or ``msgraph`` connection.

    Every verb opens a client of its own and closes it. For several events use the hook as a context manager, so that
    they share one client and one token::

        async with GraphEventHook("graph_calendar_default") as hook:
            await hook.cancel_event("AAMkAG...", "Closed.", user_id="ada@contoso.example")

    :param conn_id: Airflow connection.
    :param api_version: ``v1.0`` or ``beta``; overrides the connection's.
    """

    async def cancel_event(
        self,
        event_id: str,
        comment: str | None = None,
        user_id: str | None = None,
        group_id: str | None = None,
        calendar_id: str | None = None,
        calendar_group_id: str | None = None,
        *,
        preview: bool = False,
        backoff: Backoff | None = None,
        journal: Callable[[EventAddress], Journal] | None = None,
        stopped: Callable[[], bool] = never_stopped,
    ) -> CancelResult:
        """Cancel one event, so that each attendee is told once.

        After a lost answer the event is looked at before the request is repeated. Only the organizer's copy can be
        cancelled. With ``preview``, or through a connection that is ``preview_only``, the event is read and reported.

        :param event_id: id of the event in that mailbox: an occurrence's for one date, a series master's for all.
        :param comment: text that the attendees read in the cancellation.
        :param user_id: owner; default is the connection's mailbox, else ``/me``.
        :param group_id: a Microsoft 365 group as the owner.
        :param calendar_id: a calendar's id, or ``"default"``.
        :param calendar_group_id: a calendar group's id, or ``"default"`` for ``/me``.
        :param preview: read and report, send nothing.
        :param backoff: how long to go on after "later" and lost answers; default five minutes.
        :param journal: makes the journal by which a later try knows what this one sent; default keeps none.
        :param stopped: asked before every cancel request; True ends the work.
        :raises InvalidInputError: if an argument cannot be meant as it stands; nothing was sent.
        :raises RefusedError: if Graph or the login says no.
        :raises TryLaterError: if backoff ended first; ``in_doubt`` says whether a request may have taken effect.

        Source: https://learn.microsoft.com/graph/api/event-cancel
        """
        settings = await self.get_settings()
        address = _address(settings, event_id, user_id, group_id, calendar_id, calendar_group_id)
        text = check_comment(comment)
        backoff = backoff or Backoff()
        async with self._open(settings) as client:
            if preview or settings.preview_only:
                return await preview_event(client, address, backoff)
            return await cancel_event(
                client,
                address,
                text,
                journal=journal(address) if journal else NoJournal(),
                backoff=backoff,
                stopped=stopped,
            )

    async def cancel_events(
        self,
        events: object,
        comment: str | None = None,
        user_id: str | None = None,
        *,
        without: Iterable[str] = (),
        plan_max_age: timedelta | None = None,
        hold_if_changed: bool = True,
        preview: bool = False,
        max_meetings: int | None = None,
        max_people: int | None = None,
        concurrency: int = 64,
        batch: bool = True,
        backoff: Backoff | None = None,
        journal: Callable[[Sequence[CancelInput]], BulkJournal] | None = None,
        stopped: Callable[[], bool] = never_stopped,
        tick: Callable[[BulkCancellation], None] = lambda _: None,
    ) -> BulkCancellation:
        """Cancel many events, each once, as fast as their mailboxes allow; return what became of each.

        :param events: a list of ids, a list of rows, or a plan; see
            :class:`~airflow_graph_cancel.operators.cancel.GraphCancelEventsOperator`.
        :param comment: text for events that bring none.
        :param user_id: owner of events that bring none; default is the connection's mailbox, else ``/me``.
        :param without: event ids that are taken out of a plan, or of a list.
        :param plan_max_age: refuse an older plan.
        :param hold_if_changed: do not cancel what has changed since the plan was made; its outcome is ``changed``.
        :param preview: read and report, send nothing.
        :param max_meetings: refuse before anything is sent if there are more events.
        :param max_people: refuse before anything is sent if more people would get a message; read from the rows'
            ``people``, else from Graph.
        :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
        :param batch: False sends each request on its own.
        :param backoff: how long to go on with an event after its first "later"; default five minutes.
        :param journal: makes the journal by which a later try knows what this one sent; default keeps none.
        :param stopped: asked before every request; True ends the work.
        :param tick: called several times a second, for progress.
        :raises InvalidInputError: naming every event that cannot be meant as it stands; nothing was sent.
        :raises StoppedError: if told to stop.
        """
        settings = await self.get_settings()
        rows = event_rows(load_events(events), without=without, max_age=plan_max_age)
        orders = parse_inputs(rows, comment=comment, user_id=user_id, mailbox=settings.mailbox)
        if max_meetings is not None and len(orders) > max_meetings:
            raise InvalidInputError(f"{len(orders)} events are more than max_meetings={max_meetings}.")
        options = Options(backoff or Backoff(), concurrency, batch, stopped)
        preview = preview or settings.preview_only
        async with self._open(settings) as client:
            if max_people is not None and not preview:
                await refuse_too_many_people(client, rows, orders, max_people, options)
            keep = TaskStateBulkJournal(None, orders) if preview or journal is None else journal(orders)
            work = BulkCancellation(client, orders, keep, options, preview=preview, tick=tick)
            tick(work)
            if hold_if_changed and not preview:
                await hold_changed(client, work, options)
            await work.run()
        return work

    async def find_events(
        self,
        search: Search,
        *,
        concurrency: int = 64,
        backoff: Backoff | None = None,
        stopped: Callable[[], bool] = never_stopped,
    ) -> Plan:
        """Find the organizers' copies of the meetings of rooms, buildings or people. Reads only.

        :param search: where, when, and which meetings.
        :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
        :param backoff: how long to go on with a request after its first "later"; default five minutes.
        :param stopped: asked before every request; True ends the work.
        :raises InvalidInputError: if something that was named is not there.
        :raises GraphCancelError: if something could not be read: half a plan is none.
        """
        options = Options(backoff or Backoff(), concurrency, stopped=stopped)
        async with self._open(await self.get_settings()) as client:
            return await find_events(client, search, options)

    async def find_remaining(
        self,
        events: object,
        user_id: str | None = None,
        *,
        without: Iterable[str] = (),
        concurrency: int = 64,
        backoff: Backoff | None = None,
    ) -> tuple[int, list[Remaining]]:
        """Find out which events are still there after they were cancelled. Reads only.

        :param events: as for :meth:`cancel_events`.
        :param user_id: owner of events that bring none.
        :param without: event ids that are taken out.
        :param concurrency: requests that the service works on at a time, over all mailboxes; a batch counts as four.
        :param backoff: how long to go on with an event after its first "later"; default five minutes.
        :return: how many events are meant, and those that are not known to be gone.
        :raises InvalidInputError: naming every event that cannot be meant as it stands.
        """
        settings = await self.get_settings()
        rows = event_rows(load_events(events), without=without)
        orders = parse_inputs(rows, comment=None, user_id=user_id, mailbox=settings.mailbox)
        async with self._open(settings) as client:
            return len(orders), await find_remaining(client, orders, Options(backoff or Backoff(), concurrency))

    async def check_access(
        self, mailboxes: Iterable[str], *, must_not_reach: Iterable[str] = (), backoff: Backoff | None = None
    ) -> AccessReport:
        """Find out what the app can reach, for whoever sets up RBAC for Applications. Reads only.

        :param mailboxes: that the app needs.
        :param must_not_reach: that it should be kept from; those that it reads are in ``reached_wrongly``.
        :param backoff: how long to go on with a mailbox after its first "later"; default five minutes.
        :raises GraphCancelError: if the app cannot sign in.
        """
        async with self._open(await self.get_settings()) as client:
            return await check_access(client, mailboxes, must_not_reach, Options(backoff or Backoff()))

    async def get_event(
        self,
        event_id: str,
        user_id: str | None = None,
        group_id: str | None = None,
        calendar_id: str | None = None,
        calendar_group_id: str | None = None,
        *,
        select: tuple[str, ...] = (),
        backoff: Backoff | None = None,
    ) -> dict[str, object]:
        """Return one event as Graph writes it.

        :param event_id: id of the event in that mailbox.
        :param user_id: owner; default is the connection's mailbox, else ``/me``.
        :param group_id: a Microsoft 365 group as the owner.
        :param calendar_id: a calendar's id, or ``"default"``.
        :param calendar_group_id: a calendar group's id, or ``"default"`` for ``/me``.
        :param select: properties to read, in Graph's spelling; all if empty.
        :param backoff: how long to go on after "later"; default five minutes.
        :raises GraphCancelError: as :meth:`cancel_event` does.

        Source: https://learn.microsoft.com/graph/api/event-get
        """
        settings = await self.get_settings()
        address = _address(settings, event_id, user_id, group_id, calendar_id, calendar_group_id)
        async with self._open(settings) as client:
            return await read_event(client, address, backoff or Backoff(), select)


def _address(
    settings: GraphSettings,
    event_id: str,
    user_id: str | None,
    group_id: str | None,
    calendar_id: str | None,
    calendar_group_id: str | None,
) -> EventAddress:
    owner = user_id if user_id is not None or group_id is not None else settings.mailbox
    return EventAddress(event_id, owner, group_id, calendar_id, calendar_group_id)
