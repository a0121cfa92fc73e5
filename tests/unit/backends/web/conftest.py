"""Fixtures of these tests."""

import pytest
from tests.servers.web import run_web

from wheelrelay.http import HttpClient


@pytest.fixture
def elsewhere():
    """A server on another port, and so of another origin."""
    with run_web() as server:
        yield server


@pytest.fixture
def http():
    client = HttpClient()
    yield client
    client.close()
