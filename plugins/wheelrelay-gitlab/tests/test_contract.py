"""Generic packages are a store like every other."""

import pytest

from wheelrelay.testing import ConfigContract, StoreContract


class TestPackages(StoreContract):
    awkward_names = tuple(name for name in StoreContract.awkward_names if "!" not in name)

    @pytest.fixture
    def store(self, config):
        with config.open() as store:
            yield store


class TestPackagesConfig(ConfigContract):
    @pytest.fixture
    def config(self, config):
        return config
