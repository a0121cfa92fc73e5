"""S3 is a store like every other, on three servers of different makes."""

from collections.abc import Callable

import pytest
from tests.servers.s3 import S3Server

from wheelrelay.containers import ContainerStore
from wheelrelay.testing import ConfigContract, ObjectsContract, StoreContract
from wheelrelay_s3.objects import S3Objects
from wheelrelay_s3.uploads import PART

THREE_PARTS = 3 * PART

EmptyPlace = Callable[[S3Server], S3Objects]


class TestSeaweedFS(StoreContract):
    @pytest.fixture
    def store(self, seaweed, empty_place):
        return ContainerStore(empty_place(seaweed), pages=True)


@pytest.mark.long
class TestMoto(StoreContract):
    @pytest.fixture
    def store(self, moto, empty_place):
        return ContainerStore(empty_place(moto), pages=True)


@pytest.mark.long
class TestSwift(StoreContract):
    atomic = False  # of several writers that come in the same moment, more than one may pass its condition

    @pytest.fixture
    def store(self, swift, empty_place):
        return ContainerStore(empty_place(swift), pages=True)


@pytest.mark.long
class TestObjectsOnSeaweedFS(ObjectsContract):
    max_memory = THREE_PARTS

    @pytest.fixture
    def objects(self, seaweed, empty_place):
        return empty_place(seaweed)


@pytest.mark.long
class TestObjectsOnMoto(ObjectsContract):
    max_memory = THREE_PARTS
    page_size = 1000

    @pytest.fixture
    def objects(self, moto, empty_place):
        return empty_place(moto)


@pytest.mark.long
class TestObjectsOnSwift(ObjectsContract):
    max_memory = THREE_PARTS
    atomic = False  # as above

    @pytest.fixture
    def objects(self, swift, empty_place):
        return empty_place(swift)


class TestS3Config(ConfigContract):
    @pytest.fixture
    def config(self, moto, configured):
        return configured(moto)
