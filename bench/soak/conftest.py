"""The same Airflow settings, local Graph and scan for secrets as the tests have."""

from tests.conftest import pytest_configure, pytest_unconfigure, sandbox, sandbox_process

__all__ = ["pytest_configure", "pytest_unconfigure", "sandbox", "sandbox_process"]
