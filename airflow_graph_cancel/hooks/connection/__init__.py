"""An Airflow connection: its fields parsed and checked, and the kinds of credential."""
