"""What an approver reads about a plan."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.graph.find.summary import summarize
from airflow_graph_cancel.graph.model.plan import Excluded, Meeting, Plan, Reason
from airflow_graph_cancel.graph.model.window import Window
from tests.support.contoso import ADA, BEACON, LANTERN, NILS
from tests.support.meetings import HOUR, NINE, planned
from tests.support.report_cases import HOSTILE, flat, read_markdown, tables

MADE = datetime(2030, 1, 1, 12, tzinfo=UTC)
WINDOW = Window(datetime(2030, 1, 7, tzinfo=UTC), datetime(2030, 1, 9, tzinfo=UTC), "Europe/London")
SUMMER = timedelta(days=182)
BOGOTA = timezone(timedelta(hours=-5))


def summary(*meetings: Meeting, excluded: tuple[Excluded, ...] = (), window: Window = WINDOW) -> str:
    """The summary of a plan."""
    return summarize(Plan(window, meetings, excluded, MADE))


def excluded(reason: Reason, organizer: str = NILS, start: datetime = NINE) -> Excluded:
    """A meeting that is not in the plan."""
    return Excluded(reason, "uid", organizer, start, start + HOUR, (BEACON,))


def cells(text: str, first: str = "When", number: int = 0) -> list[list[str]]:
    """The rows of a table as people read them."""
    return [[flat(cell.text) for cell in row.all("td")] for row in tables(read_markdown(text), first)[number]]


@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)))
def test_strangers_text_is_text(text: str) -> None:
    """Subjects and addresses are other people's words: no cell, row, link or HTML of theirs reaches an approver."""
    said = summary(planned(subject=text, user_id=text, rooms=(text,)), excluded=(excluded(Reason.KEPT, text),))
    page = read_markdown(said)
    tags = {"page", "p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    assert {node.tag for node in page} <= tags
    shown = flat(text.replace("\0", "\ufffd"))
    ((_, subject, organizer, room, *_),) = cells(said)
    assert (subject, organizer, room) == (shown, shown, flat(text.replace("\0", "\ufffd").partition("@")[0]))
    assert cells(said, number=1)[0][1] == shown


@pytest.mark.parametrize(
    ("meetings", "said"),
    [
        ((planned(),), "**1 meeting** of 1 organizer, 3 people, 1 of them outside, Mon"),
        ((planned(people=1, outside=0),), "**1 meeting** of 1 organizer, 1 person, Mon"),
        ((planned(), planned(2)), "**2 meetings** of 1 organizer, 6 people, 2 of them outside, Mon"),
        ((planned(), planned(2, user_id=NILS)), "**2 meetings** of 2 organizers, 6 people, 2 of them outside, Mon"),
        ((), "**No meeting to cancel**, Mon"),
    ],
)
def test_the_numbers_come_first(meetings: tuple[Meeting, ...], said: str) -> None:
    """How many meetings and people, and how many of them outside."""
    assert summary(*meetings).startswith(said)


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (WINDOW, "Mon 2030-01-07 00:00 – Wed 2030-01-09 00:00 (Europe/London)."),
        (
            Window(WINDOW.start + SUMMER, WINDOW.end + SUMMER, "Europe/London"),
            "Mon 2030-07-08 01:00 – Wed 2030-07-10 01:00 (Europe/London).",
        ),
        (Window(WINDOW.start, WINDOW.end), "Mon 2030-01-07 00:00 – Wed 2030-01-09 00:00 (UTC)."),
        (
            Window(WINDOW.start.astimezone(BOGOTA), WINDOW.end.astimezone(BOGOTA)),
            "Sun 2030-01-06 19:00 – Tue 2030-01-08 19:00 (UTC-05:00).",
        ),
    ],
)  # fmt: skip
def test_times_are_those_of_the_place(window: Window, said: str) -> None:
    """Summer time included; without a zone, those of the window's offset."""
    assert said in summary(window=window)


def test_each_meeting_is_a_row() -> None:
    """With what an approver needs to recognize it."""
    meetings = (
        planned(rooms=(BEACON, LANTERN)), planned(2, dates=1), planned(3, scope="series", dates=2),
        planned(4, scope="series", dates=1),
    )  # fmt: skip
    rows = cells(summary(*meetings))
    assert rows[0] == ["Mon 2030-01-07 09:01–10:01", ADA, "beacon, lantern", "3", "1", "meeting"]
    what = [
        "meeting",
        "one date of a series",
        "whole series (2 dates in the window)",
        "whole series (1 date in the window)",
    ]
    assert [row[-1] for row in rows] == what


def test_a_whole_series_is_warned_of() -> None:
    """Past dates go too, and nobody asks again."""
    said = summary(planned(scope="series", dates=2))
    assert "⚠ 1 whole series would be cancelled: **all** dates, also those outside of the window" in said
    assert "in the past" in said
    assert "⚠" not in summary(planned(dates=1))


def test_subjects_have_a_column_only_if_the_plan_has_them() -> None:
    """And none for what is left alone, which is none of the approver's business."""
    said = summary(planned(subject="Talks"), planned(2), excluded=(excluded(Reason.KEPT),))
    assert [row[1] for row in cells(said)] == ["Talks", ""]
    assert "Subject" not in summary(planned())
    assert said.count("Subject") == 1


def test_what_is_left_alone_is_counted_by_reason() -> None:
    """And listed by reason, then time."""
    late, early = (excluded(Reason.KEPT, f"{hour}@contoso.example", NINE + hour * HOUR) for hour in (2, 1))
    said = summary(excluded=(late, excluded(Reason.EXTERNAL), early))
    assert "**3 meetings left alone**: external organizer 1, kept 2." in said
    assert cells(said) == [
        ["Mon 2030-01-07 09:00–10:00", NILS, "beacon", "external organizer"],
        ["Mon 2030-01-07 10:00–11:00", "1@contoso.example", "beacon", "kept"],
        ["Mon 2030-01-07 11:00–12:00", "2@contoso.example", "beacon", "kept"],
    ]
    assert "**1 meeting left alone**" in summary(excluded=(late,))
    assert "left alone" not in summary(planned())


@pytest.mark.parametrize("kind", ["meetings", "excluded"])
def test_a_long_summary_ends(kind: str) -> None:
    """An approver reads a page; the plan has them all."""
    many: dict[str, Any] = {"excluded": tuple(excluded(Reason.KEPT) for _ in range(1250))}
    said = summary(*map(planned, range(1250))) if kind == "meetings" else summary(**many)
    assert len(cells(said)) == 100
    assert "and 1,150 more, which are in the plan." in said
    assert "more, which" not in summary(*map(planned, range(100)))
