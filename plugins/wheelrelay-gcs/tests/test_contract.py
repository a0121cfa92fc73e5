"""Google Cloud Storage is a store like every other."""

import pytest
from tests.servers.gcs_gateway import run_gcs_in_process

from wheelrelay.testing import ConfigContract, ObjectsContract, StoreContract
from wheelrelay_gcs.uploads import PART


class TestGcs(StoreContract):
    @pytest.fixture
    def store(self, config, opened):
        return opened(config)


@pytest.fixture(scope="module")
def gateway_process(fake_gcs, tmp_path_factory):
    """The gateway as a process of its own."""
    with run_gcs_in_process(fake_gcs, tmp_path_factory.mktemp("gateway")) as server:
        yield server


@pytest.mark.long
class TestObjectsOnGcs(ObjectsContract):
    max_memory = 2 * PART  # a part is in memory until the server has confirmed it

    @pytest.fixture
    def objects(self, config, gateway_process, objects_of):
        return objects_of(config.model_copy(update={"endpoint_url": gateway_process.url}))

    def test_clock_is_that_of_the_server(self, objects):
        list(objects.list_objects())
        assert abs(objects.clock_offset()) < 60


class TestGcsConfig(ConfigContract):
    @pytest.fixture
    def config(self, config):
        return config
