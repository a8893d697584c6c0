"""From what a feed or an XCom delivers to the events that are to be cancelled, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeGuard

from airflow_graph_cancel.graph.comment import check_comment
from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.model.address import ADDRESS_KEYS, EventAddress
from airflow_graph_cancel.graph.model.plan import PlanRow, plan_rows
from airflow_graph_cancel.graph.template_values import parse_text

__all__ = ["CancelInput", "event_rows", "parse_inputs", "people_in_rows"]

_OURS = frozenset({"comment", *ADDRESS_KEYS})
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CancelInput:
    """An event to be cancelled, and the text for its attendees.

    :param planned: how it was when the plan was made; None for events that are in no plan.
    :param row: as it was given, for the keys that are carried along into the report.
    """

    address: EventAddress
    comment: str | None = None
    planned: PlanRow | None = None
    row: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def further(self) -> dict[str, object]:
        """What the row brought that is neither address nor comment."""
        return {name: value for name, value in self.row.items() if name not in _OURS}


def event_rows(events: object, *, without: Iterable[str] = (), max_age: timedelta | None = None) -> list[object]:
    """Return the rows of a list, or of a plan that is whole and young enough.

    :param events: a list, a plan, or the text of one, as a template gives.
    :param without: event ids that are taken out.
    :param max_age: refuse an older plan.
    :raises InvalidInputError: if it is neither, or the plan must not be carried out.
    """
    if isinstance(events, str):
        events = parse_text("events", events)
    if isinstance(events, Mapping):
        return list(plan_rows(events, without=without, max_age=max_age))
    # What mapped tasks return comes as a sequence that is no list.
    if not isinstance(events, Sequence) or isinstance(events, bytes | bytearray):
        raise InvalidInputError(f"events must be a list or a plan, not {type(events).__name__}.")
    taken_out = set(without)
    return [row for row in events if _id(row) not in taken_out]


def _id(row: object) -> object:
    found = row.get("event_id") if isinstance(row, Mapping) else row
    return found if isinstance(found, str) else None


def parse_inputs(
    rows: Sequence[object], *, comment: str | None, user_id: str | None, mailbox: str | None
) -> list[CancelInput]:
    """Return the events of a list of ids or rows, each once.

    All rows are checked before anything is said, so that a feed is mended in one go. A row's own comment and owner win;
    keys that are none of ours are carried along, so that a plan's rows fit.

    :param rows: as :func:`event_rows` returned them.
    :param comment: text for events that bring none.
    :param user_id: owner of events that bring none.
    :param mailbox: the connection's, for events that have no owner then.
    :raises InvalidInputError: naming every row that cannot be meant as it stands.
    """
    default = check_comment(comment)
    orders: dict[tuple[str, str], CancelInput] = {}
    wrong = []
    for place, row in enumerate(rows):
        try:
            order = _order(row, default, user_id, mailbox)
        except InvalidInputError as error:
            wrong.append(f"[{place}] {error.message}")
        else:
            orders.setdefault((order.address.mailbox.casefold(), order.address.event_id), order)
    if wrong:
        more = f" ... and {len(wrong) - _SHOWN} more." if len(wrong) > _SHOWN else ""
        raise InvalidInputError(f"{len(wrong)} of {len(rows)} events are invalid: {' '.join(wrong[:_SHOWN])}{more}")
    return list(orders.values())


def people_in_rows(rows: Sequence[object]) -> int | None:
    """Return how many people the rows say would get a message, None if any row does not say.

    :param rows: as for :func:`parse_inputs`.
    """
    counts = [row.get("people") if isinstance(row, Mapping) else None for row in rows]
    return sum(counts) if _all_whole(counts) else None


def _all_whole(counts: list[object]) -> TypeGuard[list[int]]:
    return all(isinstance(count, int) for count in counts)


def _order(row: object, comment: str | None, user_id: str | None, mailbox: str | None) -> CancelInput:
    if isinstance(row, Mapping):
        if (own := row.get("comment")) is not None:
            comment = check_comment(own)
    else:
        row = {"event_id": row}
    address = EventAddress.from_row(row, default_user=mailbox if user_id is None else user_id)
    planned = PlanRow.from_row(row) if isinstance(row.get("changeKey"), str) else None
    return CancelInput(address, comment, planned, row)
