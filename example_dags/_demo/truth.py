"""Compute what a closure should cancel from the sandbox's records, independently of the provider's code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feeds import Closure

    from airflow_graph_cancel.sandbox.client import Sandbox

Json = dict[str, Any]


@dataclass(frozen=True)
class World:
    """A snapshot of all calendars.

    :param copies: every copy of every meeting, and every date of every series, in every mailbox.
    :param rooms: building of each room, by address.
    :param cloud: addresses of the mailboxes that the app can reach.
    """

    copies: list[Json]
    rooms: dict[str, str]
    cloud: frozenset[str]

    @classmethod
    def of(cls, sandbox: Sandbox) -> World:
        """Take a snapshot of all calendars."""
        boxes = sandbox.state()["mailboxes"]
        return cls(
            copies=[copy for copy in sandbox.meetings() if not copy["is_cancelled"]],
            rooms={box["address"]: box["building"] for box in boxes if box["kind"] == "room"},
            cloud=frozenset(box["address"] for box in boxes if box["cloud"]),
        )

    @property
    def own(self) -> dict[str, Json]:
        """The organizers' copies, by id."""
        return {copy["id"]: copy for copy in self.copies if copy["is_organizer"]}

    def affected(self, closure: Closure) -> tuple[dict[str, Json], dict[str, Json]]:
        """Return the affected meetings: organizers' copies by id, and those without a reachable one by iCalUId."""
        uids = {
            copy["iCalUId"]: copy
            for copy in self.copies
            if self.rooms.get(copy["mailbox"]) == closure.building and _overlaps(copy, closure)
        }
        own = {copy["iCalUId"]: copy for copy in self.own.values() if copy["mailbox"] in self.cloud}
        return (
            {own[uid]["id"]: own[uid] for uid in uids if uid in own},
            {uid: copy for uid, copy in uids.items() if uid not in own},
        )


def _overlaps(copy: Json, closure: Closure) -> bool:
    start, end = closure.span
    return datetime.fromisoformat(copy["start"]) < end and datetime.fromisoformat(copy["end"]) > start
