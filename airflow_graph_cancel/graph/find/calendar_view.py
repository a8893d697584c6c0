"""Read what calendars show within a window: those of rooms, then those of organizers.

Source: https://learn.microsoft.com/graph/api/user-list-calendarview
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.model.event import CalendarEvent, parse_event

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.http.response import Response
    from airflow_graph_cancel.graph.model.window import Window

# No subject: a room puts the organizer's name there.
BOOKING = (
    "id", "iCalUId", "start", "end", "isAllDay", "isCancelled", "isOrganizer", "organizer", "type", "seriesMasterId",
)  # fmt: skip
"""Properties of a meeting in a room's calendar."""
OWN_MEETING = (*BOOKING, "changeKey", "attendees")
"""Properties of a meeting in its organizer's calendar."""
_PAGE = 200
"""Rows of a page: Graph's default of ten would cost many round trips, and very large pages end in gateway timeouts."""


async def read_calendar_views(
    client: GraphClient,
    mailboxes: Iterable[str],
    window: Window,
    options: Options,
    *,
    select: Iterable[str],
    own_only: bool = False,
) -> dict[str, list[CalendarEvent] | Response]:
    """Return, for each mailbox, the events of its calendar or Graph's refusal to show them.

    :param mailboxes: user principal names, addresses or object ids.
    :param window: Graph is asked for a little more, so check each event against the window.
    :param select: properties, such as :data:`BOOKING`.
    :param own_only: leave out meetings that the mailbox does not organize.
    :raises TryLaterError: if a calendar was not read, for a reason that may pass.
    """
    reads = {mailbox: Read(mailbox, _path(mailbox, window, select)) for mailbox in mailboxes}
    views: dict[str, list[CalendarEvent] | Response] = {}
    for mailbox, reply in zip(reads, await read_many(client, list(reads.values()), options), strict=True):
        if reply.error is not None:
            raise reply.error
        views[mailbox] = reply.refusal or [
            parse_event(row, window.zone) for row in reply.values if not own_only or row.get("isOrganizer") is True
        ]
    return views


def _path(mailbox: str, window: Window, select: Iterable[str]) -> str:
    start, end = (f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in window.asked)
    return (
        f"/users/{quote(mailbox, safe='')}/calendarView?startDateTime={start}&endDateTime={end}"
        f"&$select={','.join(select)}&$top={_PAGE}"
    )
