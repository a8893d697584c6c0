"""A plan in the making: each meeting once, taken or left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.model.event import CalendarEvent, domain_of, series_uid
from airflow_graph_cancel.graph.model.plan import Excluded, Meeting, Plan, Reason

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.find.organizers import Organizers
    from airflow_graph_cancel.graph.find.room_bookings import Booking
    from airflow_graph_cancel.graph.find.search import Search

__all__ = ["PlanBuilder"]


class PlanBuilder:
    """Sort meetings into those that would be cancelled and those that are left, with the reason.

    :param search: what is wanted.
    :param organizers: their calendars.
    :param rooms: that are searched; they are no people, however they were invited.
    :param made_at: what is over by then is past.
    """

    def __init__(self, search: Search, organizers: Organizers, rooms: Iterable[str], made_at: datetime) -> None:
        self.search = search
        self._organizers = organizers
        self._rooms = frozenset(map(str.casefold, rooms))
        self._made_at = made_at
        # By what a meeting is, whatever its organizer's address is spelt like.
        self.meetings: dict[tuple[str, datetime], Meeting] = {}
        self._excluded: dict[tuple[str, datetime], Excluded] = {}
        self.kept_series: set[tuple[str, str]] = set()
        """Mailbox and master of the series that have a date which is to be left alone."""

    def take(self, booking: Booking) -> None:
        """Take the organizer's copy of what a room is booked for, or leave it for a reason."""
        found = self._organizers.copy_of(booking)
        if not isinstance(found, CalendarEvent):
            self.leave(found, booking)
        elif not self.search.window.overlaps(*found.when):
            # Its organizer has moved it away, and the room does not know yet.
            self.leave(Reason.NOT_FOUND, booking)
        else:
            self._sort(found, booking.organizer, booking.rooms)

    def take_all_of(self, organizer: str) -> None:
        """Take every meeting within the window that somebody organizes."""
        for copy in self._organizers.own(organizer):
            if self.search.window.overlaps(*copy.when):
                self._sort(copy, organizer, [each.address for each in copy.attendees if each.is_room])

    def leave(self, reason: Reason, booking: Booking) -> None:
        """Leave what a room is booked for."""
        self._excluded[_key(booking.uid or f"{booking.organizer}\0{booking.rooms}", booking.start)] = Excluded(
            reason, booking.uid, booking.organizer, booking.start, booking.end, tuple(booking.rooms)
        )  # fmt: skip

    def replace(self, meetings: Iterable[Meeting], left: Iterable[tuple[Reason, Meeting]]) -> None:
        """Put these meetings in the place of all; the others are left for a reason."""
        for reason, meeting in left:
            self._excluded[_key(meeting.uid, meeting.start)] = Excluded(
                reason, meeting.uid, meeting.user_id, meeting.start, meeting.end, meeting.rooms,
                meeting.event_id,
            )  # fmt: skip
        self.meetings = {_key(meeting.uid, meeting.start): meeting for meeting in meetings}

    def plan(self) -> Plan:
        """Return the plan, in the order of time."""
        return Plan(
            self.search.window,
            sorted(self.meetings.values(), key=lambda each: (each.start, each.user_id.casefold(), each.event_id)),
            sorted(self._excluded.values(), key=lambda each: (each.start, each.organizer.casefold(), each.uid)),
            self._made_at,
        )

    def people(self, copy: CalendarEvent, organizer: str) -> tuple[int, int]:
        """Return how many people would get a message, and how many of them are outside; rooms are no people."""
        people = copy.people - {organizer.casefold(), copy.organizer.casefold()} - self._rooms
        # An address of Exchange's own old kind has no domain, and belongs to somebody within.
        outside = {domain_of(address) for address in people} - self._organizers.domains - {""}
        return len(people), sum(domain_of(address) in outside for address in people)

    def _sort(self, copy: CalendarEvent, organizer: str, rooms: Iterable[str]) -> None:
        key = _key(copy.uid or copy.event_id, copy.start)
        # An alias leads to the same mailbox, which its own copies call by one name.
        owner = copy.organizer if "@" in copy.organizer else organizer
        found = self.meetings.get(key) or self._excluded.pop(key, None)
        rooms = tuple(dict.fromkeys([*(found.rooms if found else ()), *rooms]))
        if isinstance(found, Meeting):
            # Searched for by its room and by its organizer.
            self.meetings[key] = replace(found, rooms=rooms)
            return
        people, outside = self.people(copy, owner)
        reason = self._reason(copy, (owner, organizer), people)
        if reason is not None:
            if reason is Reason.KEPT and copy.series_id is not None:
                self.kept_series.add((owner, copy.series_id))
            self._excluded[key] = Excluded(reason, copy.uid, owner, copy.start, copy.end, rooms, copy.event_id)
            return
        self.meetings[key] = Meeting(
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
            subject=copy.subject if self.search.with_subjects else None,
            series_id=copy.series_id,
        )

    def _reason(self, copy: CalendarEvent, organizer: tuple[str, ...], people: int) -> Reason | None:
        search = self.search
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


def _key(uid: str, start: datetime) -> tuple[str, datetime]:
    # Not every copy of a date has it in its identifier.
    return series_uid(uid), start
