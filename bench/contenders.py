"""The same meetings cancelled by different clients, each in a process of its own that reads its job as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bench.closures import AT_ONCE, Rows
from bench.memory import peak_mb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import aiohttp

__all__ = ["RUNNERS"]

# An Airflow connection as JSON.
Connection = dict[str, Any]
_SCOPE = "https://graph.microsoft.com/.default"


async def this_operator(rows: Rows, _: Connection, concurrency: int) -> None:
    """Ours, as a task runs it, with a state store that serialises what it is given."""
    from airflow_graph_cancel.operators.cancel import GraphCancelEventsOperator

    class Store(dict[str, str]):
        def set(self, key: str, value: object) -> None:
            self[key] = json.dumps(value)

    operator = GraphCancelEventsOperator(task_id="x", events=rows, comment="Closed.", concurrency=concurrency)
    await operator.aexecute({"task_state_store": Store()})  # type: ignore[typeddict-item]


async def aiohttp_singly(rows: Rows, connection: Connection, _: int) -> None:
    """One POST an event, four at a time for a mailbox: what a careful person writes by hand."""
    async with _session(connection) as session:
        base = f"{connection['extra']['base_url']}/v1.0/users"

        async def work(queue: Rows) -> None:
            while queue:
                row = queue.pop()
                url = f"{base}/{row['user_id']}/events/{row['event_id']}/cancel"
                async with session.post(url, json={"Comment": "Closed."}) as answer:
                    await answer.read()

        await asyncio.gather(*(work(queue) for queue in _by_mailbox(rows) for _ in range(AT_ONCE)))


async def aiohttp_batches(rows: Rows, connection: Connection, _: int) -> None:
    """Raw batches of twenty, one at a time for a mailbox, whose answers nobody reads: only to find a ceiling."""
    async with _session(connection) as session:

        async def work(queue: Rows) -> None:
            for start in range(0, len(queue), 20):
                requests = [
                    {
                        "id": str(number), "method": "POST",
                        "url": f"/users/{row['user_id']}/events/{row['event_id']}/cancel",
                        "headers": {"Content-Type": "application/json"}, "body": {"Comment": "Closed."},
                    }
                    for number, row in enumerate(queue[start : start + 20])
                ]  # fmt: skip
                url = f"{connection['extra']['base_url']}/v1.0/$batch"
                async with session.post(url, json={"requests": requests}) as answer:
                    await answer.read()

        await asyncio.gather(*(work(queue) for queue in _by_mailbox(rows)))


async def msgraph_sdk(rows: Rows, connection: Connection, _: int) -> None:
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
    provider = AzureIdentityAuthenticationProvider(credential, scopes=[_SCOPE])
    context = ssl.create_default_context(cafile=extra["verify"])
    http = httpx.AsyncClient(verify=context, timeout=60)
    client = GraphClientFactory.create_with_default_middleware(client=http, host=extra["base_url"])
    adapter = GraphRequestAdapter(provider, client)
    adapter.base_url = f"{extra['base_url']}/v1.0"
    graph = GraphServiceClient(request_adapter=adapter)

    async def work(queue: Rows) -> None:
        while queue:
            row = queue.pop()
            cancel = graph.users.by_user_id(row["user_id"]).events.by_event_id(row["event_id"]).cancel
            await cancel.post(CancelPostRequestBody(comment="Closed."))

    await asyncio.gather(*(work(queue) for queue in _by_mailbox(rows) for _ in range(AT_ONCE)))
    await credential.close()


async def python_o365(rows: Rows, connection: Connection, _: int) -> None:
    """python-o365 as its documentation has it: read the calendar, read the event, cancel it, one after another.

    Its hosts are constants, so that subclasses put the local Graph in their place. Its pause of 200 ms before every
    request is switched off.
    """
    from msal import ConfidentialClientApplication
    from O365 import Account, MSGraphProtocol
    from O365 import Connection as O365Connection
    from O365.utils.token import MemoryTokenBackend

    extra = connection["extra"]

    class LocalProtocol(MSGraphProtocol):  # type: ignore[misc]
        _protocol_url = f"{extra['base_url']}/"

    class LocalConnection(O365Connection):  # type: ignore[misc]
        @property
        def msal_client(self) -> ConfidentialClientApplication:
            if self._msal_client is None:  # type: ignore[has-type]
                self._msal_client = ConfidentialClientApplication(
                    *self.auth, authority=f"{extra['authority']}/{extra['tenant_id']}", instance_discovery=False,
                    token_cache=self.token_backend, verify=self.verify_ssl,
                )  # fmt: skip
            return self._msal_client

    class LocalAccount(Account):  # type: ignore[misc]
        connection_constructor = LocalConnection

    account = LocalAccount(
        (connection["login"], connection["password"]), auth_flow_type="credentials", tenant_id=extra["tenant_id"],
        protocol=LocalProtocol(), token_backend=MemoryTokenBackend(), verify_ssl=extra["verify"], requests_delay=0,
    )  # fmt: skip
    assert account.authenticate(requested_scopes=[_SCOPE])
    for queue in _by_mailbox(rows):
        calendar = account.schedule(resource=queue[0]["user_id"]).get_default_calendar()
        for row in queue:
            assert calendar.get_event(row["event_id"]).cancel_event("Closed.")


RUNNERS: dict[str, Callable[[Rows, Connection, int], Awaitable[None]]] = {
    "this operator": this_operator,
    "aiohttp, singly": aiohttp_singly,
    "aiohttp, raw batches": aiohttp_batches,
    "msgraph-sdk": msgraph_sdk,
    "python-o365": python_o365,
}


@asynccontextmanager
async def _session(connection: Connection) -> AsyncIterator[aiohttp.ClientSession]:
    """Sign in, and send the token with every request."""
    import aiohttp

    extra = connection["extra"]
    form = {
        "grant_type": "client_credentials", "client_id": connection["login"],
        "client_secret": connection["password"], "scope": _SCOPE,
    }  # fmt: skip
    connector = aiohttp.TCPConnector(limit=0, ssl=ssl.create_default_context(cafile=extra["verify"]))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.post(f"{extra['authority']}/{extra['tenant_id']}/oauth2/v2.0/token", data=form) as answer:
            session.headers["Authorization"] = f"Bearer {(await answer.json())['access_token']}"
        yield session


def _by_mailbox(rows: Rows) -> list[Rows]:
    return [list(group) for _, group in groupby(rows, key=lambda row: row["user_id"])]


def _contend(name: str) -> None:
    """Run one contender on what standard input says, after a warm-up that pays for imports and sign-in."""
    job = json.load(sys.stdin)
    connection, rows = job["connection"], job["rows"]
    os.environ["AIRFLOW_CONN_GRAPH_CALENDAR_DEFAULT"] = json.dumps(connection)
    runner = RUNNERS[name]

    async def run(rows: Rows) -> None:
        await runner(rows, connection, job["concurrency"])

    asyncio.run(run(job["warm_up"]))
    wall, cpu = time.monotonic(), time.process_time()
    asyncio.run(run(rows))
    took = {
        "seconds": time.monotonic() - wall,
        "cpu": time.process_time() - cpu,
        "peak": peak_mb(),
    }
    print(json.dumps(took))


if __name__ == "__main__":
    _contend(sys.argv[1])
