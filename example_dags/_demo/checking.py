"""Compare the tasks' results with what the local Graph recorded, and with what should have happened."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One closure: what should happen, and what the pipeline reported.

    :param meetings: affected meetings, by the id of the organizer's copy.
    :param left: affected meetings that this tenant cannot cancel, by iCalUId.
    :param taken_out: ids that the approver excluded.
    :param changed: ids that changed between the plan and the approval.
    :param words: texts that every message must contain.
    :param asked: whether the run waited for an approval.
    :param plan: returned by the find task.
    :param rows: written by the cancel task.
    :param report: rows of the report's CSV.
    """

    building: str
    meetings: dict[str, Json]
    left: Collection[str]
    words: Collection[str]
    asked: bool
    plan: Json
    rows: list[Json]
    report: list[dict[str, str]]
    taken_out: Collection[str] = field(default=())
    changed: Collection[str] = field(default=())

    @property
    def cancelled(self) -> set[str]:
        """Ids that should be cancelled."""
        return self.meetings.keys() - set(self.taken_out) - set(self.changed)


def differences(cases: list[Case], messages: list[Json], before: dict[str, Json], after: dict[str, Json]) -> list[str]:
    """Return every difference between the expected result and tasks, report, calendars and messages.

    :param messages: cancellations that were sent.
    :param before: organizers' copies before the run, by id.
    :param after: the same after it.
    """
    ours = {event_id: case for case in cases for event_id in case.cancelled}
    wrong = [line for case in cases for line in (*_plan(case), *_outcomes(case), *_report(case))]
    told = [message["event_id"] for message in messages]
    wrong += [f"{event_id} was cancelled but should not have been" for event_id in told if event_id not in ours]
    for event_id in ours:
        if told.count(event_id) != 1:
            wrong.append(f"{event_id}: {told.count(event_id)} messages instead of one")
        if event_id in after:
            wrong.append(f"{event_id} is still in the organizer's calendar")
    for message in messages:
        wrong += _message(message, ours.get(message["event_id"]))
    wrong += [
        f"{event_id} is gone but should still be there" for event_id in before.keys() - after.keys() - ours.keys()
    ]
    return wrong


def _plan(case: Case) -> Iterator[str]:
    planned = {row["event_id"] for row in case.plan["meetings"]}
    left = {row["iCalUId"] for row in case.plan["left"]}
    for event_id in planned ^ case.meetings.keys():
        yield f"{event_id} in {case.building}: {'only in the plan' if event_id in planned else 'missing from the plan'}"
    for uid in left ^ set(case.left):
        yield f"{uid} in {case.building}: {'should not be left out' if uid in left else 'not listed as left out'}"
    if case.asked != bool(case.meetings):
        requested = "requested" if case.asked else "not requested"
        yield f"{case.building}: approval was {requested} for {len(case.meetings)} meetings"


def _outcomes(case: Case) -> Iterator[str]:
    wanted = {**dict.fromkeys(case.cancelled, "cancelled"), **dict.fromkeys(case.changed, "changed")}
    said = {row["event_id"]: row["outcome"] for row in case.rows}
    for event_id in wanted.keys() | said.keys():
        if wanted.get(event_id) != said.get(event_id):
            yield f"{event_id}: the task reports {said.get(event_id)} instead of {wanted.get(event_id)}"


def _report(case: Case) -> Iterator[str]:
    for outcome, ids in (("cancelled", case.cancelled), ("changed", set(case.changed))):
        said = {row["event_id"] for row in case.report if row["outcome"] == outcome}
        if said != ids:
            yield f"{case.building}: the report lists {len(said)} meetings as {outcome} instead of {len(ids)}"
    left = {row["ical_uid"] for row in case.report if row["record"] == "left"}
    taken_out = {case.meetings[event_id]["iCalUId"] for event_id in case.taken_out}
    if left != {*case.left, *taken_out}:
        yield f"{case.building}: the report does not list the meetings that were left out"
    if there := sum(bool(row["still_there"]) for row in case.report):
        yield f"{case.building}: the report lists {there} meetings as still there"


def _message(message: Json, case: Case | None) -> Iterator[str]:
    if case is None:
        return
    event_id = message["event_id"]
    for word in case.words:
        if word not in (message["comment"] or ""):
            yield f"{event_id}: the message does not contain {word!r}"
    meeting = case.meetings[event_id]
    invited = {each["address"] for each in meeting["invited"]} - {meeting["organizer"]}
    if set(message["recipients"]) != invited:
        yield f"{event_id}: {len(message['recipients'])} recipients instead of {len(invited)}"
    people = str(len(invited - set(meeting["rooms"])))
    if any(row["event_id"] == event_id and row["people"] != people for row in case.report):
        yield f"{event_id}: the report does not count {people} people"
