"""An event loop whose time jumps to the next thing that is due: minutes of waiting take no time."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from unittest.mock import patch

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["VirtualClock", "virtual_clock"]

T = TypeVar("T")

_PATIENCE = 10.0
"""Seconds of real time for a thread to report, if nothing else is due."""


class VirtualClock:
    """Seconds that pass only when nothing is left to do in the present.

    :ivar now: seconds, as ``time.monotonic()`` and the loop's ``time()`` tell them.
    """

    def __init__(self) -> None:
        self.now = 1_000.0

    def time(self) -> float:
        """Return the time."""
        return self.now

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run to the end in a loop that goes by this clock."""
        with asyncio.Runner(loop_factory=lambda: _Loop(self)) as runner:
            return runner.run(main)


@contextmanager
def virtual_clock() -> Iterator[VirtualClock]:
    """Let ``time.monotonic()`` go by a new clock as well."""
    clock = VirtualClock()
    with patch.object(time, "monotonic", clock.time):
        yield clock


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self._clock.now


class _Selector(selectors.BaseSelector):
    """Jump where another selector would wait."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            if ready := self._real.select(_PATIENCE):
                return ready
            raise RuntimeError("Nothing is due and nothing reports: this would never end.")
        ready = self._real.select(0)
        if not ready:
            self._clock.now += max(0.0, timeout)
        return ready

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Any:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()
