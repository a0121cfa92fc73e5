"""Azure Blob Storage is a store like every other."""

import pytest

from wheelrelay.testing import ConfigContract, ObjectsContract, StoreContract
from wheelrelay_azure.container import PAGE_SIZE
from wheelrelay_azure.uploads import BLOCK

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


class TestAzure(StoreContract):
    @pytest.fixture
    def store(self, config, opened):
        return opened(config)


class TestObjectsOnAzure(ObjectsContract):
    max_memory = 2 * BLOCK  # a block is in memory while it is sent
    page_size = PAGE_SIZE

    @pytest.fixture
    def objects(self, config, objects_of):
        return objects_of(config)

    def test_clock_is_that_of_the_server(self, objects):
        list(objects.list_objects())
        assert abs(objects.clock_offset()) < 60


class TestAzureConfig(ConfigContract):
    @pytest.fixture
    def config(self, config):
        return config
