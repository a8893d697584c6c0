"""Entry point of ``make demo`` and ``make up``: close buildings in a local Graph, with a real Airflow."""

from __future__ import annotations

import argparse
import sys

import closing
import staying

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Watch meetings being cancelled, without a Microsoft tenant.")
    parser.add_argument("--stay", action="store_true", help="keep the local Graph and Airflow's web UI running")
    sys.exit(staying.run() if parser.parse_args().stay else closing.run())
