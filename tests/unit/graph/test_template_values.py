"""What templates make of lists, mappings and comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.template_values import check_comment, is_nothing, names, parse_mapping, parse_text

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, ()),
        ("North Tower", ("North Tower",)),
        (" North Tower ", ("North Tower",)),
        (["a", "b", "a"], ("a", "b")),
        (("a",), ("a",)),
        ("['a', 'b']", ("a", "b")),
        ('["a", "b"]', ("a", "b")),
        ("('a', 'b')", ("a", "b")),
        ("[]", ()),
    ],
)
def test_one_name_or_many(value: object, found: tuple[str, ...]) -> None:
    """Natively, or as the text that a template renders."""
    assert names("rooms", value) == found


@pytest.mark.parametrize(
    "value", ["", "None", "  ", " None ", [None], ["None"], [""], [7], 7, {"a": "b"}, "[1, 2]", "[a, b"]
)
def test_what_is_not_a_name_is_refused(value: object) -> None:
    """An XCom that is not there must not become the name of a building, or of all of them."""
    with pytest.raises(InvalidInputError, match="rooms"):
        names("rooms", value)


@pytest.mark.parametrize(
    ("value", "nothing"),
    [
        (None, True),
        ("None", True),
        (" None\n", True),
        ("", True),
        (" ", True),
        ("none", False),
        ("0", False),
        (0, False),
        ([], False),
        (False, False),
    ],
    ids=repr,
)
def test_nothing_is_what_a_skipped_task_leaves(value: object, nothing: bool) -> None:
    """None itself, or its text; an empty list is something."""
    assert is_nothing(value) is nothing


@given(value=st.lists(json_like) | st.dictionaries(st.text(), json_like))
def test_text_stands_for_what_was_rendered(value: object) -> None:
    """In Python's notation, as Jinja renders it."""
    assert parse_text("events", str(value)) == value


@pytest.mark.parametrize(
    ("text", "found"), [('{"a": null}', {"a": None}), ("[true, 1.5]", [True, 1.5]), ("7", 7), (" [1]\n", [1])]
)
def test_json_is_understood_too(text: str, found: object) -> None:
    """As a feed or a file has it."""
    assert parse_text("events", text) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("None", "events is 'None': its template rendered nothing"),
        ("", "events is '': its template rendered nothing"),
        (
            "[{'comment': 'Secret', ",
            r"events is text that is not a list or mapping.* 23 characters and starts with '\['",
        ),
        ("AAMkAGI=", "not a list or mapping"),
        ('"AAMkAGI="', "not a list or mapping"),
        ("[" * 10_000, "not a list or mapping"),
    ],
)
def test_text_that_stands_for_nothing_is_not_repeated(text: str, said: str) -> None:
    """It may contain comments and subjects, which the log must not show."""
    with pytest.raises(InvalidInputError, match=said) as refused:
        parse_text("events", text)
    assert "Secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("value", "found"),
    [(None, None), (" ", None), ("None", None), ({"a": 1}, {"a": 1}), ("{'a': 1}", {"a": 1})],
    ids=repr,
)
def test_a_mapping_may_be_missing(value: object, found: object) -> None:
    """As after a task that was skipped."""
    assert parse_mapping("verification", value) == found


@pytest.mark.parametrize(("value", "kind"), [([], "list"), ("[]", "list"), (7, "int")])
def test_what_is_not_a_mapping_is_refused(value: object, kind: str) -> None:
    """With the argument's name, and what it is instead."""
    with pytest.raises(InvalidInputError, match=f"verification must be what a task returned, not {kind}"):
        parse_mapping("verification", value)


@pytest.mark.parametrize(
    ("comment", "sent"),
    [
        (None, None),
        ("", None),
        (" \n", None),
        ("Closed.", "Closed."),
        (" Closed.\n", " Closed.\n"),
        ("Größe 😀", "Größe 😀"),
    ],
)
def test_a_comment_is_sent_as_it_is(comment: object, sent: str | None) -> None:
    """Text is sent unchanged, and a blank comment counts as none."""
    assert check_comment(comment) == sent


@pytest.mark.parametrize(
    ("comment", "said"),
    [
        ("None", 'comment is the text "None"'),
        (" None ", 'comment is the text "None"'),
        (7, "comment must be a string, not int"),
        (["Closed."], "comment must be a string, not list"),
        ("Closed \ud83d", "half of a character"),
    ],
)
def test_a_comment_that_nobody_wrote_is_refused(comment: object, said: str) -> None:
    """Every attendee would read the text "None" or the like."""
    with pytest.raises(InvalidInputError, match=said):
        check_comment(comment)
