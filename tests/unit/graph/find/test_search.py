"""What is left alone because its subject or organizer is to be kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_graph_cancel.graph.find.search import Search
from airflow_graph_cancel.graph.model.window import Window

DAY = Window(datetime(2030, 1, 7, tzinfo=UTC), datetime(2030, 1, 7, tzinfo=UTC) + timedelta(days=1))


@pytest.mark.parametrize(
    ("pattern", "subject", "organizers", "kept"),
    [
        ("*fire drill*", "Annual FIRE Drill, floor 2", (), True),
        ("*fire drill*", "Annual drill", (), False),
        ("board@*", "Review", ("Board@Contoso.example",), True),
        ("board@*", "Review", ("ada@contoso.example", "board@contoso.example"), True),
        ("board@*", "board meeting", ("ada@contoso.example",), False),
        ("[[]Confidential] *", "[Confidential] Talks", (), True),
        ("[Confidential] *", "[Confidential] Talks", (), True),
        ("Room [12]", "Room 2", (), True),
        ("Room [12]", "Room 3", (), False),
        ("cafe\u0301 talk", "Caf\u00e9 talk", (), True),
        ("straße*", "STRASSE 7", (), True),
        ("", "Review", (), False),
    ],
)
def test_a_pattern_keeps_what_it_names(pattern: str, subject: str, organizers: tuple[str, ...], kept: bool) -> None:
    """Whatever its case, and however its letters and brackets are written."""
    assert Search(DAY, keep=(pattern,)).keeps(subject, *organizers) is kept


def test_any_of_several_patterns_is_enough() -> None:
    """One matching pattern keeps a meeting; without patterns none is kept."""
    assert Search(DAY, keep=("a*", "r*")).keeps("Review")
    assert not Search(DAY).keeps("Review")


def test_a_search_is_careful_unless_told_otherwise() -> None:
    """Rooms are looked up, what is over is left alone, and subjects stay private."""
    search = Search(DAY)
    assert search.places.check_rooms
    assert (search.include_past, search.with_subjects) == (False, False)
    assert search.scope == "dates"
