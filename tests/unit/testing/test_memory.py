"""The store in memory passes the contract."""

import pytest

from wheelrelay.testing import MemoryStore, StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self):
        return MemoryStore()
