"""Parse what a feed or an XCom delivers into the events to cancel, each once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.formatting import counted
from airflow_graph_cancel.graph.model.address import ADDRESS_KEYS, EventAddress
from airflow_graph_cancel.graph.model.plan import PlanRow, plan_rows
from airflow_graph_cancel.graph.template_values import check_comment, parse_text

_OURS = frozenset({"comment", *ADDRESS_KEYS})
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CancelInput:
    """An event to cancel, and the text for its attendees.

    :param planned: the event when the plan was made; None for events without a plan.
    :param row: the row as it was given; its other keys go into the report.
    """

    address: EventAddress
    comment: str | None = None
    planned: PlanRow | None = None
    row: Mapping[str, object] = field(default_factory=dict, compare=False, repr=False)

    @property
    def further(self) -> dict[str, object]:
        """The keys of the row that are neither address nor comment."""
        return {name: value for name, value in self.row.items() if name not in _OURS}


def event_rows(events: object, *, without: Iterable[str] = (), max_age: timedelta | None = None) -> list[object]:
    """Return the rows of a list, or of a plan that is intact and not too old.

    :param events: a list, a plan, or the text of one, as a template renders it.
    :param without: event ids to take out.
    :param max_age: refuse an older plan.
    :raises InvalidInputError: if it is neither, or the plan must not be carried out.
    """
    if isinstance(events, str):
        events = parse_text("events", events)
    if isinstance(events, Mapping):
        return list(plan_rows(events, without=without, max_age=max_age))
    # The results of mapped tasks come as a lazy sequence.
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

    All rows are checked before the error is raised, so that a feed can be mended in one go. A row's own comment and
    owner win. Other keys are carried along into the report.

    :param rows: from :func:`event_rows`.
    :param comment: text for events without one.
    :param user_id: owner of events without one.
    :param mailbox: the connection's mailbox, for events that have no owner then.
    :raises InvalidInputError: naming the invalid rows.
    """
    default = check_comment(comment)
    inputs: dict[tuple[str, str], CancelInput] = {}
    invalid = []
    for place, row in enumerate(rows):
        try:
            event = _parse_input(row, default, user_id, mailbox)
        except InvalidInputError as error:
            invalid.append(f"row {place}: {error.message}")
        else:
            inputs.setdefault((event.address.mailbox.casefold(), event.address.event_id), event)
    if invalid:
        more = f" ... and {len(invalid) - _SHOWN} more." if len(invalid) > _SHOWN else ""
        shown = " ".join(invalid[:_SHOWN])
        verb = "is" if len(invalid) == 1 else "are"
        total = counted(len(rows), "event", "events")
        raise InvalidInputError(f"{len(invalid):,} of {total} {verb} invalid: {shown}{more}")
    return list(inputs.values())


def _parse_input(row: object, comment: str | None, user_id: str | None, mailbox: str | None) -> CancelInput:
    if isinstance(row, Mapping):
        if "event_id" not in row:
            keys = ", ".join(map(str, row)) or "none"
            raise InvalidInputError(f"no event_id (its keys: {keys:.100}).")
        if (own := row.get("comment")) is not None:
            comment = check_comment(own)
    else:
        row = {"event_id": row}
    address = EventAddress.from_row(row, default_user=mailbox if user_id is None else user_id)
    planned = PlanRow.from_row(row) if isinstance(row.get("changeKey"), str) else None
    return CancelInput(address, comment, planned, row)
