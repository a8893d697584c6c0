"""Mapped tasks never share a mailbox, and none does much more than the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.sharding import shard_by_mailbox

owners = st.lists(st.sampled_from(["a@x", "A@x", "b@x", "c@x", "d@x", "e@x", None]), max_size=60)


@given(owners=owners, shards=st.integers(1, 8))
def test_no_event_is_lost_and_no_mailbox_split(owners: list[str | None], shards: int) -> None:
    """Every event is in one list, and a mailbox, however it is spelt, too."""
    events = [{"event_id": str(place), "user_id": owner} for place, owner in enumerate(owners)]
    lists = shard_by_mailbox(events, shards)
    assert len(lists) <= shards
    assert all(lists)
    assert sorted(int(str(event["event_id"])) for each in lists for event in each) == list(range(len(events)))
    homes = [{str(event["user_id"] or "").casefold() for event in each} for each in lists]
    assert sum(map(len, homes)) == len(set().union(*homes))


@given(counts=st.lists(st.integers(1, 50), min_size=1, max_size=40), shards=st.integers(1, 8))
def test_the_loads_are_even(counts: list[int], shards: int) -> None:
    """At most 4/3 of what the fullest mailbox and the average make unavoidable (Graham's bound)."""
    events = [
        {"event_id": f"{place}-{n}", "user_id": str(place)} for place, count in enumerate(counts) for n in range(count)
    ]
    longest = max(map(len, shard_by_mailbox(events, shards)))
    assert longest <= 4 / 3 * max(max(counts), -(-sum(counts) // shards)) + max(counts) / 3


def test_bare_ids_stay_together() -> None:
    """Ids without an owner all belong to one mailbox."""
    assert shard_by_mailbox(["a", "b", "c"], 3) == [["a", "b", "c"]]


@pytest.mark.parametrize("shards", [0, -1])
def test_no_shards_is_a_mistake(shards: int) -> None:
    """A division by a number of workers that came out as zero is found."""
    with pytest.raises(ValueError, match="at least 1"):
        shard_by_mailbox([], shards)
