"""The demonstration's verdict: content where everything agrees, and never where something does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from checking import Case, differences

BEN, ROOM = {"address": "ben@x"}, {"address": "oak@x"}
ROWS = [{"event_id": "a", "outcome": "cancelled"}, {"event_id": "c", "outcome": "changed"}]
REPORT = [
    {"record": "meeting", "event_id": "a", "ical_uid": "ua", "outcome": "cancelled", "people": "1", "still_there": ""},
    {"record": "meeting", "event_id": "c", "ical_uid": "uc", "outcome": "changed", "people": "1", "still_there": ""},
    {"record": "left", "event_id": "t", "ical_uid": "ut", "outcome": "", "people": "", "still_there": ""},
    {"record": "left", "event_id": "", "ical_uid": "ux", "outcome": "", "people": "", "still_there": ""},
]
MESSAGE = {"event_id": "a", "comment": "Closed: water", "recipients": ["ben@x", "oak@x"]}


def meeting(event_id: str) -> dict[str, Any]:
    """A meeting of Ada's with Ben in the oak room, as the local Graph records it."""
    return {
        "id": event_id,
        "iCalUId": f"u{event_id}",
        "organizer": "ada@x",
        "rooms": ["oak@x"],
        "invited": [{"address": "ada@x"}, BEN, ROOM],
    }


BEFORE = {event_id: meeting(event_id) for event_id in "actz"}
AFTER = {event_id: BEFORE[event_id] for event_id in "ctz"}
CASE = Case(
    building="Oak House",
    meetings={event_id: meeting(event_id) for event_id in "act"},
    left={"ux"},
    words=["water"],
    asked=True,
    plan={"meetings": [{"event_id": event_id} for event_id in "act"], "left": [{"iCalUId": "ux"}]},
    rows=ROWS,
    report=REPORT,
    taken_out={"t"},
    changed={"c"},
)


def test_the_demonstration_would_be_content() -> None:
    """What agrees is not called wrong, or the next test would prove nothing."""
    assert differences([CASE], [MESSAGE], BEFORE, AFTER) == []


@pytest.mark.parametrize(
    ("case", "messages", "after"),
    [
        ({"plan": {"meetings": CASE.plan["meetings"][:2], "left": CASE.plan["left"]}}, [MESSAGE], AFTER),
        ({"plan": {**CASE.plan, "meetings": [*CASE.plan["meetings"], {"event_id": "z"}]}}, [MESSAGE], AFTER),
        ({"plan": {**CASE.plan, "left": []}}, [MESSAGE], AFTER),
        ({"asked": False}, [MESSAGE], AFTER),
        ({"rows": ROWS[:1]}, [MESSAGE], AFTER),
        ({"rows": [*ROWS, {"event_id": "t", "outcome": "cancelled"}]}, [MESSAGE], AFTER),
        ({"report": REPORT[1:]}, [MESSAGE], AFTER),
        ({"report": [REPORT[0], *REPORT[2:]]}, [MESSAGE], AFTER),
        ({"report": REPORT[:3]}, [MESSAGE], AFTER),
        ({"report": [{**REPORT[0], "people": "2"}, *REPORT[1:]]}, [MESSAGE], AFTER),
        ({"report": [{**REPORT[0], "still_there": "There."}, *REPORT[1:]]}, [MESSAGE], AFTER),
        ({}, [], AFTER),
        ({}, [MESSAGE, MESSAGE], AFTER),
        ({}, [MESSAGE, {**MESSAGE, "event_id": "t"}], AFTER),
        ({}, [MESSAGE, {**MESSAGE, "event_id": "z"}], AFTER),
        ({}, [{**MESSAGE, "comment": "Closed"}], AFTER),
        ({}, [{**MESSAGE, "recipients": ["oak@x"]}], AFTER),
        ({}, [MESSAGE], BEFORE),
        ({}, [MESSAGE], {"c": BEFORE["c"], "t": BEFORE["t"]}),
    ],
)
def test_the_demonstration_would_notice(
    case: dict[str, Any], messages: list[dict[str, Any]], after: dict[str, Any]
) -> None:
    """Each kind of difference is found: a verdict that cannot be bad is worth nothing."""
    assert differences([replace(CASE, **case)], messages, BEFORE, after)
