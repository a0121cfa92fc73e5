"""Fixtures for the tests of S3: three servers of different makes, and an environment without any AWS."""

import itertools
import os
import ssl
from contextlib import ExitStack
from dataclasses import replace

import pytest
import trustme
from tests.servers.moto import run_moto
from tests.servers.s3 import S3Server
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared, shared_swift
from tests.servers.web import run_web

from wheelrelay_s3.config import S3Config
from wheelrelay_s3.objects import S3Objects

_NUMBERS = itertools.count(1)


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """An empty home folder, no credentials from outside, and none from a cloud that we may run in."""
    for name in os.environ:
        if name.upper().startswith(("AWS_", "WHEELRELAY_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return folder


@pytest.fixture(scope="session")
def seaweed(request):
    """SeaweedFS."""
    return shared(request, run_seaweed)


@pytest.fixture(scope="session")
def moto(request):
    """moto."""
    return shared(request, run_moto)


@pytest.fixture(scope="session")
def swift_proxy(request):
    """OpenStack Swift."""
    return shared_swift(request)


@pytest.fixture(scope="session")
def swift(swift_proxy):
    """OpenStack Swift, by its S3 API."""
    return S3Server(swift_proxy.url, swift_proxy.username, swift_proxy.password, swift_proxy.region)


@pytest.fixture
def web():
    """A web server that answers what a test wants of an S3 server."""
    with run_web() as server:
        yield server


@pytest.fixture
def tls_url():
    """The address of a server whose certificate nobody has reason to trust."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with run_web(tls=context) as server:
        yield server.url


@pytest.fixture(params=["seaweed", "moto", "swift"])
def server(request):
    """Each of the servers in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def bucket_of():
    """Gives the one bucket of a server that tests share, each below a prefix of its own."""
    made = {}

    def bucket(server):
        if server.url not in made:
            made[server.url] = server.new_bucket()
        return made[server.url]

    return bucket


@pytest.fixture
def configured(bucket_of, monkeypatch):
    """Gives the configuration of an empty place on a server; keys may be overridden."""

    def config(server, **keys):
        monkeypatch.setenv("SECRET_OF_S3", server.secret_access_key)
        defaults = {
            "bucket": keys.get("bucket") or bucket_of(server),
            "prefix": f"test-{next(_NUMBERS)}/wheels",
            "region": server.region,
            "endpoint_url": server.url,
            "access_key_id": server.access_key_id,
            "secret_access_key": {"env": "SECRET_OF_S3"},
        }
        return S3Config.model_validate({**defaults, **keys})

    return config


@pytest.fixture
def opened():
    """Opens configurations as stores; what was opened is closed at the end of the test."""
    with ExitStack() as stack:
        yield lambda config: stack.enter_context(config.open())


@pytest.fixture
def objects_of():
    """Opens configurations as mere objects, likewise."""
    with ExitStack() as stack:
        yield lambda config: S3Objects(stack.enter_context(config.connect()))


@pytest.fixture(scope="session")
def connection():
    """Gives the one connection to a server that tests share, for any bucket and prefix."""
    made = {}
    with ExitStack() as stack:

        def shared(config):
            if config.endpoint_url not in made:
                made[config.endpoint_url] = stack.enter_context(config.connect())
            return replace(
                made[config.endpoint_url], bucket=config.bucket, prefix=f"{config.prefix}/".lstrip("/")
            )

        yield shared


@pytest.fixture
def empty_place(configured, connection):
    """Gives an empty place on a server, quickly."""
    return lambda server: S3Objects(connection(configured(server)))
