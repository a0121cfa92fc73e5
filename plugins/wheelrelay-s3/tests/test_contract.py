"""S3 is a store like every other, on three servers of different makes."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.servers.s3 import S3Server
from tests.servers.seaweed import Seaweed

from wheelrelay.testing import ConfigContract, StoreContract
from wheelrelay_s3.config import S3Config

Configured = Callable[..., S3Config]
Opened = Callable[[S3Config], Any]


class TestSeaweedFS(StoreContract):
    @pytest.fixture
    def store(self, seaweed: Seaweed, configured: Configured, opened: Opened) -> Any:
        return opened(configured(seaweed))


class TestMoto(StoreContract):
    @pytest.fixture
    def store(self, moto: S3Server, configured: Configured, opened: Opened) -> Any:
        return opened(configured(moto))


class TestSwift(StoreContract):
    atomic = False  # of several writers that come in the same moment, more than one may pass its condition

    @pytest.fixture
    def store(self, swift: S3Server, configured: Configured, opened: Opened) -> Any:
        return opened(configured(swift))


class TestS3Config(ConfigContract):
    @pytest.fixture
    def config(self, moto: S3Server, configured: Configured) -> S3Config:
        return configured(moto)
