"""Fixtures for the tests of Dask: a cluster of real processes for each module, and a source of many files."""

import os
import socket

import pytest
from tests.servers.web import run_web

from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay_dask import DaskConfig

PROJECTS = 12


@pytest.fixture(scope="module")
def cluster():
    """The engine of two processes."""
    with DaskConfig(workers=2).open() as engine:
        yield engine


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dask") / "dist"
    for number in range(PROJECTS):
        make_wheel(folder, f"sample{number}", payload=os.urandom(5000))
        make_sdist(folder, f"sample{number}")
    return folder


@pytest.fixture
def source(dist):
    """A web server with a listing of all files."""
    with run_web() as web:
        web.serve_folder(dist)
        yield web


@pytest.fixture
def unused_port():
    """A port of this machine on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
