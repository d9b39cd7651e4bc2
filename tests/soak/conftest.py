"""The fault suite's installation, for what takes many minutes."""

from tests.acceptance.faults.conftest import make_system, on_postgres, oracle

__all__ = ["make_system", "on_postgres", "oracle"]
