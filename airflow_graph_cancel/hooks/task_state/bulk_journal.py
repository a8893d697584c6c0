"""The journal of a bulk run in Airflow's task state store (AIP-103), stored in chunks of events.

A chunk is stored when the first of its events is about to be sent, and again as its events settle. A killed process
therefore leaves in doubt at most what was open in the chunks that it had begun.

Every read and write is a blocking request to Airflow's API server that takes milliseconds. Their number depends on the
number of chunks, not on the number of events.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from airflow_graph_cancel.graph.outcome import CancelResult, Outcome

if TYPE_CHECKING:
    from airflow.sdk.execution_time.context import TaskStateStoreAccessor
    from pydantic import JsonValue

    from airflow_graph_cancel.graph.cancel.inputs import CancelInput

log = logging.getLogger(__name__)

CHUNK = 150
"""Events in a chunk. With messages of 250 bytes its value stays below what Airflow stores."""
_LARGEST = 65_535
"""Bytes of JSON that Airflow accepts as one value; some databases truncate or refuse more."""
_MESSAGE, _MESSAGE_IF_MANY = 1000, 250
_PLAIN = re.compile(r"[A-Za-z0-9-]*")
"""Matches a text whose characters take one byte of JSON each, as request ids do."""
_REQUEST_ID = 64
"""Bytes of JSON to keep of a request id; Graph's own have 36."""
_FLUSH_EVERY = 5.0
_LOOK_EVERY = _FLUSH_EVERY
"""Seconds until an orphaned process of an earlier try is noticed by its marks, at the latest. Writing a chunk reads it
too, so this adds next to nothing."""


def events_digest(inputs: Sequence[CancelInput]) -> str:
    """Return a digest of a list of events, which also depends on their order."""
    digest = hashlib.sha256()
    for event in inputs:
        digest.update(event.address.key.encode() + b"\1")
    return digest.hexdigest()[:24]


@dataclass(slots=True)
class _Chunk:
    """The state of one chunk of events: requests sent, and results."""

    numbers: list[int]
    sent: dict[int, int] = field(default_factory=dict)
    results: dict[int, CancelResult] = field(default_factory=dict)
    begun: bool = False
    foreign: bool = False
    """Whether another process, or an earlier try, may have sent what is not settled."""
    unsent: set[int] = field(default_factory=set)
    """Events whose requests certainly had no effect."""
    cleared: set[int] = field(default_factory=set)
    """Events for which an earlier try recorded that no request had an effect; void once another process writes."""
    last_by: object = None
    """Which other process wrote last."""
    dirty: bool = False
    looked: float = 0.0
    """Time of the last read of the store, on the monotonic clock."""

    @property
    def whole(self) -> bool:
        return len(self.results) == len(self.numbers)


class _EventJournal:
    """The view of one event, for its state machine."""

    __slots__ = ("_chunk", "_journal", "_number")

    def __init__(self, journal: TaskStateBulkJournal, chunk: _Chunk, number: int) -> None:
        self._journal, self._chunk, self._number = journal, chunk, number

    @property
    def sent(self) -> int:
        return self._chunk.sent.get(self._number, 0)

    def sent_before(self) -> bool:
        cleared = self._number in self._chunk.cleared
        if (not self._chunk.foreign or cleared) and self._chunk.begun:
            # A 404 can only be interpreted with the current marks: a process that cancelled the event marked it first.
            self._journal.look_for_others(self._chunk, fresh=bool(self.sent))
        return self._chunk.foreign and self._number not in self._chunk.unsent | self._chunk.cleared


class TaskStateBulkJournal:
    """The journal of a bulk run, kept under the task instance (dag run, task, map index).

    :param store: ``context["task_state_store"]``.
    :param inputs: the events; their places are their numbers.
    """

    def __init__(self, store: TaskStateStoreAccessor, inputs: Sequence[CancelInput]) -> None:
        self._store = store
        self._me = uuid4().hex[:12]
        self._digest = events_digest(inputs)
        self._flushed = time.monotonic()
        # The events of a chunk go out at about the same time: ordered by mailbox, the fullest first.
        owners = [event.address.mailbox.casefold() for event in inputs]
        sizes = Counter(owners)
        by_mailbox = sorted(range(len(inputs)), key=lambda number: (-sizes[owners[number]], owners[number], number))
        self._chunks = [_Chunk(by_mailbox[start : start + CHUNK]) for start in range(0, len(by_mailbox), CHUNK)]
        self._chunk_of = [0] * len(inputs)
        for place, number in enumerate(by_mailbox):
            self._chunk_of[number] = place // CHUNK
        self._inputs = inputs
        self._looked: set[int] = set()
        self._load()

    def _load(self) -> None:
        plan = self._store.get("graph_cancel_list")
        if isinstance(plan, dict) and plan.get("digest") not in (None, self._digest):
            log.warning(
                "The events differ from those of an earlier try, so what that try settled is not known to this one."
            )
        self._store.set("graph_cancel_list", {"digest": self._digest, "events": len(self._inputs)})
        if plan is None:
            # This is the first try.
            return
        for place, chunk in enumerate(self._chunks):
            if (value := self._stored(place)) is not None:
                unsent = value.get("unsent")
                chunk.unsent = {int(str(number)) for number in unsent} if isinstance(unsent, list) else set()
                chunk.cleared, chunk.last_by = set(chunk.unsent), value.get("by")
                self._merge(chunk, value)

    def _key(self, place: int) -> str:
        return f"graph_cancel_{self._digest}_{place}"

    def _stored(self, place: int) -> dict[str, JsonValue] | None:
        value = self._store.get(self._key(place))
        return value if isinstance(value, dict) else None

    def _merge(self, chunk: _Chunk, value: dict[str, JsonValue]) -> None:
        """Take over what another process wrote."""
        if value.get("by") == self._me:
            return
        chunk.foreign = True
        if value.get("by") != chunk.last_by:
            chunk.cleared.clear()
            chunk.last_by = value.get("by")
        sent, rows = value.get("sent"), value.get("rows")
        for number, count in (sent if isinstance(sent, dict) else {}).items():
            chunk.sent[int(number)] = max(chunk.sent.get(int(number), 0), int(str(count)))
        for number, row in (rows if isinstance(rows, dict) else {}).items():
            if isinstance(row, list) and int(number) not in chunk.results:
                chunk.results[int(number)] = self._result(int(number), row)

    def _result(self, number: int, row: list[JsonValue]) -> CancelResult:
        outcome, request_id, at, message = row
        address = self._inputs[number].address
        return CancelResult(
            event_id=address.event_id,
            mailbox=address.mailbox,
            outcome=Outcome(str(outcome)),
            message=str(message),
            request_id=None if request_id is None else str(request_id),
            attempts=self._chunks[self._chunk_of[number]].sent.get(number, 0),
            at=str(at),
        )

    def look_for_others(self, chunk: _Chunk, *, fresh: bool) -> None:
        """Find out whether another process of this task works on the chunk too.

        :param fresh: True reads the store now, but only once per iteration of the event loop, within which no response
            can arrive; False accepts what was read a few seconds ago.
        """
        place = self._chunk_of[chunk.numbers[0]]
        if place in self._looked or not (fresh or time.monotonic() - chunk.looked > _LOOK_EVERY):
            return
        self._look(chunk)
        with suppress(RuntimeError):
            # Without a running loop there is no iteration to wait for.
            asyncio.get_running_loop().call_soon(self._looked.discard, place)
            self._looked.add(place)

    def _look(self, chunk: _Chunk) -> None:
        chunk.looked = time.monotonic()
        if (value := self._stored(self._chunk_of[chunk.numbers[0]])) is not None:
            self._merge(chunk, value)

    def settled_before(self) -> Mapping[int, CancelResult]:
        """Return the results of earlier tries."""
        return {number: result for chunk in self._chunks for number, result in chunk.results.items()}

    def event(self, number: int) -> _EventJournal:
        """Return one event's journal."""
        return _EventJournal(self, self._chunks[self._chunk_of[number]], number)

    def sending(self, numbers: Sequence[int]) -> None:
        """Count the requests, and store the chunks that begin with them; an error keeps the requests back."""
        unmarked: dict[int, _Chunk] = {}
        for number in numbers:
            place = self._chunk_of[number]
            chunk = self._chunks[place]
            chunk.sent[number] = chunk.sent.get(number, 0) + 1
            chunk.dirty = True
            if not chunk.begun or number in chunk.unsent:
                chunk.unsent.discard(number)
                unmarked[place] = chunk
        for chunk in unmarked.values():
            # Begun only once it is stored: requests that are already in flight must not rely on a lost mark.
            self._write(chunk)
            chunk.begun = True

    def not_sent(self, number: int) -> None:
        """Record that no request for this event had an effect."""
        chunk = self._chunks[self._chunk_of[number]]
        chunk.unsent.add(number)
        chunk.dirty = True

    def settled(self, number: int, result: CancelResult) -> None:
        """Record the result of an event; it is stored with its chunk, or after some seconds."""
        chunk = self._chunks[self._chunk_of[number]]
        chunk.results[number] = result
        chunk.dirty = True
        if chunk.whole:
            self._write_if_possible(chunk)
        elif time.monotonic() - self._flushed > _FLUSH_EVERY:
            self.flush()

    def forget(self, numbers: Iterable[int]) -> None:
        """Drop results that are not cancellations, so that a later try decides about these events again."""
        for number in numbers:
            chunk = self._chunks[self._chunk_of[number]]
            if chunk.results.pop(number, None) is not None:
                chunk.unsent.add(number)
                chunk.dirty = True
        for chunk in self._chunks:
            if chunk.dirty:
                self._write_if_possible(chunk)

    def close(self) -> None:
        """Record that this process sends nothing more, and store what has changed."""
        for chunk in self._chunks:
            if chunk.begun and not chunk.foreign:
                unsent = set(chunk.numbers) - chunk.sent.keys() - chunk.results.keys() - chunk.unsent
                chunk.unsent |= unsent
                chunk.dirty |= bool(unsent)
        self.flush()

    def flush(self) -> None:
        """Store every chunk that has changed."""
        self._flushed = time.monotonic()
        for chunk in self._chunks:
            if chunk.dirty and chunk.begun:
                self._write_if_possible(chunk)

    def _write_if_possible(self, chunk: _Chunk) -> None:
        # Without this write a later try reads more events than necessary, but sends none twice.
        try:
            self._write(chunk)
        except Exception:
            log.warning(
                "The state of some events could not be stored; a later try will read them before it sends.",
                exc_info=True,
            )

    def _write(self, chunk: _Chunk) -> None:
        self._look(chunk)
        value = self._value(chunk, _MESSAGE)
        if len(json.dumps(value)) > _LARGEST:
            value = self._value(chunk, _MESSAGE_IF_MANY)
        self._store.set(self._key(self._chunk_of[chunk.numbers[0]]), value)
        chunk.dirty = False

    def _value(self, chunk: _Chunk, longest: int) -> dict[str, JsonValue]:
        """Return the value to store for a chunk.

        :param longest: bytes to keep of a message.
        """
        return {
            "by": self._me,
            "sent": {str(number): count for number, count in chunk.sent.items()},
            "unsent": cast("list[JsonValue]", sorted(chunk.unsent)),
            "rows": {
                str(number): [
                    str(result.outcome),
                    None if result.request_id is None else _cut(result.request_id, _REQUEST_ID),
                    result.at,
                    _cut(result.message, longest),
                ]
                for number, result in chunk.results.items()
            },
        }


def _cut(text: str, most: int) -> str:
    """Shorten a text to at most ``most`` bytes of JSON; a character takes one to twelve."""
    if len(text) * 12 <= most or (len(text) <= most and _PLAIN.fullmatch(text)):
        return text
    text = text[:most]
    while (excess := len(json.dumps(text)) - 2 - most) > 0:
        text = text[: -max(1, excess // 12)]
    return text
