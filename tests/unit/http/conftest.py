"""Fixtures of these tests."""

import pytest
from tests.servers.web import run_web

from wheelrelay.http import (
    HttpClient,
)


@pytest.fixture
def http():
    """A client without credentials."""
    client = HttpClient()
    yield client
    client.close()


@pytest.fixture
def other_web():
    """A web server on another port, and so of another origin."""
    with run_web() as server:
        yield server
