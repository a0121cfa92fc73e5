"""Both types of remotes pass the contract, on a real Swift."""

import pytest
from tests.servers.keystone import DOMAIN, PASSWORD, PROJECT, USERNAME

from wheelrelay.testing import ConfigContract, ObjectsContract, StoreContract
from wheelrelay_cloudfiles.config import SwiftConfig

pytestmark = pytest.mark.usefixtures("empty_container")


class TestSwift(StoreContract):
    @pytest.fixture
    def store(self, swift_config):
        with swift_config.model_copy(update={"pages": False}).open() as store:
            yield store


@pytest.mark.long
class TestSwiftWithAToken(StoreContract):
    @pytest.fixture
    def store(self, swift, container, monkeypatch):
        monkeypatch.setenv("SWIFT_TOKEN", swift.token())
        config = SwiftConfig(
            container=container, prefix="wheels", storage_url=swift.storage_url, token={"env": "SWIFT_TOKEN"}
        )
        with config.open() as store:
            yield store


@pytest.mark.long
class TestSwiftWithSegments(StoreContract):
    @pytest.fixture
    def store(self, tight_swift, config_for):
        with config_for(tight_swift).open() as store:
            yield store


class TestCloudFiles(StoreContract):
    @pytest.fixture
    def store(self, cloudfiles_config):
        with cloudfiles_config.open() as store:
            yield store


@pytest.mark.long
class TestSwiftObjects(ObjectsContract):
    @pytest.fixture
    def objects(self, swift_config):
        with swift_config.open() as store:
            yield store._objects


@pytest.mark.long
class TestSwiftObjectsWithSegments(ObjectsContract):
    @pytest.fixture
    def objects(self, tight_swift, config_for):
        with config_for(tight_swift).open() as store:
            yield store._objects


class TestSwiftConfig(ConfigContract):
    @pytest.fixture
    def config(self, keystone, monkeypatch):
        monkeypatch.setenv("KEYSTONE_PASSWORD", PASSWORD)
        return SwiftConfig(
            container="wheels",
            auth_url=keystone.auth_url,
            username=USERNAME,
            password={"env": "KEYSTONE_PASSWORD"},
            project=PROJECT,
            user_domain=DOMAIN,
        )


class TestCloudFilesConfig(ConfigContract):
    @pytest.fixture
    def config(self, cloudfiles_config):
        return cloudfiles_config
