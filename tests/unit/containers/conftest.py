"""Fixtures for the tests of containers."""

import pytest
from tests.servers.objects import MemoryObjects

from wheelrelay.containers import ContainerStore


@pytest.fixture
def objects():
    """An object store that keeps metadata, with faults at will."""
    return MemoryObjects()


@pytest.fixture
def store(objects):
    """A container in it that keeps its pages."""
    return ContainerStore(objects, pages=True)
