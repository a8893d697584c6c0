"""Triggers: waiting in the triggerer. They only read, because Airflow may run a trigger twice."""
