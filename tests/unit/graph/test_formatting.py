"""Times as the people of the building read them, and other people's text as text."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.graph.formatting import (
    counted,
    escape_markdown,
    local_iso,
    markdown_table,
    parse_time,
    quote_markdown,
    span,
    utc,
    zone_name,
    zone_of,
)
from tests.support.report_cases import HOSTILE, flat, read_markdown

BERLIN = ZoneInfo("Europe/Berlin")
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40))


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2030-12-09T08:00:00Z", "2030-12-09T09:30:00Z", "Mon 2030-12-09 09:00–10:30"),
        ("2030-12-09T08:00:00.0000000+00:00", "2030-12-09T09:30:00+00:00", "Mon 2030-12-09 09:00–10:30"),
        (datetime(2030, 12, 9, 8, tzinfo=UTC), datetime(2030, 12, 9, 9, tzinfo=UTC), "Mon 2030-12-09 09:00–10:00"),
        ("2030-12-09T22:30:00Z", "2030-12-09T23:30:00Z", "Mon 2030-12-09 23:30 – Tue 2030-12-10 00:30"),
        ("2030-10-27T00:30:00Z", "2030-10-27T01:30:00Z", "Sun 2030-10-27 02:30 (+0200)–02:30 (+0100)"),
        ("2030-12-09T08:00:00", "2030-12-09T09:30:00Z", "2030-12-09T08:00:00 – 2030-12-09T09:30:00Z"),
        ("9999-12-31T23:59:00Z", "9999-12-31T23:59:00Z", "9999-12-31T23:59:00Z – 9999-12-31T23:59:00Z"),
        ("soon", None, "soon"),
        (None, None, ""),
    ],
)
def test_a_span_is_in_the_places_time(start: str | None, end: str | None, said: str) -> None:
    """Over midnight and when the clocks go back; text that is not a time stays as it is."""
    assert span(start, end, BERLIN) == said


@pytest.mark.parametrize(
    ("name", "start", "said"),
    [
        ("America/New_York", "2030-12-09T00:00:00-05:00", "America/New_York"),
        (None, "2030-12-09T00:00:00-05:00", "UTC-05:00"),
        ("", None, "UTC"),
        ("Nowhere/Land", "2030-12-09T00:00:00+00:00", "UTC"),
        ("../../etc/passwd", None, "UTC"),
        ("Europe", None, "UTC"),
    ],
)
def test_a_plan_without_a_known_zone_is_shown_with_the_offset_of_its_window(
    name: str | None, start: str | None, said: str
) -> None:
    """An unknown zone name does not make the report fail."""
    assert zone_name(zone_of({"timezone": name, "start": start})) == said


def test_support_gets_utc() -> None:
    """Microsoft's logs are in UTC; what is not a time is shown as it is."""
    assert utc("2030-12-09T09:00:01+01:00") == "2030-12-09 08:00:01"
    assert (utc("soon"), utc(None), local_iso("soon", BERLIN)) == ("soon", "", "soon")
    assert local_iso("2030-12-09T08:00:00.5Z", BERLIN) == "2030-12-09T09:00:00+01:00"


@pytest.mark.parametrize("text", ["2030-12-09T09:00:00", "soon", "", None, 7])
def test_a_time_without_an_offset_is_not_a_time(text: object) -> None:
    """A time without an offset could be in any zone."""
    assert parse_time(text) is None


def test_numbers_have_their_noun() -> None:
    """One takes the singular, and thousands are separated."""
    assert [counted(number, "date", "dates") for number in (0, 1, 2, 1200)] == [
        "0 dates",
        "1 date",
        "2 dates",
        "1,200 dates",
    ]


@given(text=texts)
def test_other_peoples_text_is_one_cell_without_markup(text: str) -> None:
    """Subjects come from strangers: no link, image, HTML, emphasis, cell or row of their own."""
    page = read_markdown("\n".join(markdown_table(("A", "B"), [(text, "end")])))
    assert {node.tag for node in page} <= {"page", "table", "thead", "tbody", "tr", "th", "td"}
    (row,) = page.all("tbody")[0].all("tr")
    assert [flat(cell.text) for cell in row.all("td")] == [shown(text), "end"]


@given(text=texts)
def test_a_quotation_shows_the_text_as_it_is(text: str) -> None:
    """What attendees will read is what an approver reads, whatever markup it has."""
    page = read_markdown(quote_markdown(text))
    assert {node.tag for node in page} <= {"page", "blockquote", "p", "br"}
    assert flat(page.text) == shown(text)


@pytest.mark.parametrize(
    "line", ["- item", "+ item", "1. item", "12) item", "===", "---", "# head", "> quote", "* item"]
)
def test_a_line_of_a_quotation_is_neither_list_nor_heading(line: str) -> None:
    """Not even below another line, which would then be a heading."""
    page = read_markdown(quote_markdown(f"Closed\n{line}"))
    assert {node.tag for node in page} == {"page", "blockquote", "p", "br"}
    assert flat(page.text) == f"Closed {line}"


def test_marks_that_nobody_needs_to_escape_stay() -> None:
    """A sentence stays readable as text, in a mail or a log."""
    assert escape_markdown("Closed (water), 50%! See you.") == "Closed (water), 50%! See you."


def shown(text: str) -> str:
    """Text as a Markdown reader shows it, which cannot show a null."""
    return flat(text.replace("\0", "\ufffd"))
