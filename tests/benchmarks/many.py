"""How fast many events are cancelled, beside other clients, in one run on the local Graph: ``make bench``.

Each contender cancels the same meetings in a process of its own, after a warm-up that pays for imports and sign-in.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import resource
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.table import Table

from airflow_graph_cancel.sandbox.client import Sandbox

Rows = list[dict[str, str]]
CONTENDERS = ("this operator", "aiohttp, singly", "msgraph-sdk")
AT_ONCE = 4


@dataclass(frozen=True)
class Shape:
    """A closure: how many events in each mailbox, and how slow the service is."""

    name: str
    counts: tuple[int, ...]
    latency: float
    concurrency: int

    @property
    def bound(self) -> float:
        """Seconds that four at a time in the fullest mailbox make unavoidable."""
        return math.ceil(max(self.counts) / AT_ONCE) * self.latency


SHAPES = (
    Shape("many mailboxes", (20,) * 100, 0.05, 400),
    Shape("the service is the limit", (80, 60, 40, 20, *[3] * 20), 0.4, 64),
)


def make(sandbox: Sandbox, counts: tuple[int, ...], name: str = "organizer") -> Rows:
    """Fill an empty tenant."""
    when = {"start": "2030-01-07T10:00:00Z", "end": "2030-01-07T11:00:00Z"}
    rows = []
    for number, count in enumerate(counts):
        owner = f"{name}{number}@contoso.example"
        sandbox.add_mailbox(owner)
        for _ in range(count):
            event = sandbox.create_event(organizer=owner, subject="x", attendees=["guest@fabrikam.example"], **when)
            rows.append({"event_id": event["copies"][owner], "user_id": owner})
    return rows


async def this_operator(rows: Rows, _: dict[str, Any], concurrency: int) -> None:
    """Ours, as a task runs it, with a state store that serialises what it is given."""
    from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator

    class Store(dict[str, str]):
        def set(self, key: str, value: object) -> None:
            self[key] = json.dumps(value)

    operator = GraphCancelEventsOperator(task_id="x", events=rows, comment="Closed.", concurrency=concurrency)
    await operator.aexecute({"task_state_store": Store()})  # type: ignore[typeddict-item]


async def plain_aiohttp(rows: Rows, connection: dict[str, Any], _: int) -> None:
    """One POST an event, four at a time for a mailbox: what a careful person writes by hand."""
    import aiohttp

    extra = connection["extra"]
    context = ssl.create_default_context(cafile=extra["verify"])
    form = {
        "grant_type": "client_credentials", "client_id": connection["login"],
        "client_secret": connection["password"], "scope": "https://graph.microsoft.com/.default",
    }  # fmt: skip
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, ssl=context)) as session:
        async with session.post(f"{extra['authority']}/{extra['tenant_id']}/oauth2/v2.0/token", data=form) as answer:
            headers = {"Authorization": f"Bearer {(await answer.json())['access_token']}"}

        async def work(queue: list[dict[str, str]]) -> None:
            while queue:
                row = queue.pop()
                url = f"{extra['base_url']}/v1.0/users/{row['user_id']}/events/{row['event_id']}/cancel"
                async with session.post(url, json={"Comment": "Closed."}, headers=headers) as answer:
                    await answer.read()

        queues = [list(group) for _, group in groupby(rows, key=lambda row: row["user_id"])]
        await asyncio.gather(*(work(queue) for queue in queues for _ in range(AT_ONCE)))


async def sdk_client(rows: Rows, connection: dict[str, Any], _: int) -> None:
    """msgraph-sdk's client as its README has it, four at a time for a mailbox."""
    import httpx
    from azure.identity.aio import ClientSecretCredential
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph import GraphRequestAdapter, GraphServiceClient
    from msgraph.generated.users.item.events.item.cancel.cancel_post_request_body import CancelPostRequestBody
    from msgraph_core import GraphClientFactory

    extra = connection["extra"]
    credential = ClientSecretCredential(
        extra["tenant_id"], connection["login"], connection["password"], authority=extra["authority"],
        connection_verify=extra["verify"], disable_instance_discovery=True,
    )  # fmt: skip
    provider = AzureIdentityAuthenticationProvider(credential, scopes=["https://graph.microsoft.com/.default"])
    context = ssl.create_default_context(cafile=extra["verify"])
    http = httpx.AsyncClient(verify=context, timeout=60)
    client = GraphClientFactory.create_with_default_middleware(client=http, host=extra["base_url"])
    adapter = GraphRequestAdapter(provider, client)
    adapter.base_url = f"{extra['base_url']}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)

    async def work(queue: list[dict[str, str]]) -> None:
        while queue:
            row = queue.pop()
            cancel = graph.users.by_user_id(row["user_id"]).events.by_event_id(row["event_id"]).cancel
            await cancel.post(CancelPostRequestBody(comment="Closed."))

    queues = [list(group) for _, group in groupby(rows, key=lambda row: row["user_id"])]
    await asyncio.gather(*(work(queue) for queue in queues for _ in range(AT_ONCE)))
    await credential.close()


RUNNERS = dict(zip(CONTENDERS, (this_operator, plain_aiohttp, sdk_client), strict=True))


def contend(name: str) -> None:
    """Run one contender on what standard input says; print what it took."""
    job = json.load(sys.stdin)
    connection, rows = job["connection"], job["rows"]
    os.environ["AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT"] = json.dumps(connection)
    runner = RUNNERS[name]
    asyncio.run(runner(job["warm_up"], connection, job["concurrency"]))
    wall, cpu = time.monotonic(), time.process_time()
    asyncio.run(runner(rows, connection, job["concurrency"]))
    took = {
        "seconds": time.monotonic() - wall,
        "cpu": (time.process_time() - cpu) / len(rows) * 1000,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(took))


def measure(shape: Shape, name: str) -> dict[str, float]:
    """Let one contender cancel a tenant made for it."""
    with Sandbox.start() as sandbox:
        warm_up = make(sandbox, (1,), "warm-up")
        rows = make(sandbox, shape.counts)
        sandbox.settings(latency=shape.latency)
        job = {
            "connection": sandbox.connection, "rows": rows, "warm_up": warm_up, "concurrency": shape.concurrency,
        }  # fmt: skip
        command = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.many", name]
        ran = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=True)
        took: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
        told = len(sandbox.messages()) - len(warm_up)
        assert told == len(rows), f"{name} told {told} of {len(rows)}"
        took["own 429s"] = len(sandbox.requests(status=429))
        return took


def main() -> int:
    """Measure, print, and return 1 if a promise is broken."""
    console, kept = Console(), True
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-bench-")
    for shape in SHAPES:
        table = Table(title=f"{shape.name}: {sum(shape.counts)} events, {len(shape.counts)} mailboxes, "
                            f"latency {shape.latency} s", title_justify="left")  # fmt: skip
        for heading in ("", "cancels/s", "seconds", "CPU ms each", "peak MB", "own 429s"):
            table.add_column(heading, justify="left" if not heading else "right")
        taken = {name: measure(shape, name) for name in CONTENDERS}
        for name, took in taken.items():
            table.add_row(
                name, f"{sum(shape.counts) / took['seconds']:.0f}", f"{took['seconds']:.2f}", f"{took['cpu']:.2f}",
                f"{took['peak']:.0f}", f"{took['own 429s']:.0f}",
            )  # fmt: skip
        console.print(table)
        ours = taken[CONTENDERS[0]]
        ratios = [taken[name]["seconds"] / ours["seconds"] for name in CONTENDERS[1:]]
        over = ours["seconds"] / shape.bound
        console.print(
            f"{ratios[0]:.1f} times aiohttp, {ratios[1]:.1f} times msgraph-sdk; "
            f"{over:.2f} times the bound of {shape.bound:.2f} s\n"
        )
        if shape is SHAPES[0]:
            kept &= ratios[0] >= 1.5 and ratios[1] >= 10
        else:
            kept &= over <= 1.1 and ours["own 429s"] == 0
    return 0 if kept else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        contend(sys.argv[1])
    else:
        sys.exit(main())
