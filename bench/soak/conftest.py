"""The same Airflow settings and local Graph as the tests have."""

from tests.conftest import sandbox, sandbox_process

__all__ = ["sandbox", "sandbox_process"]
