"""Swift, and what Rackspace and OpenStack put before it; a container of its own for every test."""

import os
from itertools import count

import pytest
from tests.servers.keystone import run_keystone
from tests.servers.rackspace import API_KEY, run_rackspace
from tests.servers.shared import shared, shared_swift
from tests.servers.swift import run_cluster

from wheelrelay_cloudfiles.config import CloudFilesConfig, SwiftConfig

NUMBERS = count(1)

FOREIGN = ("OS_", "ST_", "RACKSPACE_")
"""Beginnings of environment variables that would let the surroundings take part in a test."""


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """The secrets of the test's servers, and nothing from outside."""
    for name in os.environ:
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SWIFT_KEY", "testing")
    monkeypatch.setenv("CLOUDFILES_KEY", API_KEY)


@pytest.fixture(scope="session")
def cluster(request):
    """The storage servers; tests start other proxies for another limit or token life."""
    return shared(request, run_cluster)


@pytest.fixture(scope="session")
def swift(request):
    """Swift with its usual limits."""
    return shared_swift(request)


@pytest.fixture(scope="session")
def tight_swift(cluster):
    """Swift where an object has at most 1 MiB."""
    with cluster.proxy(limit=2**20) as swift:
        yield swift


@pytest.fixture
def rackspace(swift):
    """Rackspace's identity service and CDN."""
    with run_rackspace(swift) as rackspace:
        yield rackspace


@pytest.fixture
def keystone(swift):
    """OpenStack's identity service."""
    with run_keystone(swift) as keystone:
        yield keystone


@pytest.fixture
def container():
    """The name of a container that is not there yet; it needs quoting."""
    return f"wheels & more {next(NUMBERS)}"


@pytest.fixture
def empty_container(swift, container):
    """The same container, made; it is in the account that all proxies lead to."""
    swift.make_container(container)
    return container


@pytest.fixture
def config_for(container):
    """Gives the configuration of a container behind a proxy, by auth version 1, with further keys at will."""

    def make(swift, **keys):
        user = {"username": swift.username, "password": {"env": "SWIFT_KEY"}}
        return SwiftConfig(**{"container": container, "auth_url": f"{swift.auth_url}/v1.0", **user, **keys})

    return make


@pytest.fixture
def swift_config(swift, config_for):
    """A container of Swift."""
    return config_for(swift)


@pytest.fixture
def cloudfiles_config(rackspace, container):
    """A container of Cloud Files."""
    return CloudFilesConfig(
        container=container,
        prefix="nightly/wheels",
        region="ORD",
        username="ci",
        api_key={"env": "CLOUDFILES_KEY"},
        auth_url=rackspace.auth_url,
    )
