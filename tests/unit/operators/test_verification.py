"""Sensor and trigger run after people were told: whatever fails there must not say that nothing was sent."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from airflow.sdk.exceptions import AirflowFailException

from airflow_graph_cancel.graph.errors import ConnectionSettingsError, ServiceUnavailableError
from airflow_graph_cancel.sensors.cancelled import GraphEventsCancelledSensor
from airflow_graph_cancel.triggers.cancelled import GraphEventsCancelledTrigger

ROW: dict[str, str | None] = {"event_id": "AAMk=1", "user_id": "ada@contoso.example"}


def test_a_sensors_mistake_says_nothing_of_what_was_sent() -> None:
    """A missing XCom does not prove that the cancelling task sent nothing."""
    sensor = GraphEventsCancelledSensor(task_id="wait", events=[ROW])
    sensor.events = None
    with pytest.raises(AirflowFailException, match=r"^events is None") as raised:
        sensor.poke({})
    assert "Nothing was sent" not in str(raised.value)


def first_payload(hook: Any) -> Any:
    """What a trigger yields first that looks twice at most."""
    trigger = GraphEventsCancelledTrigger([ROW], 1, "c", None, 0.0, "2099-01-01T00:00:00+00:00", 64)
    trigger._make_hook = lambda: hook  # type: ignore[method-assign]

    async def run() -> Any:
        async for event in trigger.run():
            return event.payload
        raise AssertionError("no payload")

    return asyncio.run(run())


def test_a_triggers_mistake_says_nothing_of_what_was_sent() -> None:
    """Such as a connection that was changed while the sensor waited."""
    error = ConnectionSettingsError("Tenant ID is missing.")
    with pytest.raises(ConnectionSettingsError, match=r"^Tenant ID is missing\.$"):
        first_payload(Mock(find_remaining=AsyncMock(side_effect=error)))


def test_a_trigger_checks_again_after_a_check_that_failed() -> None:
    """A service that is down for a moment says nothing about the events."""
    looks = AsyncMock(side_effect=[ServiceUnavailableError("No answer."), (1, [])])
    assert first_payload(Mock(find_remaining=looks)) == {"total": 1, "still_there": []}
    assert looks.await_count == 2
