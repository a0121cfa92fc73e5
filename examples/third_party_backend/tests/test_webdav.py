"""The contract of stores and configurations for WebDAV folders."""

import pytest

from wheelrelay.testing import ConfigContract, StoreContract
from wheelrelay_webdav.config import WebDavConfig


def configured(url):
    return WebDavConfig(url=url, username="ci", password={"env": "DAV_PASSWORD"})


class TestWebDav(StoreContract):
    atomic = False  # the server checks the name, then moves: two writers may both succeed

    @pytest.fixture
    def store(self, folder_url):
        with configured(folder_url).open() as store:
            yield store


class TestWebDavConfig(ConfigContract):
    @pytest.fixture
    def config(self, folder_url):
        return configured(folder_url)
