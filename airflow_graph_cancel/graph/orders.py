"""From what a feed or an XCom delivers to the events that are to be cancelled, each once."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeGuard

from airflow_graph_cancel.graph.address import EventAddress
from airflow_graph_cancel.graph.comment import check_comment
from airflow_graph_cancel.graph.errors import InvalidInputError

__all__ = ["Order", "parse_orders", "people_in_rows"]

_ADDRESS = ("user_id", "group_id", "calendar_id", "calendar_group_id")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Order:
    """An event to be cancelled, and the text for its attendees."""

    address: EventAddress
    comment: str | None = None


def parse_orders(events: object, *, comment: str | None, user_id: str | None, mailbox: str | None) -> list[Order]:
    """Return the events of a list of ids, of a list of rows, or of a plan, each once.

    All rows are checked before anything is said, so that a feed is mended in one go. A row's own comment and owner win;
    keys that are none of ours are ignored, so that a plan's rows fit.

    :param events: a list; or a plan, which is a mapping with ``meetings``; or the text of one, as a template gives.
    :param comment: text for events that bring none.
    :param user_id: owner of events that bring none.
    :param mailbox: the connection's, for events that have no owner then.
    :raises InvalidInputError: naming every row that cannot be meant as it stands.
    """
    rows = _rows(events)
    default = check_comment(comment)
    orders: dict[tuple[str, str], Order] = {}
    wrong = []
    for place, row in enumerate(rows):
        try:
            order = _order(row, default, user_id, mailbox)
        except InvalidInputError as error:
            wrong.append(f"[{place}] {str(error).removesuffix(' Nothing was sent.')}")
        else:
            orders.setdefault((order.address.mailbox.casefold(), order.address.event_id), order)
    if wrong:
        more = f" ... and {len(wrong) - _SHOWN} more." if len(wrong) > _SHOWN else ""
        raise InvalidInputError(
            f"{len(wrong)} of {len(rows)} events cannot be meant as they stand, so nothing was sent: "
            f"{' '.join(wrong[:_SHOWN])}{more}"
        )
    return list(orders.values())


def people_in_rows(events: object) -> int | None:
    """Return how many people the rows say would get a message, None if any row does not say.

    :param events: as for :func:`parse_orders`.
    """
    counts = [row.get("people") if isinstance(row, Mapping) else None for row in _rows(events)]
    return sum(counts) if _all_whole(counts) else None


def _all_whole(counts: list[object]) -> TypeGuard[list[int]]:
    return all(isinstance(count, int) for count in counts)


def _rows(events: object) -> list[object]:
    if isinstance(events, str):
        events = _parsed(events)
    if isinstance(events, Mapping):
        if not isinstance(events.get("meetings"), list):
            raise InvalidInputError(
                "events is a mapping without a list of meetings, so it is no plan; give a list of ids or rows. "
                "Nothing was sent."
            )
        return list(events["meetings"])
    if isinstance(events, list | tuple):
        return list(events)
    raise InvalidInputError(f"events must be a list or a plan, not {type(events).__name__}. Nothing was sent.")


def _parsed(text: str) -> object:
    if text.strip() in {"None", ""}:
        raise InvalidInputError(
            f"events is {text!r}: a template rendered nothing, probably an XCom that is not there. Nothing was sent."
        )
    for parse in (json.loads, ast.literal_eval):
        try:
            found: object = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if not isinstance(found, str):
            return found
    raise InvalidInputError(f"events is the text {text!r:.80}, which is no list. Nothing was sent.")


def _order(row: object, comment: str | None, user_id: str | None, mailbox: str | None) -> Order:
    if isinstance(row, Mapping):
        given = {name: row.get(name) for name in _ADDRESS}
        event_id, own = row.get("event_id"), row.get("comment")
        if own is not None:
            comment = check_comment(own)
    else:
        given, event_id = dict.fromkeys(_ADDRESS), row
    if given["user_id"] is None and given["group_id"] is None:
        given["user_id"] = mailbox if user_id is None else user_id
    # The address checks the types of what it is given.
    return Order(EventAddress(event_id, **given), comment)  # type: ignore[arg-type]
