"""What a plan for a closure must contain, computed from its description without Graph, sandbox or provider."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import groupby

from bench.tenants.description import Change, Closure, Meeting, Reach, Tenant

EXTERNAL, GONE, DENIED = "external organizer", "mailbox gone or on premises", "out of scope"
NOT_FOUND, ALREADY = "organizer's copy not found", "already cancelled"
KEPT, PAST, FEW, NOBODY = "kept", "in the past", "too few people", "nobody invited"


@dataclass(frozen=True)
class Instance:
    """A single meeting, or one date of a series, as the organizer means it.

    :param rooms: Those that are booked, and where they are known, those that are invited as people.
    """

    meeting: Meeting
    date: datetime.date | None
    start: datetime.datetime
    end: datetime.datetime
    subject: str
    people: frozenset[str]
    rooms: frozenset[str]
    kind: str

    @property
    def event_id(self) -> str:
        """Id of the organizer's copy."""
        return self.meeting.id_of(self.date)

    @property
    def told(self) -> frozenset[str]:
        """Everybody and every room that gets a message if it is cancelled."""
        return (self.people | self.rooms) - {self.meeting.organizer}


@dataclass(frozen=True)
class Seen:
    """An instance that the closure concerns: the closed rooms that hold it, and why it would be left alone.

    :param reasons: Every reason that is true; it is cancelled if there is none.
    """

    instance: Instance
    held_in: frozenset[str]
    reasons: frozenset[str]


@dataclass(frozen=True)
class Row:
    """An event to cancel: one instance, or a series with the instances that made it."""

    event_id: str
    mailbox: str
    instances: tuple[Instance, ...]
    people: int
    outside: int
    rooms: frozenset[str]
    kind: str


@dataclass(frozen=True)
class Truth:
    """What must be planned, and what must be left with one of its reasons."""

    rows: tuple[Row, ...]
    left: tuple[Seen, ...]


def instances(meeting: Meeting) -> list[Instance]:
    """Return the dates of a meeting, those cancelled long ago included."""
    if not meeting.series:
        return [_instance(meeting, None, meeting.start, meeting.end, Change(meeting.start.date()))]
    changes = {change.date: change for change in meeting.changes}
    found = []
    for date in meeting.dates():
        start = datetime.datetime.combine(date, meeting.start.time(), meeting.start.tzinfo)
        change = changes.get(date)
        found.append(
            _instance(meeting, date, start, _later(start, meeting), change or Change(date), change is not None)
        )
    return found


def span(instance: Instance, closure: Closure) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the moments that it takes; whole days are those of the closed building."""
    if not instance.meeting.is_all_day:
        return instance.start, instance.end
    zone = closure.window()[0].tzinfo
    return instance.start.replace(tzinfo=zone), instance.end.replace(tzinfo=zone)


def truth(tenant: Tenant, closure: Closure, now: datetime.datetime) -> Truth:
    """Return what a plan made at that time must hold."""
    return _Judge(tenant, closure, now).truth()


class _Judge:
    """Judges the meetings of a tenant for one closure."""

    def __init__(self, tenant: Tenant, closure: Closure, now: datetime.datetime) -> None:
        self.tenant, self.closure, self.now = tenant, closure, now
        self.closed = closure.closed(tenant.rooms, tenant.room_lists)
        known = {name.lower(): each.address for each in tenant.people for name in (each.address, *each.aliases)}
        self.organizers = {known[address.lower()] for address in closure.organizers or ()}
        self.reach = {person.address: person.reach for person in tenant.people}

    def truth(self) -> Truth:
        """Return what must be planned and what left."""
        seen = [each for meeting in self.tenant.meetings for each in self.concerned(meeting)]
        domains = self.domains(seen)
        rows: list[Row] = []
        left: list[Seen] = []
        for meeting, group in groupby(seen, lambda each: each.instance.meeting):
            dates = list(group)
            whole = self.closure.scope == "series" and meeting.series is not None
            if whole and any(KEPT in each.reasons for each in dates):
                # A series goes as a whole or not at all: a date that is kept keeps it.
                dates = [replace(each, reasons=each.reasons | {KEPT}) for each in dates]
            left += [each for each in dates if each.reasons]
            planned = [each for each in dates if not each.reasons]
            for those in [planned] if whole and planned else [[each] for each in planned]:
                rows.append(self.row(those, domains, whole))
        return Truth(tuple(rows), tuple(left))

    def concerned(self, meeting: Meeting) -> list[Seen]:
        """Return the dates of a meeting that stand in a closed room's or a wanted organizer's calendar."""
        found = []
        for instance in instances(meeting):
            if not _overlaps(instance, self.closure):
                continue
            gone = meeting.cancelled is True or (meeting.cancelled and instance.date in meeting.cancelled)
            unseen = {*meeting.missing_in, *meeting.flagged_in}
            held_in = frozenset() if gone else (instance.rooms & self.closed) - unseen
            mine = meeting.organizer in self.organizers and meeting.organizer not in meeting.missing_in
            if held_in or (mine and not gone and not self.hidden(meeting)):
                found.append(Seen(instance, held_in, self.reasons(instance)))
        return found

    def reasons(self, instance: Instance) -> frozenset[str]:
        """Return why a date is left alone; what can only be read in the organizer's copy, if that can be had."""
        meeting, people = instance.meeting, self.people(instance)
        reasons = set()
        if any(fnmatchcase(meeting.organizer, pattern) for pattern in self.closure.keep):
            reasons.add(KEPT)
        if not self.closure.include_past and span(instance, self.closure)[1].astimezone(datetime.UTC) <= self.now:
            reasons.add(PAST)
        access = self.access(meeting)
        if access:
            return frozenset({*reasons, *access})
        if meeting.organizer in meeting.flagged_in:
            reasons.add(ALREADY)
        if any(fnmatchcase(instance.subject, pattern) for pattern in self.closure.keep):
            reasons.add(KEPT)
        if not people and not instance.rooms - {meeting.organizer}:
            reasons.add(NOBODY)
        if self.closure.min_people is not None and len(people) < self.closure.min_people:
            reasons.add(FEW)
        return frozenset(reasons)

    def access(self, meeting: Meeting) -> set[str]:
        """Return why the organizer's copy cannot be had, if so."""
        if meeting.organizer not in self.reach and not meeting.booked_at_the_door:
            domains = {room.address.partition("@")[2] for room in self.tenant.rooms}
            return {GONE if meeting.organizer.partition("@")[2] in domains else EXTERNAL}
        if meeting.spelt and "@" not in meeting.spelt and meeting.organizer not in self.organizers:
            # Exchange's own form names a mailbox that Graph cannot find by it.
            return {NOT_FOUND, GONE}
        reach = self.reach.get(meeting.organizer, Reach.READABLE)
        if reach is not Reach.READABLE:
            return {GONE if reach is Reach.DEPARTED else DENIED}
        return {NOT_FOUND} if meeting.organizer in meeting.missing_in or self.hidden(meeting) else set()

    def hidden(self, meeting: Meeting) -> bool:
        """Tell whether the organizer's copy is in a calendar that a view does not show."""
        return meeting.second_calendar and self.tenant.guesses["unnamed_calendar"] == "default"

    def people(self, instance: Instance) -> frozenset[str]:
        """Return who is told and no room; a room that is invited as a person is only known if it is a closed one."""
        return instance.people | (set(instance.meeting.rooms_as_people) - self.closed)

    def domains(self, seen: list[Seen]) -> frozenset[str]:
        """Return the tenant's domains as the closure can know them: its rooms', and the readable organizers'."""
        looked_for = {each.instance.meeting for each in seen if PAST not in each.reasons}
        readable = {each.organizer for each in looked_for if not self.access(each) or each.missing_in}
        addresses = self.closed | self.organizers | readable
        return frozenset(address.partition("@")[2].lower() for address in addresses)

    def row(self, seen: list[Seen], domains: frozenset[str], whole: bool) -> Row:
        """Return the event to cancel for one date, or for a series of which these dates were seen."""
        instance = seen[0].instance
        meeting = instance.meeting
        people = frozenset(meeting.people) - {meeting.organizer} if whole else self.people(instance)
        outside = [each for each in people if each.partition("@")[2].lower() not in domains]
        return Row(
            meeting.id_of() if whole else instance.event_id,
            meeting.organizer,
            tuple(each.instance for each in seen),
            len(people),
            len(outside),
            frozenset().union(*(self.rooms(each) for each in seen)),
            "seriesMaster" if whole else instance.kind,
        )

    def rooms(self, seen: Seen) -> frozenset[str]:
        """Return the closed rooms that it is in; if the organizer is asked for, all those that are booked."""
        meeting = seen.instance.meeting
        booked = seen.instance.rooms - set(meeting.rooms_as_people)
        return seen.held_in | (booked if meeting.organizer in self.organizers else set())


def _overlaps(instance: Instance, closure: Closure) -> bool:
    (start, end), (low, high) = span(instance, closure), closure.window()
    # Aware times of one zone are compared by their clocks, which a clock change deceives.
    start, end, low, high = (each.astimezone(datetime.UTC) for each in (start, end, low, high))
    return start < high and (end > low or start >= low)


def _instance(
    meeting: Meeting,
    date: datetime.date | None,
    start: datetime.datetime,
    end: datetime.datetime,
    change: Change,
    is_exception: bool = False,
) -> Instance:
    people = {*meeting.people, *change.people} - {meeting.organizer}
    booked = {meeting.organizer} if meeting.booked_at_the_door else set()
    kind = "singleInstance" if date is None else "exception" if is_exception else "occurrence"
    return Instance(
        meeting,
        date,
        change.start or start,
        change.end or end,
        change.subject or meeting.subject,
        frozenset(people),
        frozenset({*meeting.rooms, *meeting.rooms_as_people, *change.rooms} | booked),
        kind,
    )


def _later(start: datetime.datetime, meeting: Meeting) -> datetime.datetime:
    """Return the end: whole days last until a midnight, everything else keeps its length."""
    if meeting.is_all_day:
        return start + (meeting.end - meeting.start)
    length = meeting.end.astimezone(datetime.UTC) - meeting.start.astimezone(datetime.UTC)
    return start.astimezone(datetime.UTC) + length
