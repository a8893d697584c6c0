"""The text that attendees read."""

from __future__ import annotations

from airflow_graph_cancel.graph.errors import InvalidInputError

__all__ = ["check_comment"]


def check_comment(comment: object) -> str | None:
    """Return a comment that can be sent, or None for none.

    The string ``None`` is refused: a template that pulls a missing XCom renders it, and it would be mailed to
    everybody.

    :param comment: what the user or a template gave.
    :raises InvalidInputError: if it is no text, or the string ``None``.
    """
    if comment is None:
        return None
    if not isinstance(comment, str):
        raise InvalidInputError(f"comment must be a string, not {type(comment).__name__}.")
    if comment.strip() == "None":
        raise InvalidInputError(
            'comment is the string "None": a template rendered nothing, probably an XCom or a feed column that is '
            "not there."
        )
    if any("\ud800" <= character <= "\udfff" for character in comment):
        raise InvalidInputError("comment holds half of a character (a lone surrogate), which no message can carry.")
    return comment if comment.strip() else None
