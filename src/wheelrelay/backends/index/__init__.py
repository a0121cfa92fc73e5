"""Package indexes: read by the Simple API, written by the legacy upload API."""

from wheelrelay.backends.index.config import IndexConfig, PyPIConfig, TestPyPIConfig

__all__ = ["IndexConfig", "PyPIConfig", "TestPyPIConfig"]
