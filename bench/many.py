"""How fast many events are cancelled, beside other clients, in turn, in one run on the local Graph."""

from __future__ import annotations

from dataclasses import replace

from bench.airflow_runs import MAPPED, in_airflow
from bench.closures import LIMITED, MANY, Shape
from bench.measuring import Taken, contend
from bench.results import Promise, Section

__all__ = ["where_mailboxes_are_many", "where_the_service_is_the_limit"]

OURS, AIOHTTP, SDK, O365 = "this operator", "aiohttp, singly", "msgraph-sdk", "python-o365"
ROUNDS = 5
FEWER = 200
"""Events for a client that cancels one after another."""
HEADINGS = ("", "events", "cancels/s", "seconds", "CPU ms each", "peak MB", "own 429s", "local Graph busy")


def where_mailboxes_are_many() -> Section:
    """Compare all contenders on two thousand events in a hundred mailboxes."""
    taken: dict[str, Taken] = {}
    # The fast ones in turn, and the best round of each: noise only adds.
    for _ in range(ROUNDS):
        for name in (OURS, AIOHTTP):
            took = contend(MANY, name)
            taken[name] = min(took, taken.get(name, took), key=lambda each: each.seconds)
    taken[SDK] = contend(MANY, SDK)
    taken[O365] = contend(MANY, O365, FEWER)
    taken["MSGraphAsyncOperator, mapped"], taken["this operator, as a DAG run"] = in_airflow()
    at_once = replace(MANY, latency=0.0)
    ceilings = {
        "the local Graph's ceiling, singly": contend(at_once, AIOHTTP),
        "the local Graph's ceiling, in batches": contend(at_once, "aiohttp, raw batches"),
    }
    ours = taken[OURS]
    busiest = max(took.busy for took in taken.values())
    return Section(
        _title(MANY),
        f"""\
Each client runs in its own process and cancels its own tenant, after a warm-up that covers imports and sign-in. The
local Graph's ledger verifies that each attendee was told once. For this operator and for aiohttp, the best of {ROUNDS}
rounds counts. Memory is that of the whole process, including Python and libraries. Each mailbox gets four requests at
a time (for this operator, a `concurrency` of {MANY.concurrency} in total), with two exceptions:

- python-o365 can only cancel one event after another, and reads each event first. It gets {FEWER} of the events. Its
  hosts are constants, so subclasses point it to the local Graph, and its pause of 200 ms before every request is
  switched off.
- `MSGraphAsyncOperator` is mapped over {MAPPED} events in a real Airflow (scheduler, LocalExecutor with four tasks at a
  time, triggerer, SQLite). In the same Airflow, this operator cancels all events in one task. Time is that of the DAG
  run, CPU time is that of all Airflow processes minus their idle time, and memory is that of all of them.

The local Graph is one process. Its ceiling is the rate at which it would be fully busy, measured with plain aiohttp and
no latency. The last column shows how busy it was.""",
        HEADINGS,
        [*(_row(name, took) for name, took in taken.items()), *(_ceiling(*each) for each in ceilings.items())],
        [
            _times("aiohttp, four at a time per mailbox", ours, taken[AIOHTTP], 1.5),
            _times("msgraph-sdk's client", ours, taken[SDK], 10),
            Promise("no 429 of its own", str(ours.throttled), ours.throttled == 0),
            Promise("the local Graph is not the bottleneck: at most 80 % busy", f"{busiest:.0%}", busiest <= 0.8),
        ],
    )


def where_the_service_is_the_limit() -> Section:
    """Compare with the time that the service's own limit makes unavoidable."""
    taken = {name: contend(LIMITED, name) for name in (OURS, AIOHTTP, SDK)}
    ours = taken[OURS]
    over = ours.seconds / LIMITED.bound
    return Section(
        _title(LIMITED),
        f"""\
Mailboxes with 80, 60, 40 and 20 events, and twenty with 3. The fullest one takes at least ceil(80 / 4) x
{LIMITED.latency} s = {LIMITED.bound:.0f} s with any client: Outlook serves four requests at a time per mailbox.""",
        HEADINGS,
        [_row(name, took) for name, took in taken.items()],
        [
            Promise("at most 1.1 times the lower bound", f"{over:.2f} times", over <= 1.1),
            Promise("no 429 of its own", str(ours.throttled), ours.throttled == 0),
        ],
    )


def _title(shape: Shape) -> str:
    return f"{shape.name}: {sum(shape.counts):,} events, {len(shape.counts)} mailboxes, latency {shape.latency} s"


def _row(name: str, took: Taken) -> tuple[str, ...]:
    return (
        name, f"{took.events:,}", f"{took.rate:,.1f}" if took.rate < 10 else f"{took.rate:,.0f}", f"{took.seconds:.2f}",
        f"{took.cpu / took.events * 1000:.2f}", f"{took.peak:.0f}", str(took.throttled), f"{took.busy:.0%}",
    )  # fmt: skip


def _ceiling(name: str, took: Taken) -> tuple[str, ...]:
    return (name, f"{took.events:,}", f"{took.events / took.graph_cpu:,.0f}", "", "", "", "", "100%")


def _times(whom: str, ours: Taken, theirs: Taken, promised: float) -> Promise:
    ratio = ours.rate / theirs.rate
    return Promise(f"at least {promised:g} times {whom}", f"{ratio:.1f} times", ratio >= promised)
