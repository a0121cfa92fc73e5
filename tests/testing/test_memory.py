"""The store in memory passes the contract, as the least store does that takes its whole time to show files."""

import threading

import pytest

from wheelrelay.testing import MemoryStore, StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()
