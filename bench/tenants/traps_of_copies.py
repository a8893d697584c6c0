"""Traps of who holds a meeting and how it looks: organizers, leftovers, copies that are not there, who is invited."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.tenants.cast import DOMAIN, KEPT_SUBJECTS, OUTSIDE
from bench.tenants.description import Meeting, Reach
from bench.tenants.traps import maybe_a_date, trap

if TYPE_CHECKING:
    from bench.tenants.aim import Aim

_LEGACY = "/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=0a1b-{}"


# Organizers


@trap
def _external(aim: Aim, meeting: Meeting) -> Meeting:
    return maybe_a_date(aim, replace(meeting, organizer=f"host@{aim.rng.choice(OUTSIDE)}"))


@trap
def _deleted(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, organizer=f"nobody-anymore@{DOMAIN}")


@trap
def _departed(aim: Aim, meeting: Meeting) -> Meeting:
    return maybe_a_date(aim, replace(meeting, organizer=aim.rng.choice(aim.cast.organizers(Reach.DEPARTED)).address))


@trap
def _denied(aim: Aim, meeting: Meeting) -> Meeting:
    person = aim.rng.choice(aim.cast.organizers(Reach.DENIED))
    return replace(meeting, organizer=person.address, spelt=aim.rng.choice((None, *person.aliases)))


@trap
def _another_case(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, spelt=meeting.organizer.title())


@trap
def _alias(aim: Aim, meeting: Meeting) -> Meeting:
    people = [each for each in aim.cast.organizers() if each.aliases]
    people = [each for each in people if each.address in aim.wanted] or people
    person = aim.rng.choice(people)
    return maybe_a_date(aim, replace(meeting, organizer=person.address, spelt=aim.rng.choice(person.aliases)))


@trap
def _legacy_address(aim: Aim, meeting: Meeting) -> Meeting:
    person = aim.rng.choice([each for each in aim.cast.organizers() if each.address.startswith("legacy")])
    return replace(meeting, organizer=person.address, spelt=_LEGACY.format(person.name.lower()))


@trap
def _booked_at_the_door(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, organizer=aim.room(), rooms=(), booked_at_the_door=True)


# Leftovers, and copies that are not there


@trap
def _cancelled(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(maybe_a_date(aim, meeting), cancelled=True)


@trap
def _cancelled_date(aim: Aim, meeting: Meeting) -> Meeting:
    series, date = aim.daily(meeting)
    return replace(series, cancelled=(date,))


@trap
def _room_taken_out(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, rooms=(), flagged_in=(aim.room(),))


@trap
def _room_declined(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, missing_in=meeting.rooms)


@trap
def _copy_deleted(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(maybe_a_date(aim, meeting), missing_in=(meeting.organizer,))


@trap
def _copy_says_cancelled(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(maybe_a_date(aim, meeting), flagged_in=(meeting.organizer,))


@trap
def _second_calendar(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(maybe_a_date(aim, meeting), second_calendar=True)


# What is shown, and who is invited


@trap
def _kept_subject(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(maybe_a_date(aim, meeting), subject=aim.rng.choice(KEPT_SUBJECTS))


@trap
def _kept_organizer(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, organizer=aim.rng.choice(aim.cast.kept))


@trap
def _organizer_named_like_a_subject(aim: Aim, meeting: Meeting) -> Meeting:
    named = [each.address for each in aim.cast.organizers() if each.name.startswith("Board")]
    return replace(meeting, organizer=aim.rng.choice(named))


@trap
def _private(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, is_private=True)


@trap
def _foreign(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, foreign_uid=f"feed-{meeting.number}@fabrikam.example")


@trap
def _two_rooms(aim: Aim, meeting: Meeting) -> Meeting:
    rooms = aim.closed if len(aim.closed) > 1 else [room.address for room in aim.cast.rooms]
    return maybe_a_date(aim, replace(meeting, rooms=tuple(aim.rng.sample(rooms, 2))))


@trap
def _one_room_open(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, rooms=(aim.rng.choice(aim.open or aim.closed), *meeting.rooms))


@trap
def _rooms_alone(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, people=())


@trap
def _room_as_a_person(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, rooms=(), rooms_as_people=(aim.room(),))


@trap
def _organizer_among_the_attendees(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, people=(meeting.organizer, *(each for each in meeting.people if each != meeting.organizer)))


@trap
def _nobody_at_the_door(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, organizer=aim.room(), rooms=(), people=(), booked_at_the_door=True)


@trap
def _nobody_invited(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, organizer=aim.rng.choice(aim.wanted or aim.people), rooms=(), people=())


@trap
def _only_invited(aim: Aim, meeting: Meeting) -> Meeting:
    invited = aim.rng.choice(aim.wanted or aim.people)
    others = [each for each in aim.people if each not in aim.wanted]
    return replace(meeting, organizer=aim.rng.choice(others), people=(invited,), rooms=())


@trap
def _without_a_room(aim: Aim, meeting: Meeting) -> Meeting:
    return replace(meeting, organizer=aim.rng.choice(aim.wanted or aim.people), rooms=())
