"""An Airflow connection's fields, parsed and checked."""
