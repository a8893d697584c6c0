"""``make up``: the local Graph and Airflow's web UI, with a closure that waits to be approved, until Ctrl-C."""

from __future__ import annotations

import shutil

import airflow_home
import feeds
import meddling
import real_airflow
from rich.console import Console

from airflow_graph_cancel.sandbox.client import Sandbox

DAG = "facility_closure"


def run() -> int:
    """Keep both up until Ctrl-C; return 1 only if Airflow ends by itself."""
    console = Console(soft_wrap=True)
    real_airflow.end_on_any_signal()
    try:
        stay(console)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 0
    except (real_airflow.AirflowDownError, TimeoutError) as error:
        console.print(str(error), markup=False)
    console.print("[bold red]Airflow did not come up, or has ended.")
    return 1


def stay(console: Console) -> None:
    """Start both, trigger the closure, say where to click, and wait for Airflow's end."""
    build = airflow_home.ROOT / ".build" / "up"
    # The local Graph begins anew each time, so that approvals of the last time would be about nothing.
    for part in ("airflow", "feeds", "reports"):
        shutil.rmtree(build / part, ignore_errors=True)
    build.mkdir(parents=True, exist_ok=True)
    graph_port, airflow_port = real_airflow.free_port(8443), real_airflow.free_port(8080)
    with Sandbox.start(tenant="sample", port=graph_port, directory=build / "graph") as sandbox:
        wanted = feeds.closures(sandbox)
        meddling.add_what_is_not_ours(sandbox, wanted[0])
        feeds.write(build / "feeds", wanted)
        console.print("Starting Airflow, which takes half a minute ...")
        with real_airflow.running(
            build,
            sandbox,
            port=airflow_port,
            CLOSURE_FEEDS=str(build / "feeds"),
            CLOSURE_REPORTS=str(build / "reports"),
            AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL="30",
        ) as airflow:
            run_id = airflow.start(DAG)
            console.print(
                f"\nAirflow      {airflow.address}   user admin, password {airflow.password}\n"
                f"Local Graph  {sandbox.url}   (its certificate is its own: let the browser go on)\n\n"
                f"The feeds in {build / 'feeds'} close three buildings; {DAG} finds what cannot take\n"
                "place there, and within a minute asks you:\n\n"
                f"  {airflow.address}/required_actions\n\n"
                "Choose a closure, read what would happen, leave out meetings if you like, press Approve or Reject,\n"
                f"and watch the meetings go in the other window. The reports come to {build / 'reports'}.\n\n"
                f"The run: {airflow.address}/dags/{DAG}/runs/{run_id}\n"
                "The connection graph_calendar_default leads to the local Graph. It comes from the environment, so\n"
                "that Airflow does not list it. Ctrl-C ends both, within ten seconds.",
                highlight=False,
            )
            airflow.process.wait()
