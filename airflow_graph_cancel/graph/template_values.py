"""What a template made of a value: text, which stands for a list or a mapping again."""

from __future__ import annotations

import ast
import json

from airflow_graph_cancel.graph.errors import InvalidInputError

__all__ = ["names", "parse_text"]


def parse_text(argument: str, text: str) -> object:
    """Return the value that JSON, or Python's own notation, stands for.

    :param argument: its name, for the message.
    :param text: as a template rendered it.
    :raises InvalidInputError: if it stands for nothing but text.
    """
    if text.strip() in {"None", ""}:
        raise InvalidInputError(
            f"{argument} is {text!r}: a template rendered nothing, probably an XCom that is not there."
        )
    for parse in (json.loads, ast.literal_eval):
        try:
            found: object = parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if not isinstance(found, str):
            return found
    # Not the text itself: it may hold comments and subjects.
    raise InvalidInputError(
        f"{argument} is a text of {len(text)} characters that begins with {text.lstrip()[0]!r} and is no list: perhaps "
        "an XCom or a feed that was cut off."
    )


def names(argument: str, value: object) -> tuple[str, ...]:
    """Return one name or many.

    :param argument: its name, for the message.
    :param value: a name, a list of them, the text of such a list, or None for none.
    :raises InvalidInputError: if it is anything else.
    """
    if value is None:
        return ()
    if isinstance(value, str):
        # A name may begin with anything but what a list begins with.
        value = parse_text(argument, value) if value.lstrip()[:1] in {"[", "("} or value.strip() == "None" else [value]
    if not isinstance(value, list | tuple | set | frozenset):
        raise InvalidInputError(f"{argument} must be a name or a list of names, not {type(value).__name__}.")
    for name in value:
        if not isinstance(name, str) or not name.strip() or name.strip() == "None":
            raise InvalidInputError(
                f"{argument} holds {name!r:.80}, which is no name: perhaps an empty column of a feed."
            )
    return tuple(dict.fromkeys(name.strip() for name in value))
