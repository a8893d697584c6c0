"""What a template rendered: lists and mappings that became text, values that are missing, the comment to send."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping

from airflow_graph_cancel.graph.errors import InvalidInputError


def is_nothing(value: object) -> bool:
    """Return whether a template rendered nothing, as for a task that was skipped: None, its text, or blank text."""
    return value is None or (isinstance(value, str) and value.strip() in {"", "None"})


def parse_text(argument: str, text: str) -> object:
    """Return the value that text in JSON or Python notation stands for.

    :param argument: its name, for the message.
    :param text: as a template rendered it.
    :raises InvalidInputError: if it stands for nothing but text.
    """
    if is_nothing(text):
        raise InvalidInputError(f"{argument} is {text!r}: its template rendered nothing, perhaps a missing XCom.")
    for parse in (json.loads, ast.literal_eval):
        try:
            found: object = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if not isinstance(found, str):
            return found
    # The text itself may hold comments and subjects.
    raise InvalidInputError(
        f"{argument} is text that is not a list or mapping, perhaps an XCom or a feed that was cut off: it has "
        f"{len(text)} characters and starts with {text.lstrip()[0]!r}."
    )


def parse_mapping(argument: str, value: object) -> Mapping[str, object] | None:
    """Return a mapping, or the one that text stands for; None if a template rendered nothing.

    :param argument: its name, for the message.
    :raises InvalidInputError: if it is anything else.
    """
    if is_nothing(value):
        return None
    found = parse_text(argument, value) if isinstance(value, str) else value
    if not isinstance(found, Mapping):
        raise InvalidInputError(f"{argument} must be what a task returned, not {type(found).__name__}.")
    return found


def names(argument: str, value: object) -> tuple[str, ...]:
    """Return one name or several.

    :param argument: its name, for the message.
    :param value: a name, a list of names, the text of such a list, or None for none.
    :raises InvalidInputError: if it is anything else.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        # Text that starts with a bracket is a list; anything else is a name.
        value = parse_text(argument, value) if value.lstrip()[:1] in {"[", "("} or value.strip() == "None" else [value]
    if not isinstance(value, list | tuple | set | frozenset):
        raise InvalidInputError(f"{argument} must be a name or a list of names, not {type(value).__name__}.")
    for name in value:
        if not isinstance(name, str) or is_nothing(name):
            raise InvalidInputError(
                f"{argument} contains {name!r:.80}, which is not a name: perhaps a blank in a feed."
            )
    return tuple(dict.fromkeys(name.strip() for name in value))


def check_comment(comment: object) -> str | None:
    """Return a comment that can be sent, or None for none.

    The text ``None`` is rejected: a template that pulls a missing XCom renders it, and every attendee would read it.

    :param comment: what the user or a template gave.
    :raises InvalidInputError: if it is not text, or the text ``None``.
    """
    if comment is None:
        return None
    if not isinstance(comment, str):
        raise InvalidInputError(f"comment must be a string, not {type(comment).__name__}.")
    if comment.strip() == "None":
        raise InvalidInputError(
            'comment is the text "None": its template rendered nothing, perhaps a missing XCom or feed column.'
        )
    if any("\ud800" <= character <= "\udfff" for character in comment):
        raise InvalidInputError("comment contains half of a character (a lone surrogate), which cannot be sent.")
    return comment if comment.strip() else None
