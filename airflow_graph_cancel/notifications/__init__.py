"""Notifiers: cancelling an event from a callback of a DAG, a task or a deadline."""
