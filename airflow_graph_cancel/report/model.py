"""What a report holds, and every number in it: counted from its rows, so that it cannot disagree with itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from airflow_graph_cancel.report.times import zone_name

__all__ = [
    "CANCELLED",
    "CHANGED",
    "DONE",
    "NO_OUTCOME",
    "PREVIEW",
    "CancellationReport",
    "LeftMeeting",
    "ReportedEvent",
]

CANCELLED = "cancelled"
CHANGED = "changed"
PREVIEW = "preview"
DONE = frozenset({CANCELLED, "already_cancelled"})
NO_OUTCOME = "no outcome recorded"
"""Stands where a result should: the event was planned, or is still there, and no result names it."""


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """One event: what the plan says of it, what became of it, and whether it is still there.

    :param event_id: the id, blank if a row had none.
    :param mailbox: owner of the calendar: user, group, or ``me``.
    :param outcome: one word, or :data:`NO_OUTCOME`.
    :param planned: whether the plan names it.
    :param start: as the plan has it, ISO 8601 with offset; None if the plan does not name the event. So is ``end``.
    :param people: attendees that are no rooms, None if not known; ``outside`` those of other domains.
    :param attempts: cancel requests sent for it, None if not known.
    :param at: when it was decided, ISO 8601 in UTC.
    :param still_there: what the verification said of it, None if it did not name it.
    """

    event_id: str
    mailbox: str
    outcome: str = NO_OUTCOME
    planned: bool = False
    start: str | None = None
    end: str | None = None
    subject: str | None = None
    rooms: tuple[str, ...] = ()
    people: int | None = None
    outside: int | None = None
    kind: str | None = None
    scope: str | None = None
    ical_uid: str | None = None
    request_id: str | None = None
    attempts: int | None = None
    at: str | None = None
    message: str | None = None
    still_there: str | None = None

    @property
    def needs_a_look(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.still_there is not None or self.outcome not in {*DONE, PREVIEW}


@dataclass(frozen=True, slots=True)
class LeftMeeting:
    """A meeting that the plan found and did not take up, and why."""

    reason: str
    organizer: str
    start: str | None = None
    end: str | None = None
    subject: str | None = None
    rooms: tuple[str, ...] = ()
    event_id: str | None = None
    ical_uid: str | None = None


@dataclass(frozen=True, slots=True)
class CancellationReport:
    """All that the three formats show; made by :func:`~airflow_graph_cancel.report.build_report`.

    :param zone: in which the plan was shown to its approver.
    :param decided: whether any result was given: without one nothing is known of what was sent.
    :param events: in the order of their time; ``left`` too.
    :param unlisted: outcomes that a result counted without keeping the rows.
    :param verified: events that were looked at afterwards, None if nobody looked; ``gone`` those that are gone.
    :param notes: what a reader must know before trusting the numbers, a sentence each.
    :param plan_made_at: ISO 8601; so are ``verified_at`` and ``made_at``, the time of the report itself.
    :param source: what made it, such as a DAG and its run.
    """

    title: str
    zone: tzinfo
    decided: bool
    events: tuple[ReportedEvent, ...]
    left: tuple[LeftMeeting, ...] = ()
    unlisted: Mapping[str, int] = field(default_factory=dict)
    verified: int | None = None
    gone: int = 0
    notes: tuple[str, ...] = ()
    window: tuple[str, str] | None = None
    plan_digest: str | None = None
    plan_made_at: str | None = None
    verified_at: str | None = None
    made_at: str | None = None
    source: str | None = None

    @property
    def zone_name(self) -> str:
        """The zone as people read it."""
        return zone_name(self.zone)

    @property
    def counts(self) -> dict[str, int]:
        """How many events ended how, the commonest first; with what was counted without rows.

        Those may be among the events that have no outcome here, so that no event counts twice.
        """
        counts = Counter(event.outcome for event in self.events)
        counts[NO_OUTCOME] = max(0, counts[NO_OUTCOME] - sum(self.unlisted.values()))
        counts.update(self.unlisted)
        return {outcome: count for outcome, count in counts.most_common() if count}

    @property
    def total(self) -> int:
        """How many events the report is about, without those that were left."""
        return sum(self.counts.values())

    @property
    def reasons(self) -> dict[str, int]:
        """How many meetings were left, by reason, the commonest first."""
        return dict(Counter(meeting.reason for meeting in self.left).most_common())

    @property
    def not_gone(self) -> int:
        """How many events the verification still found."""
        named = sum(event.still_there is not None for event in self.events)
        return max(named, (self.verified or 0) - self.gone)

    @property
    def told(self) -> list[ReportedEvent]:
        """The events whose attendees get a message; those of a report without results would get one."""
        return [event for event in self.events if event.outcome == CANCELLED or not self.decided]

    @property
    def people(self) -> int:
        """How many people :attr:`told` reaches, as far as that is known; somebody in two meetings counts twice."""
        return _sum(event.people for event in self.told)

    @property
    def outside(self) -> int:
        """How many of :attr:`people` are outside the organization."""
        return _sum(event.outside for event in self.told)

    @property
    def of_unknown_size(self) -> int:
        """How many of the meetings of :attr:`told` have no known number of people."""
        return sum(event.people is None for event in self.told) + self.unlisted.get(CANCELLED, 0)


def _sum(numbers: Iterable[int | None]) -> int:
    return sum(number for number in numbers if number is not None)
