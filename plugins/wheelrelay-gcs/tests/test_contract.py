"""Google Cloud Storage is a store like every other."""

import pytest

from wheelrelay.testing import ConfigContract, StoreContract


class TestGcs(StoreContract):
    @pytest.fixture
    def store(self, config, opened):
        return opened(config)


class TestGcsConfig(ConfigContract):
    @pytest.fixture
    def config(self, config):
        return config
