"""An Airflow connection: its fields parsed and checked, the kinds of credential, and the connection test."""
