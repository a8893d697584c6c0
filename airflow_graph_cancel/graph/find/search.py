"""What to search for, and what to leave alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.plan import Scope
    from airflow_graph_cancel.graph.model.window import Window


@dataclass(frozen=True, slots=True)
class Places:
    """Which rooms to search, named in any combination of ways.

    :param rooms: addresses of room mailboxes.
    :param room_lists: addresses or names of room lists.
    :param buildings: the ``building`` of the rooms, or names of room lists.
    :param check_rooms: whether to look up ``rooms``. Without it the app needs no ``Place.Read.All`` for them, and an
        address that is not a room goes unnoticed.
    """

    rooms: tuple[str, ...] = ()
    room_lists: tuple[str, ...] = ()
    buildings: tuple[str, ...] = ()
    check_rooms: bool = True


@dataclass(frozen=True, slots=True)
class Search:
    """Where, when, and which meetings.

    :param window: when.
    :param places: where.
    :param organizers: mailboxes whose own meetings to find, wherever they take place.
    :param scope: ``dates`` for the dates within the window, ``series`` for the whole of every series that has one.
    :param keep: shell-style patterns; leave a meeting alone if its subject or its organizer's address matches one.
    :param min_people: leave meetings with fewer people alone.
    :param include_past: whether to include meetings that have ended.
    :param with_subjects: whether to put the subjects of the organizers' copies into the plan, for all who may see it.
    """

    window: Window
    places: Places = field(default_factory=Places)
    organizers: tuple[str, ...] = ()
    scope: Scope = "dates"
    keep: tuple[str, ...] = ()
    min_people: int | None = None
    include_past: bool = False
    with_subjects: bool = False

    def keeps(self, subject: str, *organizer: str) -> bool:
        """Return whether to leave a meeting alone; case does not matter.

        Brackets are tried both as a set of characters and as themselves: "[Confidential] *" is a subject far more often
        than a pattern, and a meeting that is kept by mistake can still be cancelled.

        :param organizer: every known address of the organizer.
        """
        names = [_folded(name) for name in (subject, *organizer)]
        return any(
            fnmatchcase(name, each)
            for pattern in map(_folded, self.keep)
            for each in (pattern, pattern.replace("[", "[[]"))
            for name in names
        )


def _folded(text: str) -> str:
    # The same letter may be written with one character or with two.
    return normalize("NFC", text).casefold()
