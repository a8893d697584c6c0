"""One event by single requests: the order of mark, request and look, and what an error says of what was sent."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator

import pytest

from airflow_graph_cancel.graph.cancel.single import cancel_event
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    EventMissingError,
    GraphCancelError,
    InvalidInputError,
    InvalidRequestError,
    ServiceUnavailableError,
    StoppedError,
    ThrottledError,
)
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.requests import CancelRequest
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from tests.support.fake_graph import Answer, FakeGraph
from tests.support.graph_responses import (
    ACCEPTED,
    ADA,
    ALIVE,
    BROKEN,
    DATE_GONE,
    DENIED,
    EVENT_ID,
    GONE,
    RECIPIENT_INVALID,
    THROTTLED,
    TOKEN_REFUSED,
    response,
)
from tests.support.virtual_clock import VirtualClock, virtual_clock

START = 1_000.0
ADDRESS = EventAddress(EVENT_ID, ADA)
NEVER_SENT = ServiceUnavailableError("Graph could not be reached.")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """A virtual clock, and backoff without jitter."""
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    with virtual_clock() as clock:
        yield clock


class Journal:
    """A journal that writes into the same log as the requests."""

    def __init__(self, log: list[tuple[str, str]], *, sent_before: bool = False, sent: int = 0) -> None:
        self.sent = sent
        self.before: CancelResult | None = None
        self.kept: CancelResult | None = None
        self.broken = False
        self._log = log
        self._sent_before = sent_before

    def settled_before(self) -> CancelResult | None:
        """Return the result of an earlier try."""
        return self.before

    def sent_before(self) -> bool:
        """Tell what an earlier try left."""
        return self._sent_before

    def sending(self) -> None:
        """Log the mark and count the request; fail if the store is broken."""
        if self.broken:
            raise ConnectionError("the API server is away")
        self._log.append(("mark", ""))
        self.sent += 1

    def not_sent(self) -> None:
        """Take the mark back."""
        self._log.append(("not sent", ""))

    def settled(self, result: CancelResult) -> None:
        """Keep the result."""
        self._log.append(("settled", ""))
        self.kept = result


class Run:
    """A cancellation of one event, by a script of answers."""

    def __init__(self, *answers: Answer, sent_before: bool = False, sent: int = 0) -> None:
        self._answers = list(answers)
        self.graph = FakeGraph(lambda _: self._answers.pop(0))
        self.journal = Journal(self.graph.log, sent_before=sent_before, sent=sent)

    def go(
        self, clock: VirtualClock, stopped: Callable[[], bool] = lambda: False, retry_for: float = 300
    ) -> CancelResult:
        """Run to the end; every answer must have been asked for."""
        options = Options(Backoff(retry_for=retry_for), stopped=stopped)
        try:
            return clock.run(cancel_event(self.graph.client, ADDRESS, "Closed.", journal=self.journal, options=options))
        finally:
            assert self._answers == []

    @property
    def story(self) -> str:
        """What happened, in order, without signing in."""
        return ", ".join(what for what, _ in self.graph.log if what != "sign in")


COURSES = [
    ("accepted", [ACCEPTED], Outcome.CANCELLED, "mark, POST, settled"),
    ("lost, gone", [None, GONE], Outcome.CANCELLED, "mark, POST, GET, settled"),
    ("lost, there, accepted", [None, ALIVE, ACCEPTED], Outcome.CANCELLED, "mark, POST, GET, mark, POST, settled"),
    ("lost, lost look, gone", [None, None, GONE], Outcome.CANCELLED, "mark, POST, GET, GET, settled"),
    ("never sent, accepted", [NEVER_SENT, ACCEPTED], Outcome.CANCELLED, "mark, POST, mark, POST, settled"),
    ("5xx, gone", [BROKEN, GONE], Outcome.CANCELLED, "mark, POST, GET, settled"),
    ("throttled, accepted", [THROTTLED, ACCEPTED], Outcome.CANCELLED, "mark, POST, mark, POST, settled"),
    ("401, accepted", [TOKEN_REFUSED, ACCEPTED], Outcome.CANCELLED, "mark, POST, renew, mark, POST, settled"),
    ("date gone", [DATE_GONE], Outcome.ALREADY_CANCELLED, "mark, POST"),
    ("invalid recipient, gone", [RECIPIENT_INVALID, GONE], Outcome.CANCELLED, "mark, POST, GET, settled"),
]


@pytest.mark.parametrize(
    ("answers", "outcome", "story"), [course[1:] for course in COURSES], ids=[course[0] for course in COURSES]
)
def test_the_mark_comes_before_each_request_and_a_look_after_each_doubt(
    clock: VirtualClock, answers: list[Answer], outcome: Outcome, story: str
) -> None:
    """In this order: a process that dies at any point leaves the truth behind."""
    run = Run(*answers)
    result = run.go(clock)
    assert (result.outcome, run.story) == (outcome, story)
    assert result.attempts == story.count("POST")
    assert run.journal.kept is (result if outcome is Outcome.CANCELLED else None)


def test_the_request_has_the_address_and_the_comment(clock: VirtualClock) -> None:
    """The request carries the address and the comment unchanged."""
    run = Run(ACCEPTED)
    run.go(clock)
    assert run.graph.sent[0].requests == [CancelRequest(ADDRESS, "Closed.")]


REFUSED: list[tuple[str, list[Answer], type[GraphCancelError], str, bool, int]] = [
    ("403", [DENIED], AccessDeniedError, "mark, POST, not sent", False, 1),
    ("404 twice", [GONE, GONE], EventMissingError, "mark, POST, GET, not sent", False, 1),
    ("401 twice", [TOKEN_REFUSED] * 2, AccessDeniedError, "mark, POST, renew, mark, POST, not sent", False, 2),
    ("invalid recipient", [RECIPIENT_INVALID, ALIVE], InvalidRequestError, "mark, POST, GET", False, 1),
    ("lost, look denied", [None, DENIED], AccessDeniedError, "mark, POST, GET", True, 1),
    ("lost, there, denied", [None, ALIVE, DENIED], AccessDeniedError, "mark, POST, GET, mark, POST", False, 2),
    ("preview_only", [InvalidInputError("preview_only")], InvalidInputError, "mark, POST, not sent", False, 1),
]


@pytest.mark.parametrize(
    ("answers", "kind", "story", "in_doubt", "attempts"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_an_error_says_what_was_sent_and_whether_it_is_in_doubt(
    clock: VirtualClock, answers: list[Answer], kind: type[GraphCancelError], story: str, in_doubt: bool, attempts: int
) -> None:
    """The mark is taken back only if certainly nothing took effect, at any time."""
    run = Run(*answers)
    with pytest.raises(kind) as caught:
        run.go(clock)
    error = caught.value
    assert (run.story, error.in_doubt, error.attempts, error.mailbox) == (story, in_doubt, attempts, ADA)
    assert ("may have taken effect" in str(error)) is in_doubt


@pytest.mark.parametrize(
    ("answers", "kind", "in_doubt", "story"),
    [
        ([THROTTLED], ThrottledError, False, "mark, POST, not sent"),
        ([NEVER_SENT], ServiceUnavailableError, False, "mark, POST, not sent"),
        ([None], ResponseLostError, True, "mark, POST"),
        ([BROKEN], ServiceUnavailableError, True, "mark, POST"),
    ],
)
def test_a_spent_budget_is_handed_over(
    clock: VirtualClock, answers: list[Answer], kind: type[GraphCancelError], in_doubt: bool, story: str
) -> None:
    """Airflow tries again later, and looks first if it must."""
    run = Run(*answers)
    with pytest.raises(kind) as caught:
        run.go(clock, retry_for=0)
    assert (caught.value.in_doubt, caught.value.attempts, run.story) == (in_doubt, 1, story)
    assert "may have taken effect" not in str(caught.value)


def test_what_an_earlier_try_settled_stands(clock: VirtualClock) -> None:
    """Nothing is sent, not even to the login."""
    run = Run()
    run.journal.before = ADDRESS.result(Outcome.CANCELLED, "Earlier.")
    assert run.go(clock) is run.journal.before
    assert run.graph.log == []


def test_what_an_earlier_try_may_have_sent_is_looked_at_first(clock: VirtualClock) -> None:
    """Gone: cancelled, without another request; its requests are counted."""
    run = Run(GONE, sent_before=True, sent=2)
    result = run.go(clock)
    assert (result.outcome, result.attempts, run.story) == (Outcome.CANCELLED, 2, "GET, settled")


def test_a_login_that_fails_leaves_no_mark(clock: VirtualClock) -> None:
    """Certainly nothing was sent: a retry need not look."""
    run = Run()
    run.graph.login = AccessDeniedError("Sign-in failed.")
    with pytest.raises(AccessDeniedError) as caught:
        run.go(clock)
    assert run.story == "not sent"
    assert caught.value.attempts == 0


def test_a_login_that_is_down_is_tried_again(clock: VirtualClock) -> None:
    """The login failed before anything was sent, so the event is not in doubt."""
    run = Run(ACCEPTED)
    up_again = clock.now + 1

    async def sign_in() -> str:
        if clock.now < up_again:
            raise ServiceUnavailableError("The login answered 503.")
        return "token"

    run.graph.sign_in = sign_in  # type: ignore[method-assign]
    assert run.go(clock).outcome is Outcome.CANCELLED
    assert run.story == "mark, POST, settled"


def test_a_mark_that_cannot_be_written_keeps_the_request_back(clock: VirtualClock) -> None:
    """A request goes out only if the next try will know of it."""
    run = Run()
    run.journal.broken = True
    with pytest.raises(ConnectionError):
        run.go(clock)
    assert run.story == ""


def test_a_stop_before_the_request_sends_nothing(clock: VirtualClock) -> None:
    """Asked after the sign-in, which takes time."""
    run = Run()
    with pytest.raises(StoppedError) as caught:
        run.go(clock, stopped=lambda: bool(run.graph.log))
    assert run.story == "not sent"
    assert (caught.value.attempts, caught.value.in_doubt, caught.value.mailbox) == (0, False, ADA)


def test_a_stop_during_a_wait_ends_it_and_sends_nothing_more(clock: VirtualClock) -> None:
    """Within a second of a minute; what was throttled is not in doubt."""
    run = Run(response(429, retry_after="50"))
    with pytest.raises(StoppedError):
        run.go(clock, stopped=lambda: clock.now > START + 3)
    assert clock.now < START + 4
    assert run.story == "mark, POST, not sent"


def test_a_stop_between_refused_token_and_repetition_is_obeyed(clock: VirtualClock) -> None:
    """The client does not repeat a cancellation by itself."""
    run = Run(TOKEN_REFUSED)
    with pytest.raises(StoppedError):
        run.go(clock, stopped=lambda: ("renew", "") in run.graph.log)
    assert run.story == "mark, POST, renew, not sent"


def test_a_stop_does_not_keep_from_looking(clock: VirtualClock) -> None:
    """A look sends nothing, and what it shows is worth knowing; only the next cancellation is kept back."""
    run = Run(None, GONE)
    assert run.go(clock, stopped=lambda: len(run.graph.sent) > 0).outcome is Outcome.CANCELLED
    run = Run(None, ALIVE)
    with pytest.raises(StoppedError) as caught:
        run.go(clock, stopped=lambda: len(run.graph.sent) > 0)
    assert run.story == "mark, POST, GET"
    assert caught.value.attempts == 1


def test_after_a_stop_there_is_one_look_and_no_more(clock: VirtualClock) -> None:
    """The waits between looks end with the stop: without them a service that is down would be flooded."""
    run = Run(None, BROKEN, BROKEN, None)
    with pytest.raises(ServiceUnavailableError) as caught:
        run.go(clock, stopped=lambda: len(run.graph.sent) > 2)
    assert run.story == "mark, POST, GET, GET, GET"
    assert caught.value.in_doubt


def test_a_task_that_is_cancelled_in_mid_request_leaves_the_mark(clock: VirtualClock) -> None:
    """The request is on its way; the next try looks first."""
    run = Run(ACCEPTED)
    run.graph.latency = 30.0

    async def cancelled_after_a_second() -> None:
        async with asyncio.timeout(1):
            await cancel_event(run.graph.client, ADDRESS, None, journal=run.journal, options=Options())

    with pytest.raises(TimeoutError):
        clock.run(cancelled_after_a_second())
    assert run.story == "mark, POST"


def test_a_late_effect_after_a_look_is_ours(clock: VirtualClock) -> None:
    """Lost, still there, sent again, and gone then: the first request took effect late."""
    run = Run(None, ALIVE, GONE)
    result = run.go(clock)
    assert (result.outcome, result.attempts) == (Outcome.CANCELLED, 2)


def test_waits_are_logged_with_the_reason_and_without_content(
    clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A person who wonders why nothing happens finds status, seconds and event; never the comment."""
    with caplog.at_level(logging.INFO):
        Run(THROTTLED, None, GONE).go(clock)
    first, second = caplog.messages
    assert "429" in first
    assert "7.0 s" in first
    assert EVENT_ID in first
    assert "No response" in second
    assert "Closed." not in caplog.text
