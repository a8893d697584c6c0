"""The hook reads its connection safely while other code in the process talks to the same supervisor."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from socket import SHUT_RDWR, socket, socketpair
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from airflow.sdk import Connection
from airflow.sdk.execution_time import task_runner
from airflow.sdk.execution_time.comms import CommsDecoder, GetVariable, VariableResult
from airflow.sdk.log import redact

from airflow_graph_cancel.graph.errors import ConnectionSettingsError
from airflow_graph_cancel.hooks.graph_event import GraphEventHook

if TYPE_CHECKING:
    from collections.abc import Iterator

PROXY = "http://proxy-user:proxy-password@proxy.contoso.example:3128"
EXTRA = {"tenant_id": "tenant", "proxies": json.dumps({"https": PROXY})}


@pytest.fixture
def conn_id(monkeypatch: pytest.MonkeyPatch) -> str:
    """A connection in the environment, where workers look first."""
    connection = {"conn_type": "graph_calendar", "login": "client", "password": "s3cret-of-the-app", "extra": EXTRA}
    monkeypatch.setenv("AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT", json.dumps(connection))
    return "graph_calendar_default"


class Supervisor:
    """The other end of a task's socket: slow to answer, and remembers what it was asked to mask."""

    def __init__(self, end: socket) -> None:
        self.masked: list[Any] = []
        self._end = end

    def serve(self) -> None:
        """Answer requests in order until the task goes."""
        while head := self._end.recv(4):
            frame = bytearray()
            while len(frame) < int.from_bytes(head, "big"):
                frame += self._end.recv(65536)
            number, body, *_ = msgspec.msgpack.decode(frame)
            if body["type"] == "MaskSecret":
                self.masked.append(body["value"])
                answer = None
            else:
                time.sleep(0.2)
                answer = VariableResult(key=body["key"], value="x").model_dump()
            reply = msgspec.msgpack.encode([number, answer, None])
            self._end.sendall(len(reply).to_bytes(4, "big") + reply)


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervisor]:
    """A supervisor, and this process as its task."""
    with _supervisor() as (decoder, supervisor):
        monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", decoder, raising=False)
        yield supervisor


@contextmanager
def _supervisor() -> Iterator[tuple[CommsDecoder[Any, Any], Supervisor]]:
    ours, theirs = socketpair()
    supervisor = Supervisor(theirs)
    thread = Thread(target=supervisor.serve)
    thread.start()
    try:
        yield CommsDecoder(socket=ours), supervisor
    finally:
        ours.shutdown(SHUT_RDWR)
        thread.join()
        ours.close()
        theirs.close()


def test_a_connection_can_be_read_while_the_task_waits_for_its_supervisor(supervisor: Supervisor, conn_id: str) -> None:
    """On the event loop it would raise DeadlockImminentError, which no ``except Exception`` catches."""

    async def both() -> str:
        comms = task_runner.SUPERVISOR_COMMS
        asked = asyncio.create_task(comms.asend(GetVariable(key="k")))
        await asyncio.sleep(0.05)
        assert not asked.done()
        settings = await GraphEventHook(conn_id).get_settings()
        await asked
        return settings.conn_id

    assert asyncio.run(both()) == conn_id


def test_reading_a_connection_takes_none_of_asyncios_threads(conn_id: str) -> None:
    """Airflow receives a supervisor's answer in one of them; reads that wait for it would keep it from coming."""

    class Taken(ThreadPoolExecutor):
        def submit(self, *_: Any, **__: Any) -> Any:
            raise AssertionError("asyncio's threads are not for this")

    async def read() -> None:
        asyncio.get_running_loop().set_default_executor(Taken())
        await asyncio.gather(*(GraphEventHook(conn_id).get_settings() for _ in range(3)))

    with asyncio.Runner() as runner:
        runner.run(read())


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_connection_can_be_read_in_a_forked_process(conn_id: str) -> None:
    """Airflow forks its tasks, and the thread that reads connections does not come along."""
    asyncio.run(GraphEventHook(conn_id).get_settings())
    child = multiprocessing.get_context("fork").Process(
        target=lambda: asyncio.run(GraphEventHook(conn_id).get_settings())
    )
    child.start()
    child.join(20)
    child.kill()
    assert child.exitcode == 0


@pytest.mark.parametrize("extra", ["[1]", '"text"', "5"])
def test_extras_that_are_not_an_object_are_explained(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    """A secrets backend may hold anything."""
    monkeypatch.setenv("AIRFLOW_CONN_ODD", json.dumps({"conn_type": "msgraph", "extra": extra}))
    with pytest.raises(ConnectionSettingsError, match='"odd": the extras must be a JSON object'):
        asyncio.run(GraphEventHook("odd").get_settings())


def test_secrets_are_masked_here_and_in_the_supervisor(supervisor: Supervisor, conn_id: str) -> None:
    """Both write logs; a proxy's password stands in the extras, which are masked by key."""
    asyncio.run(GraphEventHook(conn_id).get_settings())
    assert "s3cret-of-the-app" in supervisor.masked
    assert EXTRA in supervisor.masked
    assert redact(f"{EXTRA['proxies']}, s3cret-of-the-app") == "***, ***"


def test_hooks_that_read_at_once_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """``dag.test()`` hands out answers in the order of the requests, whichever thread asked: they could be swapped."""
    reading = Lock()

    def get_connection(conn_id: str) -> Connection:
        assert reading.acquire(blocking=False)
        time.sleep(0.02)
        reading.release()
        return Connection(conn_id=conn_id, conn_type="graph_calendar", login="a", password="b", extra=json.dumps(EXTRA))

    monkeypatch.setattr(GraphEventHook, "get_connection", staticmethod(get_connection))

    async def read(*names: str) -> list[str]:
        return [one.conn_id for one in await asyncio.gather(*(GraphEventHook(name).get_settings() for name in names))]

    names = [f"connection_{number}" for number in range(8)]
    assert asyncio.run(read(*names)) == names
