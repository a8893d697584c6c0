"""From what a feed or an XCom delivers to events, each once; what is wrong is named before anything is sent."""

from __future__ import annotations

import json
from collections import UserList

import pytest

from airflow_graph_cancel.graph.cancel.inputs import CancelInput, event_rows, parse_inputs
from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.model.address import EventAddress
from airflow_graph_cancel.graph.template_values import check_comment

ADA, BEN = "ada@contoso.example", "ben@contoso.example"


def parse(
    *rows: object, comment: str | None = None, user_id: str | None = ADA, mailbox: str | None = None
) -> list[CancelInput]:
    """Parse rows as an operator does."""
    return parse_inputs(rows, comment=comment, user_id=user_id, mailbox=mailbox)


def refused(*rows: object, **more: str | None) -> str:
    """What is said of rows that are refused."""
    with pytest.raises(InvalidInputError) as caught:
        parse(*rows, **more)
    return str(caught.value)


# Rows


@pytest.mark.parametrize(
    "events",
    [
        ["A", "B"],
        ("A", "B"),
        UserList(["A", "B"]),
        '["A", "B"]',
        "['A', 'B']",
        "('A', 'B')",
    ],
    ids=["list", "tuple", "what mapped tasks return", "JSON", "rendered list", "rendered tuple"],
)
def test_a_list_comes_in_many_shapes(events: object) -> None:
    """Templates render text, and mapped tasks return a lazy sequence."""
    assert event_rows(events) == ["A", "B"]


@pytest.mark.parametrize(
    "events", [None, 7, b"A", bytearray(b"A"), {"A"}, "7", "None", "", "A", "true", '["A"', "{'A'}"], ids=repr
)
def test_anything_but_a_list_is_refused(events: object) -> None:
    """A single id as well: a list that a template cut off looks like one."""
    with pytest.raises(InvalidInputError):
        event_rows(events)


def test_ids_can_be_taken_out_of_a_list() -> None:
    """Of ids and of rows; a name that is not there changes nothing in a list."""
    rows: list[object] = ["A", {"event_id": "B"}, {"event_id": "C", "user_id": BEN}, "D", {"event_id": 7}, 7, {}]
    assert event_rows(rows, without=["A", "C", "X"]) == [{"event_id": "B"}, "D", {"event_id": 7}, 7, {}]
    assert event_rows(json.dumps(["A", "B"]), without=("A",)) == ["B"]


# Inputs


def test_ids_and_rows() -> None:
    """A row's owner and comment win over the operator's, the operator's over the connection's."""
    found = parse(
        "A",
        {"event_id": "B"},
        {"event_id": "C", "user_id": BEN, "comment": "Own."},
        {"event_id": "D", "group_id": "team"},
        {"event_id": "E", "calendar_id": "default"},
        comment="Theirs.",
        mailbox="connection@contoso.example",
    )
    assert [(each.address, each.comment) for each in found] == [
        (EventAddress("A", ADA), "Theirs."),
        (EventAddress("B", ADA), "Theirs."),
        (EventAddress("C", BEN), "Own."),
        (EventAddress("D", group_id="team"), "Theirs."),
        (EventAddress("E", ADA, calendar_id="default"), "Theirs."),
    ]


@pytest.mark.parametrize(
    ("user_id", "mailbox", "owner"), [(ADA, BEN, ADA), (None, BEN, BEN), (None, None, None), (ADA, None, ADA)]
)
def test_the_owner_of_events_that_bring_none(user_id: str | None, mailbox: str | None, owner: str | None) -> None:
    """Argument, connection, or the person who is signed in."""
    (found,) = parse("A", user_id=user_id, mailbox=mailbox)
    assert found.address == EventAddress("A", owner)


def test_an_event_is_cancelled_once() -> None:
    """Named twice, in whatever case of its mailbox; ids are case-sensitive. The first row stands."""
    found = parse(
        {"event_id": "A", "comment": "First."},
        {"event_id": "A", "comment": "Second."},
        {"event_id": "A", "user_id": ADA.upper()},
        {"event_id": "a"},
        {"event_id": "A", "user_id": BEN},
    )
    assert [(each.address.event_id, each.address.mailbox, each.comment) for each in found] == [
        ("A", ADA, "First."),
        ("a", ADA, None),
        ("A", BEN, None),
    ]


def test_an_empty_list_has_no_events() -> None:
    """A closure without meetings is a good day."""
    assert parse() == []


def test_further_keys_are_carried_along() -> None:
    """Into the report; address and comment are not among them."""
    (found,) = parse({"event_id": "A", "comment": "x", "closure": "Oak House", "people": 3})
    assert found.further == {"closure": "Oak House", "people": 3}
    assert found.row["people"] == 3
    assert parse("A")[0].further == {}


def test_comments_are_not_shown() -> None:
    """A row may hold anything; what is logged of an input does not show it."""
    (found,) = parse({"event_id": "A", "subject": "Secret project"})
    assert "Secret project" not in repr(found)


def test_a_row_of_a_plan_says_what_was_planned() -> None:
    """By its change key; without one an event is in no plan."""
    assert parse({"event_id": "A"})[0].planned is None
    assert parse("A")[0].planned is None
    assert parse({"event_id": "A", "changeKey": 7})[0].planned is None
    planned = parse(
        {
            "event_id": "A", "changeKey": "1", "iCalUId": "u", "start": "s", "end": "e", "people": 3,
            "type": "occurrence", "rooms": ["oak"],
        }
    )[0].planned  # fmt: skip
    assert planned is not None
    assert (planned.change_key, planned.uid, planned.start, planned.end) == ("1", "u", "s", "e")
    assert (planned.people, planned.type, planned.rooms) == (3, "occurrence", ("oak",))


def test_all_rows_are_checked_before_anything_is_said() -> None:
    """A feed can be corrected in one go: each row with its place and its reason."""
    said = refused("A", None, {"event_id": "B", "comment": 7}, {"event_id": ".."}, {"user_id": BEN}, 7)
    assert "5 of 6 events are invalid" in said
    for place in (1, 2, 3, 4, 5):
        assert f"row {place}: " in said
    assert "row 0:" not in said
    assert said.endswith("Nothing was sent.")
    assert said.count("Nothing was sent.") == 1


def test_a_row_without_an_event_id_shows_its_keys() -> None:
    """A misnamed key is not reported as a template that rendered nothing; one invalid event takes the singular."""
    assert refused({"event": "A"}).startswith("1 of 1 event is invalid: row 0: no event_id (its keys: event).")
    assert "its keys: none" in refused({})
    assert "template rendered nothing" in refused({"event_id": None})


def test_a_feed_that_is_all_wrong_does_not_fill_the_log() -> None:
    """Ten are named, the others counted."""
    said = refused(*[None] * 25)
    assert "25 of 25" in said
    assert "row 9:" in said
    assert "row 10:" not in said
    assert "15 more" in said
    assert "more" not in refused(*[None] * 10).partition("events are invalid")[2]


def test_what_is_wrong_with_a_comment_is_not_repeated() -> None:
    """It is for attendees, not for the log."""
    assert "Secret" not in refused({"event_id": "A", "comment": ["Secret"]})


def test_the_operators_own_comment_is_checked_first() -> None:
    """Once, and not for every row."""
    assert "row 0:" not in refused("A", comment="None")


# Comments


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (None, None),
        ("", None),
        (" \n", None),
        ("Closed.", "Closed."),
        (" Closed.\n", " Closed.\n"),
        ("None of you need to come.", "None of you need to come."),
        ("\U0001f6a8 geräumt", "\U0001f6a8 geräumt"),
    ],
)
def test_a_comment_is_sent_as_it_is(given: str | None, sent: str | None) -> None:
    """A blank one is not sent."""
    assert check_comment(given) == sent


@pytest.mark.parametrize("given", ["None", " None\n", 7, ["x"], b"x", "half \ud83d", "\udfff"], ids=ascii)
def test_an_unusable_comment_is_refused(given: object) -> None:
    """A template that rendered nothing would be mailed to everybody."""
    with pytest.raises(InvalidInputError, match="comment"):
        check_comment(given)
