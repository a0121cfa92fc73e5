"""Fixtures for the tests of examples."""

import pytest
from tests.e2e.examples.wheel_building import copied


@pytest.fixture
def repo(tmp_path):
    """A copy of the repository that builds wheels."""
    return copied(tmp_path)
