"""Journals in Airflow's task state store (AIP-103)."""
