"""From dates of a series to the series as a whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.model.event import parse_event
from airflow_graph_cancel.graph.model.plan import Reason

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.plan_builder import PlanBuilder
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.plan import Meeting

__all__ = ["whole_series"]

_SELECT = "id,iCalUId,changeKey,start,end,isAllDay,isCancelled,isOrganizer,type,attendees,subject"


async def whole_series(client: GraphClient, draft: PlanBuilder, options: Options) -> None:
    """Replace the dates in a draft by the masters of their series, which stand for past dates too.

    Costs a request for each series, since calendar views do not show masters.

    :raises TryLaterError: if one was not read.
    """
    alone: list[Meeting] = []
    dates: dict[tuple[str, str], list[Meeting]] = {}
    for meeting in draft.meetings.values():
        if meeting.series_id is None:
            alone.append(meeting)
        else:
            dates.setdefault((meeting.user_id, meeting.series_id), []).append(meeting)
    reads = [
        Read(owner, f"/users/{quote(owner, safe='')}/events/{quote(master, safe='')}?$select={_SELECT}")
        for owner, master in dates
    ]
    series: list[Meeting] = []
    left: list[tuple[Reason, Meeting]] = []
    for (owner, master_id), reply in zip(dates, await read_many(client, reads, options), strict=True):
        group = dates[owner, master_id]
        if reply.error is not None:
            raise reply.error
        if reply.refusal is not None:
            left += [(Reason.NOT_FOUND, meeting) for meeting in group]
            continue
        group.sort(key=lambda meeting: meeting.start)
        master, first = parse_event(reply.values[0], draft.search.window.zone), group[0]
        # A series goes as a whole or not at all: a date that is kept keeps it.
        if (owner, master_id) in draft.kept_series or draft.search.keeps(master.subject, owner):
            left += [(Reason.KEPT, meeting) for meeting in group]
            continue
        people, outside = draft.people(master, first.user_id)
        series.append(
            replace(
                first,
                event_id=master.event_id,
                uid=master.uid,
                change_key=master.change_key,
                rooms=tuple(dict.fromkeys(room for meeting in group for room in meeting.rooms)),
                people=people,
                outside=outside,
                type=master.type,
                scope="series",
                dates=len(group),
                subject=master.subject if draft.search.with_subjects else None,
            )
        )
    draft.replace([*alone, *series], left)
