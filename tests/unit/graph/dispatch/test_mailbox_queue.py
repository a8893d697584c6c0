"""The order of requests: no mailbox asked for too much, none waiting without need."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.graph.dispatch.mailbox_queue import BATCH_LIMIT, CONCURRENT, MailboxQueue

sizes = st.lists(st.integers(1, 90), min_size=1, max_size=20)


def fill(counts: list[int], concurrency: int, batch_limit: int = BATCH_LIMIT) -> MailboxQueue[int]:
    """Mailboxes with so many events each."""
    queue: MailboxQueue[int] = MailboxQueue(concurrency, batch_limit)
    for mailbox, count in enumerate(counts):
        for event in range(count):
            queue.put(str(mailbox), mailbox * 1000 + event)
    return queue


def rounds(queue: MailboxQueue[int]) -> tuple[float, list[list[tuple[str, int]]]]:
    """Play the service, four parts of a batch at a time: return the round trips it took, and the batches."""
    now, in_flight, sent = 0.0, [], []
    while True:
        while batch := queue.take():
            sent.append(batch)
            in_flight.append((now + math.ceil(len(batch) / CONCURRENT), len(sent), batch))
        if not in_flight:
            return now, sent
        in_flight.sort()
        now, _, batch = in_flight.pop(0)
        queue.done(batch)


@given(counts=sizes, concurrency=st.integers(4, 100))
def test_every_event_goes_out_once(counts: list[int], concurrency: int) -> None:
    """None is forgotten and none is sent twice."""
    queue = fill(counts, concurrency)
    _, sent = rounds(queue)
    events = [event for batch in sent for _, event in batch]
    assert sorted(events) == sorted(mailbox * 1000 + n for mailbox, count in enumerate(counts) for n in range(count))
    assert len(queue) == 0


@given(counts=sizes, concurrency=st.integers(1, 100), batch_limit=st.sampled_from([1, BATCH_LIMIT]))
def test_the_limits_hold_at_every_moment(counts: list[int], concurrency: int, batch_limit: int) -> None:
    """At most 20 in a batch, a mailbox in one batch at a time (or four single requests), and the cap over all."""
    queue = fill(counts, concurrency, batch_limit)
    in_flight: list[list[tuple[str, int]]] = []
    while True:
        while batch := queue.take():
            assert len(batch) <= batch_limit
            in_flight.append(batch)
            assert sum(min(len(each), CONCURRENT) for each in in_flight) <= concurrency
            batches_of = Counter(mailbox for each in in_flight for mailbox in {name for name, _ in each})
            assert max(batches_of.values()) <= (1 if batch_limit > 1 else CONCURRENT)
        if not in_flight:
            break
        queue.done(in_flight.pop(0))


@given(counts=sizes)
def test_with_slots_enough_the_fullest_mailbox_is_the_bound(counts: list[int]) -> None:
    """ceil(n / 4) round trips for the mailbox with most events, and not one more for all of them together."""
    needed, _ = rounds(fill(counts, concurrency=10_000))
    assert needed == math.ceil(max(counts) / CONCURRENT)


def test_the_closure_of_the_contract() -> None:
    """Mailboxes of 80, 60, 40, 20 and twenty of 3: twenty round trips within the default cap."""
    needed, _ = rounds(fill([80, 60, 40, 20, *[3] * 20], concurrency=64))
    assert needed == 20


@given(counts=sizes, concurrency=st.integers(4, 64))
def test_with_few_slots_the_sum_is_the_bound(counts: list[int], concurrency: int) -> None:
    """Never more than twice what sum and fullest mailbox make unavoidable (the classic bound of list scheduling)."""
    needed, _ = rounds(fill(counts, concurrency - concurrency % CONCURRENT))
    unavoidable = max(
        math.ceil(max(counts) / CONCURRENT), math.ceil(sum(counts) / (concurrency - concurrency % CONCURRENT))
    )
    assert needed <= 2 * unavoidable + BATCH_LIMIT / CONCURRENT


def test_small_mailboxes_share_a_batch() -> None:
    """A hundred mailboxes of one event each do not cost a hundred requests."""
    _, sent = rounds(fill([1] * 100, concurrency=8))
    assert len(sent) <= 13


def test_a_throttled_mailbox_is_asked_for_less_until_it_says_yes() -> None:
    """Its lane narrows to two, then one, and widens with every success; others are not touched."""
    queue = fill([60, 60], concurrency=64)

    def next_sizes(throttled: frozenset[str]) -> dict[str, int]:
        batches = list(iter(queue.take, []))
        for batch in batches:
            queue.done(batch, throttled & {mailbox for mailbox, _ in batch})
        return {batch[0][0]: len(batch) for batch in batches}

    assert next_sizes(frozenset({"0"})) == {"0": 20, "1": 20}
    assert next_sizes(frozenset({"0"})) == {"0": 2, "1": 20}
    assert next_sizes(frozenset()) == {"0": 1, "1": 20}
    assert next_sizes(frozenset())["0"] == 2
    assert next_sizes(frozenset())["0"] == 4


@given(counts=st.lists(st.integers(1, 200), min_size=1, max_size=20, unique=True), concurrency=st.integers(4, 7))
def test_the_fullest_mailbox_goes_first(counts: list[int], concurrency: int) -> None:
    """It takes longest; in which order the feed names them does not matter."""
    assert fill(counts, concurrency).take()[0][0] == str(counts.index(max(counts)))


def test_what_goes_first_goes_before_its_mailbox_and_not_before_others() -> None:
    """An event that was begun is finished; others are not held up."""
    queue = fill([2, 30], concurrency=4)
    queue.put("0", 999, first=True)
    assert [mailbox for mailbox, _ in queue.take()] == ["1"] * 20
    queue = fill([3], concurrency=4)
    queue.put("0", 999, first=True)
    assert [event for _, event in queue.take()] == [999, 0, 1, 2]


@pytest.mark.parametrize("concurrency", [0, -1])
def test_no_concurrency_is_refused(concurrency: int) -> None:
    """With a concurrency below one, no request would ever be sent."""
    with pytest.raises(ValueError, match="at least 1"):
        MailboxQueue(concurrency)
