"""What is searched for, and what is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING
from unicodedata import normalize

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.model.plan import Scope
    from airflow_graph_cancel.graph.model.window import Window

__all__ = ["Places", "Search"]


@dataclass(frozen=True, slots=True)
class Places:
    """Which rooms are meant, by any mix of names.

    :param rooms: addresses of room mailboxes.
    :param room_lists: addresses or names of room lists.
    :param buildings: as the rooms' ``building`` has it, or names of room lists.
    :param check_rooms: whether ``rooms`` are looked up; without it the app needs no ``Place.Read.All`` for them, and
        nobody notices a room that is none.
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
    :param organizers: mailboxes whose own meetings are meant, wherever they take place.
    :param scope: ``dates`` for the dates within the window, ``series`` for the whole of every series that has one.
    :param keep: shell-style patterns; a meeting whose subject, or whose organizer's address, fits one is left alone.
    :param min_people: meetings with fewer people are left alone.
    :param include_past: take meetings that are over as well.
    :param with_subjects: put the subjects of the organizers' copies into the plan, for whoever may see it.
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
        """Return whether a meeting is to be left alone; upper and lower case are alike.

        Brackets are tried both as a set of characters and as themselves: "[Confidential] *" is a subject far more often
        than it is a pattern, and a meeting that is kept by mistake can still be cancelled.

        :param organizer: every address that is known of the organizer.
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
