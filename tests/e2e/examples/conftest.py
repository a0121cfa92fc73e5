"""Fixtures for the tests of examples."""

from pathlib import Path

import pytest
from tests.e2e.examples.wheel_building import copied


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A copy of the repository that builds wheels."""
    return copied(tmp_path)
