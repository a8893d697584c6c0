"""The organizers' calendars, each read once, and which of their meetings a booking is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.dispatch.bulk_read import Read, read_many
from airflow_graph_cancel.graph.http.error_mapping import mailbox_refusal
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.model.event import (
    CalendarEvent,
    domain_of,
    has_date,
    parse_event,
    series_uid,
    view_path,
)
from airflow_graph_cancel.graph.model.plan import Reason

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.room_bookings import Booking
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.window import Window

__all__ = ["Organizers", "read_organizers"]

_SELECT = (
    "id", "iCalUId", "changeKey", "start", "end", "isAllDay", "isCancelled", "isOrganizer", "organizer", "type",
    "seriesMasterId", "attendees",
)  # fmt: skip


class Organizers:
    """What the organizers' calendars show, by address in any spelling.

    :param own: the meetings that each of them organizes.
    :param absent: the answer of those that could not be read.
    :param domains: of the tenant, as far as they are known.
    """

    def __init__(
        self, own: Mapping[str, list[CalendarEvent]], absent: Mapping[str, Response], domains: frozenset[str]
    ) -> None:
        self._own = own
        self._absent = absent
        self.domains = domains
        self._by_uid: dict[str, dict[str, list[CalendarEvent]]] = {}
        for owner, copies in own.items():
            index = self._by_uid[owner] = defaultdict(list)
            for copy in copies:
                index[series_uid(copy.uid)].append(copy)

    def own(self, organizer: str) -> list[CalendarEvent]:
        """Return the meetings that somebody organizes."""
        return self._own[organizer.casefold()]

    def copy_of(self, booking: Booking) -> CalendarEvent | Reason:
        """Return the organizer's copy of a booking, or why there is none to be cancelled."""
        owner = booking.organizer.casefold()
        if owner in self._absent:
            return self._reason(booking.organizer, self._absent[owner])
        copies = self._by_uid.get(owner, {}).get(series_uid(booking.uid), []) if booking.uid else []
        exact = [copy for copy in copies if copy.uid == booking.uid]
        # Never by its time alone. The same date of the same series is what carries the same identifier, or, where the
        # identifier has no place for a date or the room was invited to that date only, what begins and ends with it.
        same = [copy for copy in exact or copies if copy.when == (booking.start, booking.end)]
        if not same and (has_date(booking.uid) or booking.type == "singleInstance"):
            same = exact
        return same[0] if len(same) == 1 else Reason.NOT_FOUND

    def _reason(self, organizer: str, answer: Response) -> Reason:
        match answer.meaning:
            case Meaning.DENIED | Meaning.TOKEN_REFUSED:
                return Reason.OUT_OF_SCOPE
            case Meaning.MAILBOX_UNAVAILABLE if answer.code == "MailboxNotEnabledForRESTAPI":
                return Reason.MAILBOX
            case Meaning.MAILBOX_UNAVAILABLE if domain_of(organizer) and domain_of(organizer) not in self.domains:
                return Reason.EXTERNAL
            case Meaning.MAILBOX_UNAVAILABLE:
                return Reason.MAILBOX
            case _:
                return Reason.NOT_FOUND


async def read_organizers(
    client: GraphClient,
    addresses: Iterable[str],
    window: Window,
    options: Options,
    *,
    named: Iterable[str] = (),
    domains: Iterable[str] = (),
    subjects: bool = False,
) -> Organizers:
    """Read the calendars of organizers, each once, however many meetings it has.

    :param addresses: as bookings have them.
    :param named: those that somebody asked for by name: if they cannot be read, nothing can be said.
    :param domains: of the tenant, as far as they are known from the rooms.
    :param subjects: read them; otherwise they are not even asked for.
    :raises GraphCancelError: if a calendar was not read for reasons that may pass, or one that was named was refused.
    """
    owners = {address.casefold(): address for address in [*addresses, *named]}
    select = (*_SELECT, "subject") if subjects else _SELECT
    reads = [Read(address, view_path(address, window, select)) for address in owners.values()]
    must = {address.casefold() for address in named}
    own: dict[str, list[CalendarEvent]] = {}
    absent: dict[str, Response] = {}
    for (owner, address), reply in zip(owners.items(), await read_many(client, reads, options), strict=True):
        if reply.error is not None:
            raise reply.error
        if reply.refusal is not None:
            if owner in must:
                raise mailbox_refusal(address, reply.refusal)
            absent[owner] = reply.refusal
            continue
        own[owner] = [parse_event(row, window.zone) for row in reply.values if row.get("isOrganizer") is True]
    known = {*map(str.lower, domains), *map(domain_of, own)} - {""}
    return Organizers(own, absent, frozenset(known))
