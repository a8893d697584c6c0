"""Wrong arguments of the notifier are refused when the DAG is parsed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.notifiers import notifier


@pytest.mark.parametrize("arguments", [{"on_missing": "skip"}, {"preview": "false"}, {"time_limit": 0}], ids=str)
def test_misspelt_arguments_are_refused_when_the_dag_is_parsed(arguments: dict[str, Any]) -> None:
    """And not on the night when the pipeline fails."""
    with pytest.raises(ValueError, match=next(iter(arguments))):
        notifier(**arguments)
