"""Fixtures for the tests of Google Cloud Storage, and an environment without any Google."""

import itertools
import os
from contextlib import ExitStack

import pytest
from tests.servers.gcs import run_fake_gcs, run_gcp_emulator, run_gcs
from tests.servers.shared import shared

from wheelrelay_gcs.config import GcsConfig
from wheelrelay_gcs.objects import GcsObjects

_NUMBERS = itertools.count(1)

TOKEN = "ya29.of-the-tests"


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home folder, and no credentials from outside."""
    foreign = ("GOOGLE_", "GCE_", "CLOUDSDK_", "STORAGE_", "WHEELRELAY_", "HTTP", "ALL_PROXY")
    for name in os.environ:
        if name.upper().startswith(foreign):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("TOKEN_FOR_TESTS", TOKEN)
    return folder


@pytest.fixture(scope="session")
def fake_gcs(request):
    """fake-gcs-server."""
    return shared(request, run_fake_gcs)


@pytest.fixture(scope="session")
def emulator(request):
    """gcp-storage-emulator."""
    return shared(request, run_gcp_emulator)


@pytest.fixture(scope="session")
def bucket(fake_gcs):
    """The one bucket that tests share, each below a prefix of its own."""
    return fake_gcs.new_bucket()


@pytest.fixture
def gateway(fake_gcs):
    """fake-gcs-server behind a gateway that is as strict as Google."""
    with run_gcs(fake_gcs) as gateway:
        gateway.token = TOKEN
        yield gateway


@pytest.fixture
def config(gateway, bucket):
    """The configuration of an empty place."""
    return GcsConfig(
        bucket=bucket,
        prefix=f"test-{next(_NUMBERS)}/wheels",
        endpoint_url=gateway.server.url,
        token={"env": "TOKEN_FOR_TESTS"},
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
        yield lambda config: GcsObjects(stack.enter_context(config.connect()))


@pytest.fixture
def objects(config, objects_of):
    """The objects of an empty place."""
    return objects_of(config)
