"""Notifiers: what a callback of a DAG or a task can do about a meeting."""
