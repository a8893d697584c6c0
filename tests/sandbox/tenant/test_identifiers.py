"""Identifiers have the format of the service's identifiers."""

from __future__ import annotations

import datetime

from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.sandbox.tenant import identifiers

MAILBOX = "f0c44e94-67fb-475d-ac69-46f06768e46f"
DATES = st.dates(datetime.date(1990, 1, 1), datetime.date(2100, 1, 1))


@given(st.integers(1, 2**40), st.integers(1, 2**40))
def test_item_ids_are_unique(one: int, other: int) -> None:
    """Two items never share an id; each id is well-formed, URL-safe and of the usual length."""
    first, second = identifiers.item_id(MAILBOX, one), identifiers.item_id(MAILBOX, other)
    assert (first == second) == (one == other)
    assert identifiers.is_well_formed(first)
    assert first.startswith("AAMk")
    assert len(first) == 152
    assert identifiers.is_well_formed(identifiers.immutable_id(MAILBOX, one))
    assert identifiers.immutable_id(MAILBOX, one) != first


@given(st.integers(1, 2**40), DATES, DATES)
def test_an_occurrences_id_is_a_function_of_master_and_date(
    number: int, one: datetime.date, other: datetime.date
) -> None:
    """The same date gives the same id, another date another id, and never the master's."""
    master = identifiers.item_id(MAILBOX, number)
    first, second = identifiers.occurrence_id(master, one), identifiers.occurrence_id(master, other)
    assert (first == second) == (one == other)
    assert first != master
    assert identifiers.is_well_formed(first)


@given(DATES, st.binary(min_size=16, max_size=16))
def test_an_icaluid_without_its_date_is_the_series_icaluid(date: datetime.date, unique: bytes) -> None:
    """Zeros in digits 33 to 40 of an occurrence's identifier give the series' identifier."""
    series = identifiers.global_object_id(datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC), unique)
    instance = identifiers.instance_uid(series, date)
    assert series.startswith("040000008200E00074C5B7101A82E00800000000")
    assert (int(instance[32:36], 16), int(instance[36:38], 16), int(instance[38:40], 16)) == (
        date.year,
        date.month,
        date.day,
    )
    assert instance[:32] + "00000000" + instance[40:] == series


def test_malformed_ids() -> None:
    """Names, numbers, empty text and other kinds of identifier are malformed."""
    for text in ("", "None", "1", "ada@contoso.example", "AAMk", "AAMkAGx y", "AAMkAG/../x", MAILBOX):
        assert not identifiers.is_well_formed(text)
