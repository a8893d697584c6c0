"""The organizers' calendars, each read once, and which of their meetings a booking is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from airflow_graph_cancel.graph.find.calendar_view import OWN_MEETING, read_calendar_views
from airflow_graph_cancel.graph.http.error_mapping import mailbox_refusal
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.model.event import CalendarEvent, domain_of, has_date, series_uid
from airflow_graph_cancel.graph.model.plan import Reason

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.dispatch.options import Options
    from airflow_graph_cancel.graph.find.room_bookings import Booking
    from airflow_graph_cancel.graph.http.client import GraphClient
    from airflow_graph_cancel.graph.model.window import Window


class Organizers:
    """What the organizers' calendars show, by address, whatever its case.

    :param own: the meetings that each of them organizes.
    :param refused: Graph's refusals, for those that could not be read.
    :param domains: the tenant's, as far as they are known.
    """

    def __init__(
        self, own: Mapping[str, list[CalendarEvent]], refused: Mapping[str, Response], domains: frozenset[str]
    ) -> None:
        self._own = own
        self._refused = refused
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
        """Return the organizer's copy of a booking, or why there is none to cancel."""
        owner = booking.organizer.casefold()
        if owner in self._refused:
            return self._reason(booking.organizer, self._refused[owner])
        copies = self._by_uid.get(owner, {}).get(series_uid(booking.uid), []) if booking.uid else []
        exact = [copy for copy in copies if copy.uid == booking.uid]
        # Times alone never match. A copy with the same identifier is the same date of the same series. If the
        # identifier contains no date, or the room was invited to that date only, start and end must match too.
        same = [copy for copy in exact or copies if copy.when == (booking.start, booking.end)]
        if not same and (has_date(booking.uid) or booking.type == "singleInstance"):
            same = exact
        return same[0] if len(same) == 1 else Reason.NOT_FOUND

    def _reason(self, organizer: str, refusal: Response) -> Reason:
        match refusal.meaning:
            case Meaning.DENIED | Meaning.TOKEN_REFUSED:
                return Reason.OUT_OF_SCOPE
            case Meaning.MAILBOX_UNAVAILABLE if refusal.code == "MailboxNotEnabledForRESTAPI":
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
    named: Collection[str],
    domains: Iterable[str],
    subjects: bool,
) -> Organizers:
    """Read the calendar of each organizer once.

    :param addresses: as bookings have them.
    :param named: organizers that the search names; if one of their calendars cannot be read, the search fails.
    :param domains: the tenant's, as far as they are known from the rooms.
    :param subjects: whether to request subjects from Graph.
    :raises TryLaterError: if a calendar was not read, for a reason that may pass.
    :raises RefusedError: if Graph refused one of ``named``.
    """
    owners = {address.casefold(): address for address in [*addresses, *named]}
    select = (*OWN_MEETING, "subject") if subjects else OWN_MEETING
    views = await read_calendar_views(client, owners.values(), window, options, select=select, own_only=True)
    own: dict[str, list[CalendarEvent]] = {}
    refused: dict[str, Response] = {}
    for address, view in views.items():
        if isinstance(view, list):
            own[address.casefold()] = view
        else:
            refused[address.casefold()] = view
    for address in named:
        if (refusal := refused.get(address.casefold())) is not None:
            raise mailbox_refusal(address, refusal)
    known = {*map(str.lower, domains), *map(domain_of, own)} - {""}
    return Organizers(own, refused, frozenset(known))
