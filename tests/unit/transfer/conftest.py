"""Fixtures that the tests of the engine share."""

from tests.unit.engine.conftest import files, other, sink, source

__all__ = ["files", "other", "sink", "source"]
