"""Both types of remotes pass the contract, on a real Swift."""

from collections.abc import Callable, Iterator

import pytest
from tests.servers.keystone import DOMAIN, PASSWORD, PROJECT, USERNAME, Keystone
from tests.servers.swift import Swift

from wheelrelay.config import RemoteConfig
from wheelrelay.containers import ContainerStore
from wheelrelay.testing import ConfigContract, StoreContract
from wheelrelay_cloudfiles.config import CloudFilesConfig, SwiftConfig
from wheelrelay_cloudfiles.store import CloudFilesStore

pytestmark = pytest.mark.usefixtures("empty_container")


class TestSwift(StoreContract):
    @pytest.fixture
    def store(self, swift_config: SwiftConfig) -> Iterator[ContainerStore]:
        with swift_config.model_copy(update={"pages": False}).open() as store:
            yield store


@pytest.mark.long
class TestSwiftWithAToken(StoreContract):
    @pytest.fixture
    def store(
        self, swift: Swift, container: str, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[ContainerStore]:
        monkeypatch.setenv("SWIFT_TOKEN", swift.token())
        config = SwiftConfig(
            container=container, prefix="wheels", storage_url=swift.storage_url, token={"env": "SWIFT_TOKEN"}
        )
        with config.open() as store:
            yield store


@pytest.mark.long
class TestSwiftWithSegments(StoreContract):
    @pytest.fixture
    def store(self, tight_swift: Swift, config_for: Callable[..., SwiftConfig]) -> Iterator[ContainerStore]:
        with config_for(tight_swift).open() as store:
            yield store


class TestCloudFiles(StoreContract):
    @pytest.fixture
    def store(self, cloudfiles_config: CloudFilesConfig) -> Iterator[CloudFilesStore]:
        with cloudfiles_config.open() as store:
            yield store


class TestSwiftConfig(ConfigContract):
    @pytest.fixture
    def config(self, keystone: Keystone, monkeypatch: pytest.MonkeyPatch) -> RemoteConfig:
        monkeypatch.setenv("KEYSTONE_PASSWORD", PASSWORD)
        return SwiftConfig(
            container="wheels",
            auth_url=keystone.auth_url,
            username=USERNAME,
            password={"env": "KEYSTONE_PASSWORD"},
            project=PROJECT,
            domain=DOMAIN,
        )


class TestCloudFilesConfig(ConfigContract):
    @pytest.fixture
    def config(self, cloudfiles_config: CloudFilesConfig) -> RemoteConfig:
        return cloudfiles_config
