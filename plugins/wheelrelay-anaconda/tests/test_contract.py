"""The packages of an owner are a store like every other."""

import pytest

from wheelrelay.testing import ConfigContract, StoreContract


class TestStore(StoreContract):
    @pytest.fixture
    def store(self, config):
        with config(delete_packages=True).open() as store:
            yield store


class TestLabel(StoreContract):
    @pytest.fixture
    def store(self, config):
        with config(labels=["nightly"], delete_packages=True).open() as store:
            yield store


class TestConfig(ConfigContract):
    @pytest.fixture
    def config(self, config):
        return config()
