"""The state machine of one event as a table: what is known, what Graph answers, what becomes of the event.

Each row's name is the promise that it keeps. ``KNOWN`` and the steps are the caller's half of the protocol, which
:func:`test_cancellation` plays: it asks for the step, counts a request before it goes out, and hands the answer over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

import pytest

from airflow_graph_cancel.graph.cancel.state_machine import EVIDENCE, Cancellation, Step
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    EventMissingError,
    GraphCancelError,
    InvalidRequestError,
    MailboxUnavailableError,
    NotOrganizerError,
    ServiceUnavailableError,
    ThrottledError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.response import Meaning, Response
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from tests.support.graph_responses import (
    ACCEPTED,
    ADA,
    ALIVE,
    BEN,
    BROKEN,
    CANCELLED_COPY,
    DATE_GONE,
    DENIED,
    EVENT_ID,
    GONE,
    GUEST_COPY,
    MALFORMED,
    NO_MAILBOX,
    NOT_ORGANIZER,
    OF_EACH_MEANING,
    RECIPIENT_INVALID,
    REQUEST_ID,
    THROTTLED,
    TOKEN_REFUSED,
    event,
    response,
)

SEND, READ_FOR_EFFECT, READ_AFTER_REFUSAL = Step.SEND, Step.READ_FOR_EFFECT, Step.READ_AFTER_REFUSAL
LOST = None
"""No answer came to a request that went out."""
SHOWS_NOTHING = response(200)
"""A 2xx of Graph's own, without an event in it."""


class Known(Enum):
    """What is known about the event before its first request."""

    NOTHING = auto()
    SENT_BEFORE = auto()
    """An earlier try sent a request, and counted it."""
    KILLED_BEFORE = auto()
    """An earlier try left its mark and was killed before it could count."""
    MARKED_MEANWHILE = auto()
    """Another process of the task leaves its mark while this one sends."""


class Past:
    """A journal's view of one event, as far as the state machine asks for it."""

    def __init__(self, known: Known) -> None:
        self.sent = 1 if known is Known.SENT_BEFORE else 0
        self._known = known
        self._sent_here = False

    def count(self) -> None:
        """Count a request before it goes out."""
        self.sent += 1
        self._sent_here = True

    def sent_before(self) -> bool:
        """Tell whether anybody but this process may have sent the request, as things are now."""
        if self._known is Known.MARKED_MEANWHILE:
            return self._sent_here
        return self._known is not Known.NOTHING


@dataclass(frozen=True)
class Row:
    """One course of events.

    :param promise: what a user may rely on.
    :param known: what was known before.
    :param course: steps that are asked for, and what Graph answers to each.
    :param end: the outcome, the class of the error, or None if it is undecided.
    :param attempts: cancel requests counted at the end.
    :param step: what comes next if the event is not settled.
    :param in_doubt: whether the effect of a request is unknown at the end.
    :param ever_in_doubt: whether it ever was; the journal's mark then stays.
    :param decided_by: place in the course of the answer that the end quotes; 0 for none, default is the last.
    :param says: what the message must name.
    """

    promise: str
    known: Known
    course: list[tuple[Step, Response | None]]
    end: Outcome | type[GraphCancelError] | None
    attempts: int = 1
    step: Step | None = None
    in_doubt: bool = False
    ever_in_doubt: bool = False
    decided_by: int = -1
    says: str = ""


def fresh(promise: str, *course: tuple[Step, Response | None], end: Any, **more: Any) -> Row:
    """Nothing is known about the event."""
    return Row(promise, Known.NOTHING, list(course), end, **more)


def doubted(promise: str, *course: tuple[Step, Response | None], end: Any, **more: Any) -> Row:
    """An earlier try may have sent the request."""
    return Row(promise, Known.SENT_BEFORE, list(course), end, **{"ever_in_doubt": True, **more})


def lost(promise: str, *course: tuple[Step, Response | None], end: Any, **more: Any) -> Row:
    """The answer to the first request is lost."""
    return Row(promise, Known.NOTHING, [(SEND, LOST), *course], end, **{"ever_in_doubt": True, **more})


IN_DOUBT = {"in_doubt": True, "ever_in_doubt": True, "step": READ_FOR_EFFECT}

ROWS = [
    # The first request.
    fresh("accepted: cancelled by one request", (SEND, ACCEPTED), end=Outcome.CANCELLED),
    fresh("a lost answer: read before anything is sent again", (SEND, LOST), end=None, **IN_DOUBT),
    fresh(
        "5xx: may have been carried out, so looked at first", (SEND, BROKEN), end=ServiceUnavailableError, **IN_DOUBT
    ),
    fresh(
        "throttled: certainly not carried out, so sent again later", (SEND, THROTTLED), end=ThrottledError, step=SEND
    ),
    fresh(
        "throttled, then accepted: two requests, never in doubt",
        (SEND, THROTTLED),
        (SEND, ACCEPTED),
        end=Outcome.CANCELLED,
        attempts=2,
    ),
    fresh("403: denied, no look, no retry", (SEND, DENIED), end=AccessDeniedError),
    fresh("401: denied, no look, no retry", (SEND, TOKEN_REFUSED), end=AccessDeniedError),
    fresh("no such mailbox: no look, no retry", (SEND, NO_MAILBOX), end=MailboxUnavailableError),
    fresh("a date out of its series: cancelled before us", (SEND, DATE_GONE), end=Outcome.ALREADY_CANCELLED),
    fresh("404 at first: the event is read", (SEND, GONE), end=None, step=READ_AFTER_REFUSAL),
    fresh("organizer only: the event is read", (SEND, NOT_ORGANIZER), end=None, step=READ_AFTER_REFUSAL),
    fresh("malformed: the event is read", (SEND, MALFORMED), end=None, step=READ_AFTER_REFUSAL),
    fresh(
        "an invalid recipient: perhaps carried out, so looked for its effect",
        (SEND, RECIPIENT_INVALID),
        end=None,
        **IN_DOUBT,
    ),
    # Looked behind a refusal.
    fresh(
        "404 at first, 404 behind: missing, never in doubt, and another run would start with its request",
        (SEND, GONE),
        (READ_AFTER_REFUSAL, GONE),
        end=EventMissingError,
        decided_by=1,
        step=SEND,
    ),
    fresh(
        "404 at first, but a cancelled copy: cancelled before us",
        (SEND, GONE),
        (READ_AFTER_REFUSAL, CANCELLED_COPY),
        end=Outcome.ALREADY_CANCELLED,
    ),
    fresh(
        "organizer only, but a cancelled copy: cancelled before us",
        (SEND, NOT_ORGANIZER),
        (READ_AFTER_REFUSAL, CANCELLED_COPY),
        end=Outcome.ALREADY_CANCELLED,
    ),
    fresh(
        "malformed, but a cancelled copy: cancelled before us",
        (SEND, MALFORMED),
        (READ_AFTER_REFUSAL, CANCELLED_COPY),
        end=Outcome.ALREADY_CANCELLED,
    ),
    fresh(
        "organizer only: the organizer's name comes from the copy",
        (SEND, NOT_ORGANIZER),
        (READ_AFTER_REFUSAL, GUEST_COPY),
        end=NotOrganizerError,
        decided_by=1,
        says=BEN,
    ),
    fresh(
        "404 for a guest's copy: not the organizer's, and whose it would be",
        (SEND, GONE),
        (READ_AFTER_REFUSAL, GUEST_COPY),
        end=NotOrganizerError,
        decided_by=1,
        says=BEN,
    ),
    fresh(
        "404 for a copy that is there: the refusal stands",
        (SEND, GONE),
        (READ_AFTER_REFUSAL, ALIVE),
        end=EventMissingError,
        decided_by=1,
    ),
    fresh(
        "malformed, and the copy is there: the refusal stands",
        (SEND, MALFORMED),
        (READ_AFTER_REFUSAL, ALIVE),
        end=InvalidRequestError,
        decided_by=1,
        says="malformed",
    ),
    *[
        fresh(
            f"{what} to a read after a refusal: the first refusal stands, not this one",
            (SEND, NOT_ORGANIZER),
            (READ_AFTER_REFUSAL, behind),
            end=NotOrganizerError,
            decided_by=1,
        )
        for what, behind in {
            "an empty 2xx": SHOWS_NOTHING,
            "404": GONE,
            "a date out of its series": DATE_GONE,
            "organizer only": NOT_ORGANIZER,
            "401": TOKEN_REFUSED,
            "403": DENIED,
            "no such mailbox": NO_MAILBOX,
            "an invalid recipient": RECIPIENT_INVALID,
            "malformed": MALFORMED,
            "throttled": THROTTLED,
            "5xx": BROKEN,
        }.items()
    ],
    fresh(
        "a refusal with half an event in it does not show the copy",
        (SEND, GONE),
        (READ_AFTER_REFUSAL, Response(403, {"request-id": REQUEST_ID}, b'{"isOrganizer": false, "isCancelled": true}')),
        end=EventMissingError,
        decided_by=1,
    ),
    fresh(
        "isCancelled must be true, not merely truthy",
        (SEND, GONE),
        (READ_AFTER_REFUSAL, event(isCancelled="false")),
        end=EventMissingError,
        decided_by=1,
    ),
    fresh(
        "a read after a refusal that is lost is repeated, and puts nothing in doubt",
        (SEND, NOT_ORGANIZER),
        (READ_AFTER_REFUSAL, LOST),
        (READ_AFTER_REFUSAL, GUEST_COPY),
        end=NotOrganizerError,
        decided_by=1,
        says=BEN,
    ),
    # Looked for the effect of a request whose answer was lost.
    lost("a lost answer, then gone: cancelled", (READ_FOR_EFFECT, GONE), end=Outcome.CANCELLED),
    lost(
        "a lost answer, then a date out of its series: cancelled", (READ_FOR_EFFECT, DATE_GONE), end=Outcome.CANCELLED
    ),
    lost("a lost answer, then a cancelled copy: cancelled", (READ_FOR_EFFECT, CANCELLED_COPY), end=Outcome.CANCELLED),
    lost("a lost answer, then still there: sent again", (READ_FOR_EFFECT, ALIVE), end=None, step=SEND),
    lost(
        "a lost answer, still there, accepted: two requests, one message",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, ACCEPTED),
        end=Outcome.CANCELLED,
        attempts=2,
    ),
    lost(
        "a lost answer, still there, then 404: the lost request took effect late",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, GONE),
        end=Outcome.CANCELLED,
        attempts=2,
    ),
    lost(
        "a lost answer, still there, then the date is gone: the lost request took effect late",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, DATE_GONE),
        end=Outcome.CANCELLED,
        attempts=2,
    ),
    lost(
        "two lost answers: read before each repetition",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, LOST),
        (READ_FOR_EFFECT, ALIVE),
        (SEND, ACCEPTED),
        end=Outcome.CANCELLED,
        attempts=3,
    ),
    lost(
        "a lost look: looked at again, nothing sent",
        (READ_FOR_EFFECT, LOST),
        (READ_FOR_EFFECT, GONE),
        end=Outcome.CANCELLED,
    ),
    fresh(
        "5xx, then gone: cancelled",
        (SEND, BROKEN),
        (READ_FOR_EFFECT, GONE),
        end=Outcome.CANCELLED,
        ever_in_doubt=True,
    ),
    *[
        lost(
            f"{what} to a read: stays in doubt, nothing is sent",
            (READ_FOR_EFFECT, shown),
            end=end,
            decided_by=2 if "request-id" in shown.headers and shown is not RECIPIENT_INVALID else 0,
            **IN_DOUBT,
        )
        for what, shown, end in [
            ("an empty 2xx", SHOWS_NOTHING, ServiceUnavailableError),
            ("an event without an id", event(id=""), ServiceUnavailableError),
            ("a 2xx of a stranger", Response(200, {}, b"<html>Please log in</html>"), ServiceUnavailableError),
            ("5xx", BROKEN, ServiceUnavailableError),
            ("throttled", THROTTLED, ThrottledError),
            ("an answer to some cancellation", RECIPIENT_INVALID, ServiceUnavailableError),
            ("401", TOKEN_REFUSED, AccessDeniedError),
            ("403", DENIED, AccessDeniedError),
            ("no such mailbox", NO_MAILBOX, MailboxUnavailableError),
            ("organizer only", NOT_ORGANIZER, NotOrganizerError),
            ("malformed", MALFORMED, InvalidRequestError),
            # A refusal does not show the event, whatever its body holds.
            (
                "a refusal that quotes an id",
                Response(403, {"request-id": REQUEST_ID}, b'{"id": "AAMkAGI=", "isCancelled": true}'),
                AccessDeniedError,
            ),
        ]
    ],
    lost(
        "a read that was throttled is repeated as a read",
        (READ_FOR_EFFECT, THROTTLED),
        (READ_FOR_EFFECT, GONE),
        end=Outcome.CANCELLED,
    ),
    lost(
        "a refusal after a doubt keeps the mark",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, DENIED),
        end=AccessDeniedError,
        attempts=2,
    ),
    lost(
        "organizer only after a doubt: the event is read, the mark stays",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, NOT_ORGANIZER),
        (READ_AFTER_REFUSAL, GUEST_COPY),
        end=NotOrganizerError,
        decided_by=3,
        says=BEN,
        attempts=2,
    ),
    # An invalid recipient: Graph has answered so both before and after the work.
    fresh(
        "an invalid recipient, but the event is gone: cancelled",
        (SEND, RECIPIENT_INVALID),
        (READ_FOR_EFFECT, GONE),
        end=Outcome.CANCELLED,
        ever_in_doubt=True,
    ),
    fresh(
        "an invalid recipient, and the event is there: refused, not sent again",
        (SEND, RECIPIENT_INVALID),
        (READ_FOR_EFFECT, ALIVE),
        end=InvalidRequestError,
        ever_in_doubt=True,
        decided_by=1,
        says="attendee",
    ),
    fresh(
        "an invalid recipient stays the reason while the look is throttled",
        (SEND, RECIPIENT_INVALID),
        (READ_FOR_EFFECT, THROTTLED),
        (READ_FOR_EFFECT, ALIVE),
        end=InvalidRequestError,
        ever_in_doubt=True,
        decided_by=1,
    ),
    # An earlier try.
    doubted("sent by an earlier try: looked at first", end=None, **IN_DOUBT),
    doubted("sent by an earlier try, gone: cancelled, nothing sent", (READ_FOR_EFFECT, GONE), end=Outcome.CANCELLED),
    doubted(
        "sent by an earlier try, still there: sent again",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, ACCEPTED),
        end=Outcome.CANCELLED,
        attempts=2,
    ),
    doubted(
        "sent by an earlier try, 404 at the repetition: cancelled, not missing",
        (READ_FOR_EFFECT, ALIVE),
        (SEND, GONE),
        end=Outcome.CANCELLED,
        attempts=2,
    ),
    doubted(
        "an earlier try, throttled read: stays in doubt", (READ_FOR_EFFECT, THROTTLED), end=ThrottledError, **IN_DOUBT
    ),
    doubted(
        "an earlier try, denied read: stays in doubt", (READ_FOR_EFFECT, DENIED), end=AccessDeniedError, **IN_DOUBT
    ),
    Row(
        "an earlier try was killed before it counted: one request at least",
        Known.KILLED_BEFORE,
        [(READ_FOR_EFFECT, GONE)],
        Outcome.CANCELLED,
        ever_in_doubt=True,
    ),
    Row(
        "an earlier try was killed, the event is there: only our own request counts",
        Known.KILLED_BEFORE,
        [(READ_FOR_EFFECT, ALIVE), (SEND, ACCEPTED)],
        Outcome.CANCELLED,
        ever_in_doubt=True,
    ),
    # Another process of the same task, such as the orphan of a killed supervisor.
    Row(
        "404 while another process sends: cancelled, not missing",
        Known.MARKED_MEANWHILE,
        [(SEND, GONE)],
        Outcome.CANCELLED,
    ),
    Row(
        "a date gone while another process sends: cancelled by this task",
        Known.MARKED_MEANWHILE,
        [(SEND, DATE_GONE)],
        Outcome.CANCELLED,
    ),
    Row(
        "accepted while another process sends: cancelled",
        Known.MARKED_MEANWHILE,
        [(SEND, ACCEPTED)],
        Outcome.CANCELLED,
    ),
    Row(
        "organizer only while another process sends: the event is read as ever",
        Known.MARKED_MEANWHILE,
        [(SEND, NOT_ORGANIZER), (READ_AFTER_REFUSAL, GUEST_COPY)],
        NotOrganizerError,
        decided_by=1,
    ),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.promise) for row in ROWS])
def test_cancellation(row: Row) -> None:
    """Play one row; the promise is the row's name."""
    past = Past(row.known)
    case = Cancellation(EventAddress(EVENT_ID, ADA), past)
    end: Outcome | type[GraphCancelError] | None = None
    quoted, attempts, said = None, None, ""
    for place, (step, plain) in enumerate(row.course, start=1):
        assert case.step is step, f"step {place}"
        assert end is None or (not isinstance(end, Outcome) and issubclass(end, TryLaterError)), f"{end} is an end"
        end = None
        if step is SEND:
            past.count()
        if plain is None:
            case.lost()
            continue
        try:
            result = case.answered(as_selected(numbered(plain, place)))
        except GraphCancelError as error:
            end, quoted, said = type(error), error.request_id, str(error)
        else:
            if result is not None:
                assert (result.event_id, result.mailbox) == (EVENT_ID, ADA)
                end, quoted, said, attempts = result.outcome, result.request_id, result.message, result.attempts
    assert end is row.end
    assert case.ever_in_doubt is row.ever_in_doubt
    if not isinstance(row.end, Outcome):
        assert case.in_doubt is row.in_doubt
    assert (case.attempts if attempts is None else attempts) == row.attempts
    if row.step is not None:
        assert case.step is row.step
    if row.end is not None:
        decided_by = row.decided_by if row.decided_by >= 0 else len(row.course)
        assert quoted == (f"request {decided_by}" if decided_by else None)
        assert said
        assert row.says in said


def numbered(answer: Response, place: int) -> Response:
    """The answer with its place as its request id, if it has one."""
    if "request-id" not in answer.headers:
        return answer
    return replace(answer, headers={**answer.headers, "request-id": f"request {place}"})


def as_selected(answer: Response) -> Response:
    """An event with the properties that a read selects, and no others."""
    if answer.meaning is not Meaning.ACCEPTED:
        return answer
    return replace(answer, content=b"", body={name: answer.json[name] for name in EVIDENCE if name in answer.json})


def test_every_meaning_stands_in_the_table_at_every_step() -> None:
    """A new meaning, or a new step, needs rows."""
    covered = {(step, answer.meaning) for row in ROWS for step, answer in row.course if answer is not None}
    assert covered == {(step, meaning) for step in Step for meaning in Meaning}


def test_no_promise_is_made_twice() -> None:
    """A row is found by its name."""
    assert len({row.promise for row in ROWS}) == len(ROWS)


ANSWERS: Mapping[str, Response | None] = {
    "lost": LOST, "shows nothing": SHOWS_NOTHING, "alive": ALIVE, "cancelled copy": CANCELLED_COPY,
    "guest copy": GUEST_COPY, **{meaning.name: answer for meaning, answer in OF_EACH_MEANING.items()},
}  # fmt: skip
PARSED = {name: answer and replace(answer, content=b"", body=answer.json) for name, answer in ANSWERS.items()}
MAY_HAVE_TAKEN_EFFECT = {"lost", "EFFECT_UNKNOWN", "RECIPIENT_INVALID"}
SHOWN_ALIVE = {"alive", "guest copy"}


def courses(known: Known, depth: int) -> Iterator[tuple[list[tuple[Step, str]], Cancellation, object]]:
    """Every course of so many answers: the steps and answers, and what became of the event."""

    def play(names: tuple[str, ...]) -> tuple[list[tuple[Step, str]], Cancellation, object]:
        past = Past(known)
        case = Cancellation(EventAddress(EVENT_ID, ADA), past)
        course: list[tuple[Step, str]] = []
        end: object = None
        for name in names:
            course.append((case.step, name))
            if case.step is SEND:
                past.count()
            answer, end = PARSED[name], None
            if answer is None:
                case.lost()
                continue
            try:
                end = case.answered(answer)
            except GraphCancelError as error:
                end = error
        return course, case, end

    open_courses: list[tuple[str, ...]] = [()]
    for _ in range(depth):
        longer = [(*course, name) for course in open_courses for name in PARSED]
        open_courses = []
        for names in longer:
            course, case, end = play(names)
            yield course, case, end
            if end is None or isinstance(end, TryLaterError):
                open_courses.append(names)


@pytest.mark.parametrize("known", [Known.NOTHING, Known.SENT_BEFORE, Known.MARKED_MEANWHILE])
def test_in_no_course_is_an_event_sent_twice_without_a_look_that_shows_it(known: Known) -> None:
    """All courses of four answers: after a request of unknown effect, only an event that was seen is sent again."""
    ends = set()
    for course, case, end in courses(known, 4):
        doubt = ever = known in {Known.SENT_BEFORE, Known.KILLED_BEFORE}
        for step, name in course:
            assert (step is READ_FOR_EFFECT) is doubt, course
            if step is SEND and name in MAY_HAVE_TAKEN_EFFECT:
                doubt = ever = True
            elif step is READ_FOR_EFFECT and name in SHOWN_ALIVE:
                doubt = False
        if end is None or isinstance(end, GraphCancelError):
            assert case.in_doubt == doubt, course
        assert case.ever_in_doubt == ever, course
        if isinstance(end, CancelResult):
            step, name = course[-1]
            accepted = step is SEND and (answer := PARSED[name]) is not None and answer.meaning is Meaning.ACCEPTED
            may_be_ours = ever or accepted or known is Known.MARKED_MEANWHILE
            assert end.outcome is not Outcome.CANCELLED or may_be_ours, course
        ends.add(end.outcome if isinstance(end, CancelResult | GraphCancelError) else None)
    assert {None, Outcome.CANCELLED, Outcome.DENIED, Outcome.THROTTLED, Outcome.UNAVAILABLE} <= ends


def test_a_case_holds_no_more_than_it_must() -> None:
    """There is one for each of thousands of events, so a stray attribute is an error."""
    case: Any = Cancellation(EventAddress(EVENT_ID, ADA), Past(Known.NOTHING))
    with pytest.raises(AttributeError):
        case.doubt = True
