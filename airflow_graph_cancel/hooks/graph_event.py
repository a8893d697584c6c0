"""The hook: an Airflow connection in, calendar events out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.access import AccessReport, check_access
from airflow_graph_cancel.graph.cancel.bulk import BulkProgress, BulkResult, cancel_events, no_progress
from airflow_graph_cancel.graph.cancel.inputs import CancelInput, event_rows, parse_inputs
from airflow_graph_cancel.graph.cancel.journal import BulkJournal, InMemoryBulkJournal, InMemoryJournal, Journal
from airflow_graph_cancel.graph.cancel.preview import check_limits, preview_event, preview_events, read_event
from airflow_graph_cancel.graph.cancel.single import cancel_event
from airflow_graph_cancel.graph.cancel.verify import Remaining, find_remaining
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.find.finding import find_events
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.template_values import check_comment
from airflow_graph_cancel.hooks.graph_hook import GraphHook
from airflow_graph_cancel.hooks.storage import load_events

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.find.search import Search
    from airflow_graph_cancel.graph.model.plan import Plan
    from airflow_graph_cancel.graph.outcome import CancelResult
    from airflow_graph_cancel.hooks.connection.settings import GraphSettings

__all__ = ["GraphEventHook"]


class GraphEventHook(GraphHook):
    """Cancel and read Outlook events through a ``graph_calendar`` or ``msgraph`` connection.

    Every method opens a client and closes it. For several events use the hook as a context manager; they then share one
    client and one token::

        async with GraphEventHook("graph_calendar_default") as hook:
            await hook.cancel_event("AAMkAG...", "Closed.", user_id="ada@contoso.example")

    All methods take :class:`~airflow_graph_cancel.graph.dispatch.options.Options`: how many requests run at a time, how
    long to retry (five minutes by default), and a callback that stops the work.

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
        options: Options | None = None,
        journal: Callable[[EventAddress], Journal] | None = None,
    ) -> CancelResult:
        """Cancel one event and tell each attendee once.

        After a lost response the event is read before the request is repeated. Only the organizer's copy can be
        cancelled. With ``preview``, or through a connection that is ``preview_only``, the event is only read.

        :param event_id: id of the event in that mailbox: an occurrence's for one date, a series master's for all.
        :param comment: text that the attendees read in the cancellation.
        :param user_id: owner; default is the connection's mailbox, else ``/me``.
        :param group_id: a Microsoft 365 group as the owner.
        :param calendar_id: a calendar's id, or ``"default"``.
        :param calendar_group_id: a calendar group's id, or ``"default"`` for ``/me``.
        :param preview: read the event and predict the outcome, send nothing.
        :param options: how long to retry after throttling and lost responses, and who may stop it.
        :param journal: returns the journal by which a later try knows what this one sent; default keeps none.
        :raises InvalidInputError: if an argument is invalid; nothing was sent.
        :raises RefusedError: if Graph or the login refuses.
        :raises TryLaterError: if the retry budget is spent; ``in_doubt`` says whether a request may have taken effect.
        :raises StoppedError: if told to stop.

        Source: https://learn.microsoft.com/graph/api/event-cancel
        """
        settings = await self.get_settings()
        address = _address(settings, event_id, user_id, group_id, calendar_id, calendar_group_id)
        text = check_comment(comment)
        options = options or Options()
        async with self._open(settings) as client:
            if preview or settings.preview_only:
                return await preview_event(client, address, options)
            kept = InMemoryJournal() if journal is None else journal(address)
            return await cancel_event(client, address, text, journal=kept, options=options)

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
        options: Options | None = None,
        journal: Callable[[Sequence[CancelInput]], BulkJournal] | None = None,
        progress: Callable[[BulkProgress], None] = no_progress,
    ) -> BulkResult:
        """Cancel many events, each once, as fast as their mailboxes allow.

        All events are tried before this returns. Check ``left`` of the result: those events are not settled.

        :param events: a list of ids, a list of rows, or a plan; see
            :class:`~airflow_graph_cancel.operators.cancel.GraphCancelEventsOperator`.
        :param comment: text for events without one.
        :param user_id: owner of events without one; default is the connection's mailbox, else ``/me``.
        :param without: event ids to take out of the plan or the list.
        :param plan_max_age: refuse an older plan.
        :param hold_if_changed: do not cancel what has changed since the plan was made; its outcome is ``changed``.
        :param preview: read the events and predict the outcomes, send nothing.
        :param max_meetings: refuse before anything is sent if there are more events.
        :param max_people: refuse before anything is sent if more people would be told; counted from the rows'
            ``people``, else read from Graph.
        :param options: how many requests run at a time, how long to retry each event, and who may stop it.
        :param journal: returns the journal by which a later try knows what this one sent; default keeps none.
        :param progress: called before the first request and then several times a second.
        :raises InvalidInputError: naming every invalid event; nothing was sent.
        :raises StoppedError: if told to stop; the last progress has the result so far.
        """
        settings = await self.get_settings()
        rows = event_rows(load_events(events), without=without, max_age=plan_max_age)
        inputs = parse_inputs(rows, comment=comment, user_id=user_id, mailbox=settings.mailbox)
        options = options or Options()
        preview = preview or settings.preview_only
        async with self._open(settings) as client:
            limit = None if preview else max_people
            await check_limits(client, inputs, options, max_meetings=max_meetings, max_people=limit)
            if preview:
                return await preview_events(client, inputs, options)
            kept = InMemoryBulkJournal() if journal is None else journal(inputs)
            return await cancel_events(client, inputs, kept, options, hold=hold_if_changed, progress=progress)

    async def find_events(self, search: Search, *, options: Options | None = None) -> Plan:
        """Find the organizers' copies of the meetings of rooms, buildings or people. Only reads.

        :param search: where, when, and which meetings.
        :param options: how many requests run at a time, how long to retry each, and who may stop it.
        :raises InvalidInputError: if a room, list, building or organizer does not exist.
        :raises GraphCancelError: if something could not be read, because half a plan is worse than none.
        """
        async with self._open(await self.get_settings()) as client:
            return await find_events(client, search, options or Options())

    async def find_remaining(
        self,
        events: object,
        user_id: str | None = None,
        *,
        without: Iterable[str] = (),
        options: Options | None = None,
    ) -> tuple[int, list[Remaining]]:
        """Find out which events are still there after they were cancelled. Only reads.

        :param events: as for :meth:`cancel_events`.
        :param user_id: owner of events without one.
        :param without: event ids to take out of the plan or the list.
        :param options: how many requests run at a time, and how long to retry each.
        :return: the number of events, and those that are still there or could not be checked.
        :raises InvalidInputError: naming every invalid event.
        """
        settings = await self.get_settings()
        rows = event_rows(load_events(events), without=without)
        inputs = parse_inputs(rows, comment=None, user_id=user_id, mailbox=settings.mailbox)
        async with self._open(settings) as client:
            return len(inputs), await find_remaining(client, inputs, options or Options())

    async def check_access(
        self, mailboxes: Iterable[str], *, must_not_reach: Iterable[str] = (), options: Options | None = None
    ) -> AccessReport:
        """Find out which mailboxes the app can reach, to check RBAC for Applications. Only reads.

        :param mailboxes: mailboxes that the app needs.
        :param must_not_reach: mailboxes that it must not read; those that it does are in ``reached_wrongly``.
        :param options: how many requests run at a time, and how long to retry each.
        :raises GraphCancelError: if the app cannot sign in.
        """
        async with self._open(await self.get_settings()) as client:
            return await check_access(client, mailboxes, must_not_reach, options or Options())

    async def get_event(
        self,
        event_id: str,
        user_id: str | None = None,
        group_id: str | None = None,
        calendar_id: str | None = None,
        calendar_group_id: str | None = None,
        *,
        select: tuple[str, ...] = (),
        options: Options | None = None,
    ) -> dict[str, object]:
        """Return one event as Graph writes it.

        :param event_id: id of the event in that mailbox.
        :param user_id: owner; default is the connection's mailbox, else ``/me``.
        :param group_id: a Microsoft 365 group as the owner.
        :param calendar_id: a calendar's id, or ``"default"``.
        :param calendar_group_id: a calendar group's id, or ``"default"`` for ``/me``.
        :param select: properties to read, in Graph's spelling; all if empty.
        :param options: how long to retry.
        :raises GraphCancelError: as :meth:`cancel_event` does.

        Source: https://learn.microsoft.com/graph/api/event-get
        """
        settings = await self.get_settings()
        address = _address(settings, event_id, user_id, group_id, calendar_id, calendar_group_id)
        async with self._open(settings) as client:
            return await read_event(client, address, options or Options(), select)


def _address(settings: GraphSettings, event_id: str, user_id: str | None, *rest: str | None) -> EventAddress:
    owner = settings.mailbox if user_id is None and rest[0] is None else user_id
    return EventAddress(event_id, owner, *rest)
