"""Azure Blob Storage is a store like every other."""

import pytest

from wheelrelay.testing import ConfigContract, StoreContract

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


class TestAzure(StoreContract):
    @pytest.fixture
    def store(self, config, opened):
        return opened(config)


class TestAzureConfig(ConfigContract):
    @pytest.fixture
    def config(self, config):
        return config
