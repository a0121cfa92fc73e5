"""Fixtures of these tests."""

from contextlib import closing

import pytest

from wheelrelay.backends.index.simple_api import SimpleApi
from wheelrelay.http import HttpClient


@pytest.fixture
def http():
    with closing(HttpClient()) as client:
        yield client


@pytest.fixture
def api(web, http):
    """The index at ``/simple/`` of the web server."""
    return SimpleApi(http, f"{web.url}simple/")
