"""Many requests within the limits, under a virtual clock: what goes out when, what waits, and how it ends."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

import pytest

from airflow_graph_cancel.graph.dispatch.backoff import Backoff
from airflow_graph_cancel.graph.dispatch.dispatcher import Dispatcher
from airflow_graph_cancel.graph.dispatch.options import Options
from airflow_graph_cancel.graph.errors import (
    AccessDeniedError,
    ServiceUnavailableError,
    ThrottledError,
    TryLaterError,
)
from airflow_graph_cancel.graph.http.client import ResponseLostError
from airflow_graph_cancel.graph.http.requests import GetRequest, Request
from airflow_graph_cancel.graph.http.response import Meaning, Response
from tests.support.fake_graph import AT_ONCE, Answer, FakeGraph, Sent, lost, mailbox_of, path_of
from tests.support.graph_responses import ACCEPTED, BROKEN, TOKEN_REFUSED, response
from tests.support.virtual_clock import VirtualClock, virtual_clock

T = TypeVar("T")
START = 1_000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualClock]:
    """A virtual clock, and backoff without jitter."""
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    with virtual_clock() as clock:
        yield clock


class Question:
    """A job that is done with its first proper response, unless it is told what follows.

    :param following: the job that follows each response; None ends.
    """

    def __init__(self, mailbox: str, name: object = 0, *following: Question | None) -> None:
        self.mailbox = mailbox
        self.name = name
        self.heard: list[tuple[str, float]] = []
        self.error: TryLaterError | None = None
        self._following = list(following)

    @property
    def path(self) -> str:
        """What it asks for."""
        return f"/users/{self.mailbox}/{self.name}"

    @property
    def story(self) -> list[str]:
        """What it was told, without the times."""
        return [what for what, _ in self.heard]

    def _hear(self, what: str) -> None:
        self.heard.append((what, round(time.monotonic() - START, 6)))

    def next_request(self) -> GetRequest:
        """Ask."""
        return GetRequest(self.path)

    def received(self, response: Response) -> Question | None:
        """Take note of the response."""
        self._hear(response.meaning.name)
        if response.meaning is Meaning.THROTTLED:
            raise ThrottledError("later", retry_after=response.retry_after)
        if response.meaning is Meaning.EFFECT_UNKNOWN:
            raise ServiceUnavailableError("later", retry_after=response.retry_after)
        return self._following.pop(0) if self._following else None

    def lost(self) -> None:
        """Take note of a lost response."""
        self._hear("lost")

    def gave_up(self, error: TryLaterError) -> None:
        """Take note of the end."""
        self._hear("gave up")
        self.error = error


class Again(Question):
    """A job that asks the same so many times more."""

    def __init__(self, mailbox: str, name: object = 0, *, times: int = 1) -> None:
        super().__init__(mailbox, name)
        self._following = [*[self] * times, None]


def questions(**counts: int) -> list[Question]:
    """So many questions for each mailbox."""
    return [Question(mailbox, number) for mailbox, count in counts.items() for number in range(count)]


def accept(_: Request) -> Answer:
    """Answer properly at once."""
    return ACCEPTED


def script(**answers: Sequence[Answer]) -> Callable[[Request], Answer]:
    """Answer each mailbox by its script, and properly after that."""
    rests = {mailbox: list(each) for mailbox, each in answers.items()}

    def answer(request: Request) -> Answer:
        rest = rests.get(mailbox_of(request), [])
        return rest.pop(0) if rest else ACCEPTED

    return answer


def run(clock: VirtualClock, graph: FakeGraph, jobs: Sequence[Question], **options: object) -> bool:
    """Run the jobs to their end; nothing may be left running."""
    dispatcher: Dispatcher[Question] = Dispatcher(graph.client, Options(**options))  # type: ignore[arg-type]
    return clock.run(dispatcher.run(jobs))


def sizes(graph: FakeGraph, mailbox: str) -> list[int]:
    """How many requests of a mailbox went out together, in order."""
    return [sent.mailboxes[mailbox] for sent in graph.sent if sent.mailboxes[mailbox]]


def working(sent: Sent) -> int:
    """Requests that the service works on at a time."""
    return min(len(sent.requests), AT_ONCE)


# What goes out when


def test_every_job_is_asked_once_and_the_end_is_reported(clock: VirtualClock) -> None:
    """None is forgotten, none is sent twice."""
    graph = FakeGraph(accept)
    jobs = questions(ada=45, ben=7, cleo=1)
    assert run(clock, graph, jobs)
    asked = Counter(path_of(request) for sent in graph.sent for request in sent.requests)
    assert asked == {job.path: 1 for job in jobs}
    assert all(job.story == ["ACCEPTED"] for job in jobs)


def test_an_empty_list_sends_nothing(clock: VirtualClock) -> None:
    """An empty list does not even sign in."""
    graph = FakeGraph(accept)
    assert run(clock, graph, [])
    assert graph.log == []


def test_one_sign_in_comes_before_many_requests(clock: VirtualClock) -> None:
    """They would each ask the login otherwise."""
    graph = FakeGraph(accept)
    run(clock, graph, questions(ada=1, ben=1, cleo=1), batch=False)
    assert [what for what, _ in graph.log] == ["sign in", "GET", "GET", "GET"]


def test_a_login_that_fails_ends_the_run_before_anything_is_sent(clock: VirtualClock) -> None:
    """The caller gets the login's error, and no request goes out."""
    graph = FakeGraph(accept, login=AccessDeniedError("No."))
    with pytest.raises(AccessDeniedError, match="No"):
        run(clock, graph, questions(ada=1))
    assert graph.sent == []


def test_a_mailbox_is_in_one_batch_at_a_time(clock: VirtualClock) -> None:
    """Whatever the mailbox, Graph works on four of a batch at a time: so never more than four in one mailbox."""
    graph = FakeGraph(accept)
    assert run(clock, graph, questions(ada=45, ben=45))
    for mailbox in ("ada", "ben"):
        assert sizes(graph, mailbox) == [20, 20, 5]
        assert graph.most_at_once(lambda sent, mailbox=mailbox: int(sent.mailboxes[mailbox] > 0)) == 1  # type: ignore[misc]
    # Twelve round trips for each, both at the same time.
    assert clock.now == pytest.approx(START + 1.2, abs=0.01)


def test_without_batches_four_of_a_mailbox_are_on_their_way(clock: VirtualClock) -> None:
    """Four requests of a mailbox run at once, never a fifth."""
    graph = FakeGraph(accept)
    assert run(clock, graph, questions(ada=40, ben=40), batch=False)
    assert all(len(sent.requests) == 1 for sent in graph.sent)
    for mailbox in ("ada", "ben"):
        assert graph.most_at_once(lambda sent, mailbox=mailbox: sent.mailboxes[mailbox]) == 4  # type: ignore[misc]
    assert clock.now == pytest.approx(START + 1.0, abs=0.01)


def test_mailboxes_are_one_whatever_their_case(clock: VirtualClock) -> None:
    """A feed writes addresses as it likes; Exchange counts one mailbox."""
    graph = FakeGraph(accept)
    assert run(clock, graph, questions(ADA=20, ada=20))
    assert graph.most_at_once(lambda _: 1) == 1


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("concurrency", [1, 3, 4, 10, 64])
def test_no_more_than_the_cap_is_worked_on(clock: VirtualClock, concurrency: int, batch: bool) -> None:
    """Over all mailboxes, at every moment; and the cap is used."""
    graph = FakeGraph(accept)
    jobs = questions(**{f"mailbox{number}": 9 for number in range(40)})
    assert run(clock, graph, jobs, concurrency=concurrency, batch=batch)
    most = graph.most_at_once(working)
    assert most <= concurrency
    assert most >= min(concurrency, 40) // AT_ONCE * AT_ONCE


def test_the_fullest_mailbox_goes_first(clock: VirtualClock) -> None:
    """It takes longest, and would be waited for at the end."""
    graph = FakeGraph(accept)
    assert run(clock, graph, questions(ada=21, ben=90, cleo=60), concurrency=4)
    assert [next(iter(sent.mailboxes)) for sent in graph.sent][:3] == ["ben"] * 3
    assert graph.sent[0].at == START
    first = {mailbox: min(s.at for s in graph.sent if s.mailboxes[mailbox]) for mailbox in ("ada", "ben", "cleo")}
    assert first["ben"] < first["cleo"] < first["ada"]


def test_small_mailboxes_share_a_batch(clock: VirtualClock) -> None:
    """A hundred mailboxes of one event each do not cost a hundred requests."""
    graph = FakeGraph(accept)
    assert run(clock, graph, questions(**{f"mailbox{number}": 1 for number in range(100)}), concurrency=8)
    assert len(graph.sent) <= 13


# Strained mailboxes


def test_a_throttled_mailbox_is_asked_for_less_until_it_accepts(clock: VirtualClock) -> None:
    """Two, then one, then twice as many with every success; the others are not touched."""
    throttled = response(429, retry_after="0")
    graph = FakeGraph(script(ada=[throttled] * 22))
    assert run(clock, graph, questions(ada=80, ben=80), concurrency=64)
    assert sizes(graph, "ada")[:8] == [20, 2, 1, 2, 4, 8, 16, 20]
    assert sizes(graph, "ben") == [20, 20, 20, 20]


@pytest.mark.parametrize(
    ("fastest", "seconds", "strained"),
    [(0.1, 0.9, False), (0.1, 1.1, True), (0.5, 1.9, False), (0.5, 2.1, True), (3.0, 3.0, False)],
)
def test_a_slow_mailbox_is_asked_for_less(clock: VirtualClock, fastest: float, seconds: float, strained: bool) -> None:
    """Slow is a round trip of over a second and of four times the fastest; a batch of twenty has five of them.

    A service that always takes its time is not strained by us.
    """

    def latency(requests: Sequence[Request]) -> float:
        return seconds if path_of(requests[0]) == "/users/ada/0" else fastest

    graph = FakeGraph(accept, latency=latency)
    # Ben is answered while Ada's first batch is on its way.
    assert run(clock, graph, questions(ben=60, ada=60))
    assert sizes(graph, "ada") == ([20, 2, 4, 8, 16, 10] if strained else [20, 20, 20])
    assert sizes(graph, "ben") == [20, 20, 20]


# Later


def test_what_the_service_asks_for_is_waited_for_to_the_letter(clock: VirtualClock) -> None:
    """Other jobs do not wait for it."""
    graph = FakeGraph(script(ada=[response(429, retry_after="7.1")]))
    first, *others = questions(ada=3)
    assert run(clock, graph, [first, *others, *questions(ben=1)], batch=False)
    assert first.heard == [("THROTTLED", 0.1), ("ACCEPTED", 7.3)]
    assert all(job.heard[-1][1] < 1 for job in others)


def test_a_service_that_keeps_saying_later_is_asked_less_and_less(clock: VirtualClock) -> None:
    """A constant Retry-After of 0 would be thousands of requests a minute."""
    graph = FakeGraph(script(ada=[response(429, retry_after="0")] * 4))
    job = Question("ada")
    assert run(clock, graph, [job])
    times = [at for _, at in job.heard]
    assert times == pytest.approx([0.1, 0.2, 1.3, 3.4, 7.5])


def test_a_proper_response_starts_the_backoff_again(clock: VirtualClock) -> None:
    """The next request of the same job has its own bad luck."""
    graph = FakeGraph(script(ada=[BROKEN, BROKEN, ACCEPTED, BROKEN]))
    job = Again("ada")
    assert run(clock, graph, [job])
    assert [at for _, at in job.heard] == pytest.approx([0.1, 1.2, 3.3, 3.4, 4.5])


@pytest.mark.parametrize(("retry_for", "tries"), [(0.0, 1), (0.9, 1), (1.2, 2), (5.0, 3), (6.0, 3), (7.5, 4)])
def test_a_spent_budget_ends_a_job_and_no_other(clock: VirtualClock, retry_for: float, tries: int) -> None:
    """It is told the last error. A wait that would not end in time is not begun."""
    graph = FakeGraph(script(ada=[BROKEN] * 10))
    job, other = Question("ada"), Question("ben")
    assert run(clock, graph, [job, other], backoff=Backoff(retry_for=retry_for), batch=False)
    assert job.story == ["EFFECT_UNKNOWN"] * tries + ["gave up"]
    assert isinstance(job.error, ServiceUnavailableError)
    assert other.story == ["ACCEPTED"]
    assert clock.now <= START + retry_for + 0.5


def test_a_wait_that_would_hold_the_worker_is_not_begun(clock: VirtualClock) -> None:
    """Airflow frees the slot and comes back at that time."""
    graph = FakeGraph(script(ada=[response(429, retry_after="61")]))
    job = Question("ada")
    assert run(clock, graph, [job])
    assert job.story == ["THROTTLED", "gave up"]
    assert job.error is not None
    assert job.error.retry_after == 61
    assert clock.now < START + 1


def test_a_budget_is_counted_from_the_first_later_of_a_job(clock: VirtualClock) -> None:
    """Not from the begin of the run: what waits for its turn uses nothing up."""
    graph = FakeGraph(script(ada=[ACCEPTED] * 299 + [BROKEN]))
    jobs = questions(ada=300)
    assert run(clock, graph, jobs, backoff=Backoff(retry_for=2))
    assert all(job.story[-1] == "ACCEPTED" for job in jobs)
    assert clock.now > START + 7


def test_what_follows_has_a_budget_of_its_own(clock: VirtualClock) -> None:
    """A thousand pages of a calendar are not one request."""
    graph = FakeGraph(script(ada=[BROKEN, ACCEPTED, BROKEN, ACCEPTED]))
    second = Question("ada", 2)
    first = Question("ada", 1, second)
    assert run(clock, graph, [first], backoff=Backoff(retry_for=1.15))
    assert first.story == second.story == ["EFFECT_UNKNOWN", "ACCEPTED"]


def test_the_same_job_keeps_its_budget(clock: VirtualClock) -> None:
    """An event that loses every second response comes to an end."""
    graph = FakeGraph(script(ada=[BROKEN, ACCEPTED, BROKEN, ACCEPTED]))
    job = Again("ada", times=2)
    assert run(clock, graph, [job], backoff=Backoff(retry_for=1.15))
    assert job.story == ["EFFECT_UNKNOWN", "ACCEPTED", "EFFECT_UNKNOWN", "gave up"]


def test_what_follows_goes_first(clock: VirtualClock) -> None:
    """An event in work is finished before others of its mailbox: little is in doubt after a crash."""
    graph = FakeGraph(accept)
    second = Question("ada", "second")
    assert run(clock, graph, [Question("ada", "first", second), *questions(ada=30)])
    assert path_of(graph.sent[1].requests[0]) == "/users/ada/second"


# Lost


def test_a_part_without_a_response_is_lost_and_asked_again(clock: VirtualClock) -> None:
    """It may have been carried out; the others are not concerned."""
    graph = FakeGraph(script(ada=[None]))
    jobs = questions(ada=3)
    assert run(clock, graph, jobs)
    assert [job.story for job in jobs] == [["lost", "ACCEPTED"], ["ACCEPTED"], ["ACCEPTED"]]


def test_a_lost_response_to_a_batch_is_every_parts(clock: VirtualClock) -> None:
    """Each of them may have been carried out."""
    outers = iter([lost([]), None])
    graph = FakeGraph(accept, outer=lambda _: next(outers))
    jobs = questions(ada=3)
    assert run(clock, graph, jobs)
    assert [job.story for job in jobs] == [["lost", "ACCEPTED"]] * 3
    assert jobs[0].heard[1][1] >= 1.0


def test_a_request_that_was_never_sent_is_not_lost(clock: VirtualClock) -> None:
    """The job is tried again without being marked as in doubt."""
    graph = FakeGraph(script(ada=[ServiceUnavailableError("Graph could not be reached.")]))
    job = Question("ada")
    assert run(clock, graph, [job])
    assert job.story == ["ACCEPTED"]


def test_a_job_that_gives_up_knows_of_the_lost_response(clock: VirtualClock) -> None:
    """Lost first, then given up: what is in doubt is known by then."""
    graph = FakeGraph(script(ada=[None]))
    job = Question("ada")
    assert run(clock, graph, [job], backoff=Backoff(retry_for=0))
    assert job.story == ["lost", "gave up"]
    assert isinstance(job.error, ResponseLostError)


# Tokens


def renewals(graph: FakeGraph) -> int:
    """How often the token was renewed."""
    return sum(what == "renew" for what, _ in graph.log)


def test_a_refused_token_is_renewed_once_for_a_batch(clock: VirtualClock) -> None:
    """All its requests are sent again at once; none of them had an effect."""
    graph = FakeGraph(script(ada=[TOKEN_REFUSED] * 20))
    jobs = questions(ada=20)
    assert run(clock, graph, jobs)
    assert all(job.story == ["ACCEPTED"] for job in jobs)
    assert renewals(graph) == 1
    assert clock.now == pytest.approx(START + 1.0, abs=0.01)


def test_a_fresh_token_that_is_refused_is_the_jobs_to_judge(clock: VirtualClock) -> None:
    """Another token would not change that."""
    graph = FakeGraph(script(ada=[TOKEN_REFUSED] * 2))
    job = Question("ada")
    assert run(clock, graph, [job])
    assert job.story == ["TOKEN_REFUSED"]
    assert renewals(graph) == 1


def test_the_token_is_renewed_before_the_request_is_sent_again(clock: VirtualClock) -> None:
    """Otherwise it would be refused a second time, and settled as denied."""
    graph = FakeGraph(script(ada=[TOKEN_REFUSED]))
    assert run(clock, graph, [Question("ada")])
    assert [what for what, _ in graph.log] == ["sign in", "GET", "renew", "GET"]


def test_after_a_proper_response_a_token_may_be_renewed_again(clock: VirtualClock) -> None:
    """Tokens end after an hour, and some runs take longer."""
    graph = FakeGraph(script(ada=[TOKEN_REFUSED, ACCEPTED, TOKEN_REFUSED, BROKEN, TOKEN_REFUSED, ACCEPTED]))
    job = Again("ada")
    assert run(clock, graph, [job])
    assert job.story == ["ACCEPTED", "EFFECT_UNKNOWN", "ACCEPTED"]
    assert renewals(graph) == 3


def test_a_token_that_works_for_others_is_not_renewed(clock: VirtualClock) -> None:
    """One part of a batch alone was refused it: that is the service's trouble, and passes later."""
    graph = FakeGraph(script(ada=[TOKEN_REFUSED, ACCEPTED]))
    jobs = questions(ada=2)
    assert run(clock, graph, jobs)
    assert [job.story for job in jobs] == [["ACCEPTED"], ["ACCEPTED"]]
    assert renewals(graph) == 0
    assert jobs[0].heard[0][1] >= 1.0


def test_a_token_that_is_always_refused_to_one_part_ends_in_an_error(clock: VirtualClock) -> None:
    """Repeated refusals of the token use up the retry budget."""

    def answer(request: Request) -> Answer:
        return TOKEN_REFUSED if path_of(request) == "/users/ada/0" else ACCEPTED

    graph = FakeGraph(answer)
    job, other = Question("ada", 0), Again("ada", 1, times=3)
    assert run(clock, graph, [job, other], backoff=Backoff(retry_for=0))
    assert job.story == ["gave up"]
    assert job.error is not None
    assert job.error.status == 401


# Ends


def test_a_stop_sends_nothing_more_and_waits_a_little_for_responses(clock: VirtualClock) -> None:
    """Noticed within a tick; what comes within two seconds is still taken."""
    graph = FakeGraph(accept, latency=lambda requests: 1.5 if mailbox_of(requests[0]) == "ada" else 9.0)
    ada, ben, waiting = Question("ada"), Question("ben"), questions(ada=10, ben=10)
    finished = run(
        clock, graph, [ada, ben, *waiting], batch=False, concurrency=8, stopped=lambda: clock.now >= START + 1
    )
    assert not finished
    assert ada.story == ["ACCEPTED"]
    assert ben.story == []
    assert all(sent.at < START + 1.3 for sent in graph.sent)
    assert clock.now <= START + 1 + 0.25 + 2 + 0.01


@pytest.mark.parametrize("end", ["stop", "error"])
def test_nothing_is_left_running(clock: VirtualClock, end: str) -> None:
    """A response that comes after the end must not reach a job: the journal is closed, and the client soon is."""
    graph = FakeGraph(accept, latency=9.0)
    if end == "error":
        graph.answer = script(ben=[RuntimeError("a bug")])
        graph.latency = lambda requests: 1.0 if mailbox_of(requests[0]) == "ben" else 9.0
    ada, ben = Question("ada"), Question("ben")
    options = Options(batch=False, stopped=lambda: end == "stop" and clock.now >= START + 1)
    dispatcher: Dispatcher[Question] = Dispatcher(graph.client, options)

    async def run_and_wait() -> None:
        with suppress(RuntimeError):
            assert not await dispatcher.run([ada, ben])
        await asyncio.sleep(30)

    clock.run(run_and_wait())
    assert clock.now > START + 30
    assert ada.story == []


def test_a_stop_reaches_a_batch_that_is_on_its_way(clock: VirtualClock) -> None:
    """The client sends a batch again after a 401, and must not do so after a stop."""
    seen = []

    class Client(FakeGraph):
        async def send_batch(
            self, requests: Sequence[Request], *, stopped: Callable[[], bool] = lambda: False
        ) -> list[Response | None]:
            responses = await super().send_batch(requests)
            seen.append(stopped())
            return responses

    assert not run(clock, Client(accept, latency=1.5), questions(ada=4), stopped=lambda: clock.now >= START + 1)
    assert seen == [True]


def test_a_stop_before_the_first_request_sends_nothing(clock: VirtualClock) -> None:
    """The flag may have been set while signing in."""
    graph = FakeGraph(accept)
    assert not run(clock, graph, questions(ada=5), stopped=lambda: True)
    assert graph.sent == []


@pytest.mark.parametrize("asked_before_stop", [0, 1, 3])
def test_a_stop_in_the_middle_of_a_round_of_sending_ends_it(clock: VirtualClock, asked_before_stop: int) -> None:
    """It is checked before every request, not once for a hundred; and what is not done is not reported as done."""
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        asked += 1
        return asked > 1 + asked_before_stop

    graph = FakeGraph(accept)
    jobs = questions(**{f"mailbox{number}": 4 for number in range(30)})
    assert not run(clock, graph, jobs, batch=False, stopped=stopped)
    assert len(graph.sent) == asked_before_stop


def test_a_stop_does_not_wait_for_a_backoff(clock: VirtualClock) -> None:
    """A Retry-After of a minute does not delay a stop."""
    graph = FakeGraph(script(ada=[response(429, retry_after="59")]))
    job = Question("ada")
    assert not run(clock, graph, [job], stopped=lambda: clock.now >= START + 3)
    assert clock.now <= START + 3 + 0.25
    assert job.story == ["THROTTLED"]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), AccessDeniedError("The login refuses.")])
@pytest.mark.parametrize("batch", [True, False])
def test_an_error_of_sending_ends_the_run(clock: VirtualClock, error: Exception, batch: bool) -> None:
    """It is the caller's; nothing more is sent, and nothing is left running."""
    graph = FakeGraph(script(ada=[error]), latency=lambda requests: 0.1 if mailbox_of(requests[0]) == "ada" else 5.0)
    if batch:
        graph.outer = lambda requests: error if mailbox_of(requests[0]) == "ada" else None
    ben = questions(ben=25)
    with pytest.raises(type(error)) as caught:
        run(clock, graph, [*questions(ada=1 + 29 * batch), *ben], batch=batch, concurrency=8)
    assert caught.value is error
    assert clock.now < START + 2
    assert all(sent.at <= START + 0.6 for sent in graph.sent)
    assert all(job.heard == [] for job in ben)


def test_a_mark_that_cannot_be_written_keeps_its_request_back(clock: VirtualClock) -> None:
    """The journal comes first: what it does not know of is not sent."""
    graph = FakeGraph(accept)
    marked: list[list[str]] = []

    def before_send(jobs: Sequence[Question]) -> None:
        marked.append([job.path for job in jobs])
        if len(marked) == 2:
            raise ConnectionError("the API server is away")

    dispatcher: Dispatcher[Question] = Dispatcher(graph.client, Options(), before_send=before_send)
    with pytest.raises(ConnectionError):
        clock.run(dispatcher.run(questions(ada=60)))
    assert len(marked) == 2
    assert [[path_of(request) for request in sent.requests] for sent in graph.sent] == marked[:1]


def test_the_first_of_several_errors_is_told(clock: VirtualClock) -> None:
    """What follows is often its consequence."""
    first, second = RuntimeError("first"), RuntimeError("second")
    graph = FakeGraph(script(ada=[first], ben=[second]))
    with pytest.raises(RuntimeError, match="first"):
        run(clock, graph, [Question("ada"), Question("ben")], batch=False)


def test_progress_is_told_several_times_a_second(clock: VirtualClock) -> None:
    """Progress is reported even while every job waits."""
    ticks: list[float] = []
    graph = FakeGraph(script(ada=[response(429, retry_after="10")]))
    dispatcher: Dispatcher[Question] = Dispatcher(graph.client, Options(), tick=lambda: ticks.append(clock.now))
    clock.run(dispatcher.run([Question("ada")]))
    gaps = [after - before for before, after in zip([START, *ticks], [*ticks, clock.now], strict=True)]
    assert len(ticks) >= 20
    assert max(gaps) <= 0.51


def test_progress_is_not_told_with_every_response(clock: VirtualClock) -> None:
    """It may write to a database or to a page."""
    ticks: list[float] = []
    graph = FakeGraph(accept, latency=lambda requests: 0.01 + len(path_of(requests[0])) / 1000)
    options = Options(batch=False)
    dispatcher: Dispatcher[Question] = Dispatcher(graph.client, options, tick=lambda: ticks.append(clock.now))
    clock.run(dispatcher.run(questions(ada=400, benjamin=400)))
    assert len(graph.sent) == 800
    assert 2 <= len(ticks) <= (clock.now - START) / 0.25


def test_waiting_costs_nothing_but_time(clock: VirtualClock) -> None:
    """Two thousand jobs that all back off for a minute: each is asked twice, and the run ends with the last."""
    answers = {f"mailbox{number}": [response(429, retry_after="50")] for number in range(500)}
    graph = FakeGraph(script(**answers))
    assert run(clock, graph, questions(**dict.fromkeys(answers, 1)), concurrency=1000)
    assert Counter(path_of(request) for sent in graph.sent for request in sent.requests).most_common(1)[0][1] == 2
    assert clock.now < START + 60
