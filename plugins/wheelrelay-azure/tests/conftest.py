"""Fixtures for the tests of Azure Blob Storage, and an environment without any Azure."""

import itertools
import os
from contextlib import ExitStack

import pytest
from tests.servers.azurite import ACCOUNT, KEY, run_azurite
from tests.servers.gateway import run_gateway
from tests.servers.shared import shared
from tests.servers.web import run_web

from wheelrelay_azure.config import AzureConfig
from wheelrelay_azure.objects import AzureObjects

_NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home folder, and no credentials from outside."""
    foreign = ("AZURE_", "IDENTITY_", "MSI_", "WHEELRELAY_", "HTTP", "ALL_PROXY")
    for name in os.environ:
        if name.upper().startswith(foreign):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("KEY_FOR_TESTS", KEY)
    return folder


@pytest.fixture(scope="session")
def azurite(request):
    """Azurite; npm installs it once."""
    cache = request.config.cache.mkdir("azurite")

    def run_shared_azurite(root):
        return run_azurite(root, cache)

    return shared(request, run_shared_azurite)


@pytest.fixture(scope="session")
def container(azurite):
    """The one container that tests share, each below a prefix of its own; it is public."""
    return azurite.new_container(public=True)


@pytest.fixture
def gateway(azurite):
    """A gateway to Azurite."""
    with run_gateway(azurite.url) as gateway:
        yield gateway


@pytest.fixture
def web():
    """A web server that answers what a test wants of Azure."""
    with run_web() as server:
        yield server


@pytest.fixture
def config(azurite, container):
    """The configuration of an empty place."""
    return AzureConfig(
        account=ACCOUNT,
        container=container,
        prefix=f"test-{next(_NUMBERS)}/wheels",
        endpoint_url=azurite.url,
        account_key={"env": "KEY_FOR_TESTS"},
    )


@pytest.fixture
def opened():
    """Opens configurations as stores; what was opened is closed at the end of the test."""
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(config.open())


@pytest.fixture
def objects_of():
    """Opens configurations as mere objects, likewise."""
    with ExitStack() as stack:
        yield lambda config: AzureObjects(stack.enter_context(config.connect()))


@pytest.fixture
def objects(config, gateway, objects_of):
    """The objects of an empty place, behind the gateway."""
    return objects_of(config.model_copy(update={"endpoint_url": f"{gateway.url}{ACCOUNT}"}))
