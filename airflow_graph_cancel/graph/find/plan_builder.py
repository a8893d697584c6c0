"""Build a plan: each meeting once, to be cancelled or excluded for a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.find.calendar_view import OWN_MEETING
from airflow_graph_cancel.graph.http.requests import event_path
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.model.event import CalendarEvent, domain_of, parse_event, series_uid
from airflow_graph_cancel.graph.model.plan import Excluded, Meeting, Plan, Reason

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.organizers import Organizers
    from airflow_graph_cancel.graph.find.room_bookings import Booking
    from airflow_graph_cancel.graph.find.search import Search
    from airflow_graph_cancel.graph.http.client import GraphClient

# Which meeting it is, however its organizer's address is spelt.
_Key = tuple[str, datetime]


class PlanBuilder:
    """Sort meetings into those to be cancelled and those that are excluded, with the reason.

    :param search: what is searched for.
    :param organizers: their calendars.
    :param rooms: that are searched; they do not count as people, however they were invited.
    :param made_at: what has ended by then is past.
    """

    def __init__(self, search: Search, organizers: Organizers, rooms: Iterable[str], made_at: datetime) -> None:
        self._search = search
        self._organizers = organizers
        self._rooms = frozenset(map(str.casefold, rooms))
        self._made_at = made_at
        self._meetings: dict[_Key, Meeting] = {}
        self._excluded: dict[_Key, Excluded] = {}
        # Mailbox and master of the series that have a date to be kept.
        self._kept_series: set[tuple[str, str]] = set()

    def include(self, booking: Booking) -> None:
        """Include the organizer's copy of what a room is booked for, or exclude it for a reason."""
        found = self._organizers.copy_of(booking)
        if not isinstance(found, CalendarEvent):
            self.exclude(found, booking)
        elif not self._search.window.overlaps(*found.when):
            # Its organizer has moved it away, and the room does not know yet.
            self.exclude(Reason.NOT_FOUND, booking)
        else:
            self._sort(found, booking.organizer, booking.rooms)

    def include_all_of(self, organizer: str) -> None:
        """Include every meeting within the window that somebody organizes, or exclude it for a reason."""
        for copy in self._organizers.own(organizer):
            if self._search.window.overlaps(*copy.when):
                self._sort(copy, organizer, [each.address for each in copy.attendees if each.is_room])

    def exclude(self, reason: Reason, booking: Booking) -> None:
        """Exclude what a room is booked for."""
        self._excluded[_key(booking.uid or f"{booking.organizer}\0{booking.rooms}", booking.start)] = Excluded(
            reason, booking.uid, booking.organizer, booking.start, booking.end, tuple(booking.rooms)
        )  # fmt: skip

    async def replace_dates_by_series(self, client: GraphClient, options: Options) -> None:
        """Replace the dates of each series by its master, which stands for past dates too.

        Costs a request for each series, because calendar views do not show masters.

        :raises TryLaterError: if a master was not read.
        """
        series: dict[tuple[str, str], list[_Key]] = {}
        for key, meeting in self._meetings.items():
            if meeting.series_id is not None:
                series.setdefault((meeting.user_id, meeting.series_id), []).append(key)
        select = (*OWN_MEETING, "subject")
        reads = [Read(owner, event_path(EventAddress(master, owner), select)) for owner, master in series]
        for (owner, master_id), reply in zip(series, await read_many(client, reads, options), strict=True):
            if reply.error is not None:
                raise reply.error
            keys = sorted(series[owner, master_id], key=lambda key: self._meetings[key].start)
            dates = {key: self._meetings.pop(key) for key in keys}
            if reply.refusal is not None:
                self._exclude_dates(Reason.NOT_FOUND, dates)
                continue
            master = parse_event(reply.values[0] if reply.values else {}, self._search.window.zone)
            # A series is cancelled as a whole or not at all: a date that is kept keeps it.
            if (owner, master_id) in self._kept_series or self._search.keeps(master.subject, owner):
                self._exclude_dates(Reason.KEPT, dates)
                continue
            people, outside = self._people(master, owner)
            self._meetings[keys[0]] = replace(
                dates[keys[0]],
                event_id=master.event_id,
                uid=master.uid,
                change_key=master.change_key,
                rooms=tuple(dict.fromkeys(room for date in dates.values() for room in date.rooms)),
                people=people,
                outside=outside,
                type=master.type,
                scope="series",
                dates=len(dates),
                subject=master.subject if self._search.with_subjects else None,
            )

    def build(self) -> Plan:
        """Return the plan, in the order of time."""
        return Plan(
            self._search.window,
            sorted(self._meetings.values(), key=lambda each: (each.start, each.user_id.casefold(), each.event_id)),
            sorted(self._excluded.values(), key=lambda each: (each.start, each.organizer.casefold(), each.uid)),
            self._made_at,
        )

    def _sort(self, copy: CalendarEvent, organizer: str, rooms: Iterable[str]) -> None:
        key = _key(copy.uid or copy.event_id, copy.start)
        # An alias leads to the same mailbox, which its own copies call by one name.
        owner = copy.organizer if "@" in copy.organizer else organizer
        found = self._meetings.get(key) or self._excluded.pop(key, None)
        rooms = tuple(dict.fromkeys([*(found.rooms if found else ()), *rooms]))
        if isinstance(found, Meeting):
            # Found by its room and by its organizer.
            self._meetings[key] = replace(found, rooms=rooms)
            return
        people, outside = self._people(copy, owner)
        reason = self._reason(copy, (owner, organizer), people)
        if reason is not None:
            if reason is Reason.KEPT and copy.series_id is not None:
                self._kept_series.add((owner, copy.series_id))
            self._excluded[key] = Excluded(reason, copy.uid, owner, copy.start, copy.end, rooms, copy.event_id)
            return
        self._meetings[key] = Meeting(
            event_id=copy.event_id,
            user_id=owner,
            uid=copy.uid,
            change_key=copy.change_key,
            start=copy.start,
            end=copy.end,
            rooms=rooms,
            people=people,
            outside=outside,
            type=copy.type,
            scope="dates",
            dates=int(copy.series_id is not None),
            subject=copy.subject if self._search.with_subjects else None,
            series_id=copy.series_id,
        )

    def _reason(self, copy: CalendarEvent, organizer: tuple[str, ...], people: int) -> Reason | None:
        search = self._search
        if copy.is_cancelled:
            return Reason.CANCELLED
        if not search.include_past and copy.end <= self._made_at:
            return Reason.PAST
        if search.keeps(copy.subject, *organizer):
            return Reason.KEPT
        if not copy.attendees:
            return Reason.NOBODY
        if search.min_people is not None and people < search.min_people:
            return Reason.TOO_FEW
        return None

    def _people(self, copy: CalendarEvent, organizer: str) -> tuple[int, int]:
        """Return how many people would get a message, and how many of them are outside; rooms are not people."""
        people = copy.people - {organizer.casefold(), copy.organizer.casefold()} - self._rooms
        # An address of Exchange's own old kind has no domain, and belongs to somebody inside.
        outside = {domain_of(address) for address in people} - self._organizers.domains - {""}
        return len(people), sum(domain_of(address) in outside for address in people)

    def _exclude_dates(self, reason: Reason, dates: dict[_Key, Meeting]) -> None:
        for key, date in dates.items():
            self._excluded[key] = Excluded(
                reason, date.uid, date.user_id, date.start, date.end, date.rooms, date.event_id
            )  # fmt: skip


def _key(uid: str, start: datetime) -> _Key:
    # Not every copy of a date has it in its identifier.
    return series_uid(uid), start
