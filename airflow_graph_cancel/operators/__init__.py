"""Operators. ``base`` holds what they share with the sensor and the notifier."""
