"""Many events in one run, against a tenant that fails in every way: each event ends once, and none is sent blindly."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from airflow_graph_cancel.graph.cancel.bulk import BulkProgress, BulkResult, cancel_events, no_progress
from airflow_graph_cancel.graph.cancel.inputs import CancelInput, parse_inputs
from airflow_graph_cancel.graph.cancel.journal import InMemoryBulkJournal
from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    ServiceUnavailableError,
    StoppedError,
    ThrottledError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.requests import CancelRequest, Request
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.outcome import CancelResult, Outcome
from tests.support.fake_graph import FakeGraph, lost, mailbox_of, path_of
from tests.support.fake_tenant import FakeTenant, Fault, inputs_of, sent_blindly
from tests.support.graph_responses import (
    BEN,
    BROKEN,
    DENIED,
    GUEST_COPY,
    NOT_ORGANIZER,
    RECIPIENT_INVALID,
    event,
    response,
)
from tests.support.recorded_journal import RecordedJournal
from tests.support.virtual_clock import VirtualClock, virtual_clock

if TYPE_CHECKING:
    from airflow_graph_cancel.graph.http.response import Response

START = 1_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """A virtual clock, and backoff without jitter."""
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    with virtual_clock() as clock:
        yield clock


class Run:
    """A run and its surroundings.

    :param inputs: the events.
    :param fault: what goes wrong, by request.
    :param before: the run before, whose tenant and journal this one finds.
    """

    def __init__(
        self,
        inputs: Sequence[CancelInput],
        fault: Callable[[Request], Fault | Response | None] = lambda _: None,
        before: Run | None = None,
    ) -> None:
        self.inputs = inputs
        self.tenant: FakeTenant = FakeTenant(inputs, fault) if before is None else before.tenant
        self.tenant.fault = fault
        self.graph = FakeGraph(self.tenant.answer)
        self.journal: RecordedJournal = RecordedJournal(inputs, self.graph.log, before.journal if before else None)

    def go(
        self,
        clock: VirtualClock,
        *,
        hold: bool = False,
        progress: Callable[[BulkProgress], None] = no_progress,
        **options: object,
    ) -> BulkResult:
        """Run to the end."""
        chosen = Options(**options)  # type: ignore[arg-type]
        return clock.run(
            cancel_events(self.graph.client, self.inputs, self.journal, chosen, hold=hold, progress=progress)
        )

    def asked(self, what: str) -> list[str]:
        """Paths of what was done, in order."""
        return [path for kind, path in self.graph.log if kind == what]


def on(
    *faults: Fault | Response, method: str = "POST", mailbox: str = "ada"
) -> Callable[[Request], Fault | Response | None]:
    """Let the first requests of a kind to a mailbox go wrong, one after the other."""
    rest = list(faults)

    def fault(request: Request) -> Fault | Response | None:
        posts = isinstance(request, CancelRequest)
        wanted = mailbox_of(request) == mailbox and posts == (method == "POST")
        return rest.pop(0) if wanted and rest else None

    return fault


def outcomes(result: BulkResult) -> list[str]:
    """The outcome of each event, in order."""
    return [str(result.row(number).outcome) for number in range(len(result.inputs))]


# Hundreds of events and faults

FAULTS = [fault for fault in Fault if fault is not Fault.NEVER_SENT]


@pytest.mark.parametrize("batch", [True, False], ids=["batched", "single"])
@pytest.mark.parametrize("seed", range(12))
def test_whatever_goes_wrong_each_event_ends_once_and_none_is_sent_blindly(
    clock: VirtualClock, seed: int, batch: bool
) -> None:
    """A third of the requests fail, whole batches are lost, some events are not there: all at once."""
    dice = random.Random(seed)
    counts = {f"mailbox{number}": dice.choice([1, 2, 5, 30]) for number in range(25)}
    inputs = inputs_of(**counts)
    run = Run(inputs, lambda _: dice.choice(FAULTS) if dice.random() < 0.35 else None)
    missing = set(dice.sample(sorted(run.tenant.alive), len(inputs) // 20))
    run.tenant.alive -= missing
    run.graph.outer = lambda requests: lost(requests) if dice.random() < 0.05 else None
    budget = dice.choice([0.0, 10.0, 300.0])
    result = run.go(clock, backoff=Backoff(retry_for=budget), batch=batch, concurrency=dice.choice([4, 64]))

    assert result.results.keys() | result.left.keys() == set(range(len(inputs)))
    assert not result.results.keys() & result.left.keys()
    assert sent_blindly(run.graph.heard) == []
    posts = Counter(run.asked("POST"))
    for number, each in enumerate(inputs):
        path, row = each.address.path, result.row(number)
        messages = run.tenant.messages[path]
        assert row.attempts == posts[path]
        match row.outcome:
            case Outcome.CANCELLED:
                assert path in missing or messages == 1
            case Outcome.MISSING:
                assert path in missing
            case Outcome.DENIED | Outcome.INVALID:
                # A token that is refused again and again; an invalid recipient of an event that is still there.
                pass
            case Outcome.THROTTLED | Outcome.UNAVAILABLE:
                error = result.left[number]
                assert isinstance(error, TryLaterError)
                assert error.in_doubt or not messages
                assert error.in_doubt or path in run.tenant.alive | missing
            case outcome:
                pytest.fail(f"{outcome} cannot happen here")
    assert not any(run.tenant.messages[inputs[number].address.path] for number in run.journal.forgotten or ())
    if budget == 300.0:
        assert len(result.left) < len(inputs) / 20


@pytest.mark.parametrize("batch", [True, False], ids=["batched", "single"])
def test_every_request_is_marked_before_it_goes_out(clock: VirtualClock, batch: bool) -> None:
    """The process can die at any moment after it; a retry then looks first."""
    dice = random.Random(7)
    run = Run(inputs_of(ada=60, ben=60), lambda _: dice.choice(FAULTS) if dice.random() < 0.3 else None)
    run.go(clock, batch=batch)
    marks: Counter[str] = Counter()
    posts: Counter[str] = Counter()
    for what, path in run.graph.log:
        marks[path] += what == "mark"
        posts[path] += what == "POST"
        assert posts[path] <= marks[path], path
    assert marks == posts
    assert run.graph.log[-2:] == [("close", ""), ("forget", "")]


@pytest.mark.parametrize("seed", range(6))
def test_tries_that_end_early_and_go_on_tell_everybody_once(clock: VirtualClock, seed: int) -> None:
    """Each try leaves what it could not settle; what the journal keeps is enough for the next."""
    dice = random.Random(seed)
    run = Run(inputs_of(ada=40, ben=30, cleo=1), lambda _: dice.choice(FAULTS) if dice.random() < 0.5 else None)
    first = run
    heard = []
    for _ in range(60):
        result = run.go(clock, backoff=Backoff(retry_for=0))
        heard += run.graph.heard
        if not result.left:
            break
        run = Run(run.inputs, run.tenant.fault, before=run)
    else:
        pytest.fail("This should have come to an end.")
    assert sent_blindly(heard) == []
    for number, each in enumerate(run.inputs):
        if result.row(number).outcome is Outcome.CANCELLED:
            assert first.tenant.messages[each.address.path] == 1
    assert result.counts[Outcome.CANCELLED] > 60


# How an event ends


def test_all_is_well(clock: VirtualClock) -> None:
    """One request each, with the event's own text."""
    inputs = [*inputs_of(ada=25), CancelInput(EventAddress("ben-0", "ben"), None)]
    run = Run(inputs)
    result = run.go(clock)
    assert result.counts == {Outcome.CANCELLED: 26}
    assert result.left == {}
    assert result.people is None
    assert set(run.tenant.messages.values()) == {1}
    comments = {path_of(request): request.comment for sent in run.graph.sent for request in sent.requests
                if isinstance(request, CancelRequest)}  # fmt: skip
    assert comments == {each.address.path: each.comment for each in inputs}
    assert run.journal.results == result.results
    assert run.journal.forgotten == set()


def test_an_empty_list_sends_nothing(clock: VirtualClock) -> None:
    """An empty list does not even sign in."""
    run = Run([])
    assert run.go(clock).counts == {}
    assert run.graph.log == [("close", ""), ("forget", "")]


@pytest.mark.parametrize(
    ("faults", "outcome", "posts"),
    [
        ([Fault.LOST_AFTER], "cancelled", 1),
        ([Fault.LOST_BEFORE], "cancelled", 2),
        ([Fault.BROKEN_AFTER], "cancelled", 1),
        ([Fault.BROKEN_BEFORE, Fault.BROKEN_AFTER], "cancelled", 2),
        ([Fault.THROTTLED, Fault.THROTTLED], "cancelled", 3),
        ([Fault.RECIPIENT_AFTER], "cancelled", 1),
        ([RECIPIENT_INVALID], "invalid", 1),
        ([DENIED], "denied", 1),
    ],
)
@pytest.mark.parametrize("batch", [True, False], ids=["batched", "single"])
def test_an_event_ends_as_a_single_one_does(
    clock: VirtualClock, faults: list[Fault | Response], outcome: str, posts: int, batch: bool
) -> None:
    """The state machine decides; what is lost, throttled or refused is not the others' trouble."""
    run = Run(inputs_of(ada=1, ben=2), on(*faults))
    result = run.go(clock, batch=batch)
    assert outcomes(result) == [outcome, "cancelled", "cancelled"]
    assert run.asked("POST").count(run.inputs[0].address.path) == posts
    assert result.results[0].attempts == posts
    assert sent_blindly(run.graph.heard) == []


def test_a_guests_copy_is_named_with_its_organizer(clock: VirtualClock) -> None:
    """Looked behind the refusal, in a batch as well."""
    run = Run(inputs_of(ada=2), lambda request: NOT_ORGANIZER if isinstance(request, CancelRequest) else GUEST_COPY)
    result = run.go(clock)
    assert outcomes(result) == ["not_organizer"] * 2
    assert BEN in result.results[0].message


@pytest.mark.parametrize(("refused", "outcome"), [(1, "cancelled"), (2, "denied")])
def test_a_token_is_renewed_once_for_an_event(clock: VirtualClock, refused: int, outcome: str) -> None:
    """A 401 had no effect; a fresh token that is refused means that the app may not."""
    run = Run(inputs_of(ada=1), on(*[Fault.TOKEN_REFUSED] * refused))
    result = run.go(clock)
    assert outcomes(result) == [outcome]
    assert result.results[0].attempts == 2
    assert run.asked("renew") == [""]


def test_an_event_that_is_not_there_is_missing(clock: VirtualClock) -> None:
    """Looked behind, and reported; it is certain that nothing was sent that took effect."""
    run = Run(inputs_of(ada=1, ben=1))
    run.tenant.alive.clear()
    result = run.go(clock)
    assert outcomes(result) == ["missing", "missing"]
    assert run.journal.forgotten == {0, 1}


def test_a_refusal_after_a_doubt_is_not_forgotten(clock: VirtualClock) -> None:
    """A cleared task decides again only about events for which certainly nothing was sent."""
    run = Run(inputs_of(ada=1, ben=1), on(RECIPIENT_INVALID))
    assert outcomes(run.go(clock)) == ["invalid", "cancelled"]
    assert run.journal.forgotten == set()
    run = Run(inputs_of(ada=1, ben=1), on(DENIED))
    assert outcomes(run.go(clock)) == ["denied", "cancelled"]
    assert run.journal.forgotten == {0}


def test_while_something_is_left_nothing_is_forgotten(clock: VirtualClock) -> None:
    """Airflow tries again by itself, and refused events would be sent again each time."""
    run = Run(inputs_of(ada=1, ben=1), lambda request: DENIED if mailbox_of(request) == "ada" else Fault.THROTTLED)
    result = run.go(clock, backoff=Backoff(retry_for=0))
    assert outcomes(result) == ["denied", "throttled"]
    assert run.journal.forgotten is None


@pytest.mark.parametrize(
    ("fault", "in_doubt", "attempts"),
    [
        (Fault.THROTTLED, False, 1),
        (Fault.LOST_AFTER, True, 1),
        (Fault.LOST_BEFORE, True, 1),
        (Fault.BROKEN_BEFORE, True, 1),
    ],
)
def test_what_is_left_says_whether_it_is_in_doubt(
    clock: VirtualClock, fault: Fault, in_doubt: bool, attempts: int
) -> None:
    """Only a request that certainly had no effect loses its mark and is sent again without reading the event."""
    run = Run(inputs_of(ada=1), lambda _: fault)
    result = run.go(clock, backoff=Backoff(retry_for=0))
    error = result.left[0]
    assert (error.in_doubt, error.attempts) == (in_doubt, attempts)
    assert run.asked("not sent") == ([] if in_doubt else [run.inputs[0].address.path])
    after = Run(run.inputs, before=run)
    after.go(clock)
    assert next(what for what, path in after.graph.log if path and what in {"GET", "POST"}) == (
        "GET" if in_doubt else "POST"
    )
    assert run.tenant.messages == {run.inputs[0].address.path: 1}


def test_a_refusal_in_doubt_says_that_people_may_have_been_told(clock: VirtualClock) -> None:
    """The meeting may be cancelled although its row says "denied": a report must not hide that."""
    looks_denied = [Fault.LOST_AFTER, None]

    def fault(request: Request) -> Fault | Response | None:
        if mailbox_of(request) == "ben":
            return None
        return looks_denied.pop(0) if isinstance(request, CancelRequest) else DENIED

    run = Run(inputs_of(ada=1, ben=1), fault)
    result = run.go(clock)
    assert outcomes(result) == ["denied", "cancelled"]
    assert "may have taken effect" in result.results[0].message
    assert set(run.tenant.messages.values()) == {1}
    plain = Run(inputs_of(ada=1), on(DENIED)).go(clock)
    assert "may have taken effect" not in plain.results[0].message


def test_each_event_of_a_lost_batch_says_its_own(clock: VirtualClock) -> None:
    """They share an error, and not what was sent for them."""
    run = Run(inputs_of(ada=1, ben=1))
    run.journal.counts[0] = 1
    run.graph.outer = lost
    result = run.go(clock, backoff=Backoff(retry_for=0))
    assert len(run.graph.sent) == 1
    assert [error.attempts for error in result.left.values()] == [2, 1]


def test_a_doubt_that_was_cleared_up_keeps_its_mark(clock: VirtualClock) -> None:
    """Lost, seen alive, then throttled until the budget is spent: a late effect is still possible."""
    run = Run(inputs_of(ada=1), on(Fault.LOST_BEFORE, Fault.THROTTLED, Fault.THROTTLED))
    result = run.go(clock, backoff=Backoff(retry_for=5))
    assert result.left[0].in_doubt is False
    assert run.asked("not sent") == []


# Earlier tries


def test_what_is_settled_is_not_asked_about_again(clock: VirtualClock) -> None:
    """Its result stands, with its time and its request id."""
    run = Run(inputs_of(ada=2))
    before = CancelResult("ada-0", "ada", Outcome.CANCELLED, "Earlier.", "r", 1, "2030-01-01T00:00:00+00:00")
    run.journal.results = {0: before}
    seen: list[BulkProgress] = []
    result = run.go(clock, progress=seen.append)
    assert result.results[0] is before
    assert run.asked("POST") == [run.inputs[1].address.path]
    assert (seen[0].total, seen[0].settled, seen[0].rate) == (2, 1, 0)


def test_everything_is_settled(clock: VirtualClock) -> None:
    """A retry of a task that died just before its end sends nothing."""
    run = Run(inputs_of(ada=1))
    run.journal.results = {0: run.inputs[0].address.result(Outcome.CANCELLED, "Earlier.")}
    assert outcomes(run.go(clock)) == ["cancelled"]
    assert run.graph.log == [("close", ""), ("forget", "")]


# Ends


def test_a_stop_leaves_what_is_known(clock: VirtualClock) -> None:
    """In the journal, in the last progress, and in the error: how many of how many."""
    run = Run(inputs_of(ada=200))
    seen: list[BulkProgress] = []
    with pytest.raises(StoppedError, match=r"\d+ of 200 events are settled") as caught:
        run.go(clock, progress=seen.append, stopped=lambda: clock.now > START + 2.2)
    assert run.graph.log[-1] == ("close", "")
    settled = len(run.journal.results)
    assert 80 <= settled < 200
    assert f"{settled} of 200" in str(caught.value)
    last = seen[-1].result()
    assert len(last.results) == settled
    assert last.row(199).outcome is Outcome.UNAVAILABLE
    assert "may or may not" in last.row(199).message
    assert len(run.asked("POST")) == len(set(run.asked("POST"))) == len(run.asked("mark"))


def test_a_login_that_fails_closes_the_journal(clock: VirtualClock) -> None:
    """Nothing was sent, and that is known."""
    run = Run(inputs_of(ada=2))
    run.graph.login = AccessDeniedError("Sign-in failed.")
    with pytest.raises(AccessDeniedError):
        run.go(clock)
    assert run.graph.log == [("sign in", ""), ("close", "")]


def test_a_mark_that_cannot_be_written_ends_the_run(clock: VirtualClock) -> None:
    """A request goes out only if the next try will know of it."""
    run = Run(inputs_of(ada=2))

    def broken(numbers: Sequence[int]) -> None:
        raise ConnectionError("the API server is away")

    run.journal.sending = broken  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        run.go(clock)
    assert run.asked("POST") == []
    assert run.graph.log[-1] == ("close", "")


# Progress and result


def test_progress_is_told_before_the_first_request_and_while_it_goes_on(clock: VirtualClock) -> None:
    """With a rate of this try's own, and a result that later events do not change."""
    run = Run(inputs_of(ada=100))
    seen: list[tuple[float, BulkProgress, BulkResult, int]] = []

    def progress(now: BulkProgress) -> None:
        seen.append((clock.now, now, now.result(), len(run.graph.sent)))

    run.go(clock, progress=progress)
    assert next(sent for _, _, _, sent in seen) == 0
    assert len(seen) >= 5
    at, now, result, _ = seen[4]
    assert 0 < now.settled == len(result.results) < 100
    assert now.rate == pytest.approx(now.settled / (at - START))
    assert sorted(now.settled for _, now, _, _ in seen) == [now.settled for _, now, _, _ in seen]


def test_a_result_counts_and_explains_every_event() -> None:
    """Settled or left, or not reached at all."""
    inputs = inputs_of(ada=4)
    left = {1: ThrottledError("Graph throttles.", retry_after=7, attempts=2), 2: ServiceUnavailableError("Down.")}
    result = BulkResult(inputs, {0: inputs[0].address.result(Outcome.MISSING, "Not there.")}, left)
    assert result.counts == {Outcome.MISSING: 1, Outcome.THROTTLED: 1, Outcome.UNAVAILABLE: 1}
    assert outcomes(result) == ["missing", "throttled", "unavailable", "unavailable"]
    assert (result.row(1).message, result.row(1).attempts) == ("Graph throttles.", 2)
    assert result.row(3).attempts == 0


@pytest.mark.parametrize(
    ("waits", "longest"), [([], None), ([7.0], 7.0), ([7.0, 30.0, 9.0], 30.0), ([7.0, None, 9.0], None), ([0.0], 0.0)]
)
def test_the_time_until_all_may_be_sent_again(waits: list[float | None], longest: float | None) -> None:
    """None if the service named none for any of them: then the retry's own delay holds."""
    left = {number: ThrottledError("later", retry_after=wait) for number, wait in enumerate(waits)}
    assert BulkResult(inputs_of(ada=9), {}, left).longest_wait == longest


def test_a_journal_in_memory_counts_and_keeps_nothing(clock: VirtualClock) -> None:
    """The default of a caller without a task: attempts are still right."""
    tenant = FakeTenant(inputs_of(ada=3), on(Fault.LOST_BEFORE))
    inputs = inputs_of(ada=3)
    graph = FakeGraph(tenant.answer)
    result = clock.run(cancel_events(graph.client, inputs, InMemoryBulkJournal(), Options()))
    assert outcomes(result) == ["cancelled"] * 3
    assert [row.attempts for row in result.results.values()] != []
    assert result.results[0].attempts == 2
    left = clock.run(
        cancel_events(FakeGraph(lambda _: BROKEN).client, inputs, InMemoryBulkJournal(), Options(Backoff(retry_for=0)))
    )
    assert len(left.left) == 3


# Held


def planned(number: int) -> CancelInput:
    """An event as a plan has it."""
    row = {
        "event_id": f"ada-{number}", "user_id": "ada", "changeKey": "1", "iCalUId": f"uid-{number}", "people": 0,
        "start": "2030-01-07T10:00:00+00:00", "end": "2030-01-07T11:00:00+00:00", "type": "singleInstance",
    }  # fmt: skip
    return parse_inputs([row], comment="Closed.", user_id=None, mailbox=None)[0]


def seen_as(key: str) -> Response:
    """The event with this change key."""
    return event(
        changeKey=key,
        start={"dateTime": "2030-01-07T10:00:00", "timeZone": "UTC"},
        end={"dateTime": "2030-01-07T11:00:00", "timeZone": "UTC"},
        type="singleInstance",
        attendees=[],
    )


def looks(**by_event: Response) -> Callable[[Request], Fault | Response | None]:
    """Answer looks at events by their ids, and cancellations as Graph would."""
    return lambda request: (
        None
        if isinstance(request, CancelRequest)
        else by_event.get(path_of(request).rpartition("/")[2].replace("-", "_"), seen_as("1"))
    )


def test_what_has_changed_is_held_and_the_rest_is_cancelled(clock: VirtualClock) -> None:
    """Compared before the first is sent."""
    run = Run([planned(0), planned(1)], looks(ada_1=seen_as("2")))
    assert outcomes(run.go(clock, hold=True)) == ["cancelled", "changed"]
    assert run.asked("POST") == [run.inputs[0].address.path]
    assert [what for what, _ in run.graph.log if what in {"GET", "POST"}] == ["GET", "GET", "POST"]
    assert run.journal.forgotten == {1}
    assert run.journal.results[1].outcome is Outcome.CHANGED


def test_without_hold_nothing_is_compared(clock: VirtualClock) -> None:
    """``if_changed="cancel"``."""
    run = Run([planned(0), planned(1)], looks(ada_1=seen_as("2")))
    assert outcomes(run.go(clock)) == ["cancelled", "cancelled"]
    assert run.asked("GET") == []


def test_what_cannot_be_compared_is_not_sent(clock: VirtualClock) -> None:
    """Refused: settled so. Later: left. Nothing at all: left as well."""
    run = Run(
        [planned(0), planned(1), planned(2), planned(3)],
        looks(ada_1=DENIED, ada_2=BROKEN, ada_3=response(404, "ErrorInvalidUser")),
    )
    result = run.go(clock, hold=True, backoff=Backoff(retry_for=0))
    assert outcomes(result) == ["cancelled", "denied", "unavailable", "mailbox_unavailable"]
    assert run.asked("POST") == [run.inputs[0].address.path]
    assert result.results[1].attempts == 0


def test_what_was_in_doubt_and_cannot_be_compared_is_not_forgotten(clock: VirtualClock) -> None:
    """An earlier try may have sent it."""
    run = Run([planned(0)], lambda _: Fault.LOST_BEFORE)
    run.go(clock, backoff=Backoff(retry_for=0))
    after = Run(run.inputs, looks(ada_0=DENIED), before=run)
    result = after.go(clock, hold=True)
    assert outcomes(result) == ["denied"]
    assert result.results[0].attempts == 1
    assert "may have taken effect" in result.results[0].message
    assert after.journal.forgotten == set()


def test_what_is_gone_is_for_the_run_to_judge(clock: VirtualClock) -> None:
    """It knows whether it had sent it."""
    run = Run([planned(0)], lambda _: Fault.LOST_AFTER)
    run.go(clock, backoff=Backoff(retry_for=0))
    after = Run(run.inputs, before=run)
    assert outcomes(after.go(clock, hold=True)) == ["cancelled"]
    assert after.asked("POST") == []


def test_a_stop_while_comparing_closes_the_journal(clock: VirtualClock) -> None:
    """Nothing was sent."""
    run = Run([planned(0)])
    with pytest.raises(StoppedError):
        run.go(clock, hold=True, stopped=lambda: True)
    assert run.graph.log[-1] == ("close", "")
    assert run.asked("POST") == []
