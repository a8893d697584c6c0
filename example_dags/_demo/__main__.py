"""``make demo``: close two buildings in a local Graph, under a real Airflow, and check every claim."""

from __future__ import annotations

import argparse
import sys

import closing
import staying

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="See meetings being cancelled, without a Microsoft tenant.")
    parser.add_argument("--stay", action="store_true", help="keep the local Graph and Airflow's web UI up")
    sys.exit(staying.run() if parser.parse_args().stay else closing.run())
