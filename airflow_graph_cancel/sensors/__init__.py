"""Sensors: waiting for events to be gone."""
