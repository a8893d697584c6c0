"""What a template made of a list of names."""

from __future__ import annotations

import pytest

from airflow_graph_cancel.graph.errors import InvalidInputError
from airflow_graph_cancel.graph.template_values import names


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


@pytest.mark.parametrize("value", ["", "None", "  ", [None], ["None"], [""], [7], 7, {"a": "b"}, "[1, 2]", "[a, b"])
def test_what_is_no_name_is_refused(value: object) -> None:
    """An XCom that is not there must not become the name of a building, or of all of them."""
    with pytest.raises(InvalidInputError, match="rooms"):
        names("rooms", value)
