"""``make up``: run the local Graph and Airflow's web UI, with closures to approve, until Ctrl-C."""

from __future__ import annotations

import shutil

import airflow_home
import feeds
import interfering
import real_airflow
from rich.console import Console

from airflow_graph_cancel.sandbox.client import Sandbox

DAG = "facility_closure"


def run() -> int:
    """Run both until Ctrl-C; return 1 only if Airflow exits first."""
    console = Console(soft_wrap=True)
    real_airflow.end_on_any_signal()
    try:
        stay(console)
    except KeyboardInterrupt:
        console.print("\nStopped.")
        return 0
    except (real_airflow.AirflowDownError, TimeoutError) as error:
        console.print(str(error), markup=False)
    console.print("[bold red]Airflow did not start, or it has exited.")
    return 1


def stay(console: Console) -> None:
    """Start both, trigger the DAG, print where to go, and wait for Airflow to exit."""
    build = airflow_home.ROOT / ".build" / "up"
    # The local Graph starts empty each time: approvals from a previous run would refer to nothing.
    for part in ("airflow", "feeds", "reports"):
        shutil.rmtree(build / part, ignore_errors=True)
    build.mkdir(parents=True, exist_ok=True)
    graph_port, airflow_port = real_airflow.free_port(8443), real_airflow.free_port(8080)
    with Sandbox.start(tenant="sample", port=graph_port, directory=build / "graph") as sandbox:
        wanted = feeds.closures(sandbox)
        interfering.add_what_is_not_ours(sandbox, wanted[0])
        feeds.write(build / "feeds", wanted)
        console.print("Starting Airflow (takes about 30 seconds) ...")
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
                f"Local Graph  {sandbox.url}   (self-signed certificate: accept the browser's warning)\n\n"
                f"The feeds in {build / 'feeds'} close three buildings. {DAG} finds the affected\n"
                "meetings and asks for approval within a minute:\n\n"
                f"  {airflow.address}/required_actions\n\n"
                "Choose a closure, review the plan, exclude meetings if you like, and press Approve or Reject.\n"
                f"Watch the meetings disappear in the local Graph. Reports: {build / 'reports'}\n\n"
                f"DAG run: {airflow.address}/dags/{DAG}/runs/{run_id}\n"
                "The connection graph_calendar_default points to the local Graph. It is set in the environment, so\n"
                "Airflow's UI does not list it. Ctrl-C stops both within ten seconds.",
                highlight=False,
            )
            airflow.process.wait()
