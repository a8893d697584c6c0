"""The control API below ``/sandbox`` and the front page: fill the tenant, inject faults, see what happened."""
