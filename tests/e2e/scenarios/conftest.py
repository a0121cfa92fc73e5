"""Fixtures for whole relays between real servers: a release, indexes, and a page of links."""

import os
import tempfile

import pytest
from tests.e2e.scenarios.helpers import TAGS
from tests.servers.proxy import run_proxy

from wheelrelay import Remote
from wheelrelay.backends.web.listing import ListingConfig
from wheelrelay.testing import make_sdist, make_wheel


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    """The folder for temporary files; it must be empty when a relay is over, however it ended."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def dist(tmp_path):
    """A release of three wheels and an sdist."""
    folder = tmp_path / "dist"
    for tag in TAGS:
        make_wheel(folder, "sample", "1.0", tag, payload=os.urandom(5_000))
    make_sdist(folder, "sample", "1.0")
    return folder


@pytest.fixture
def wheelhouse(tmp_path):
    return tmp_path / "wheelhouse"


@pytest.fixture(params=["pypiserver", "devpi"])
def index(request, monkeypatch):
    """A real index that wants a password; once each."""
    server = request.getfixturevalue(request.param)
    monkeypatch.setenv("INDEX_PASSWORD", server.password)
    return server


@pytest.fixture
def proxy(open_pypiserver):
    """A real index, with a proxy in front of it that loses answers when told to."""
    with run_proxy(open_pypiserver) as running:
        yield running


@pytest.fixture
def listing(web, dist):
    """The release on a page of links without any digest."""
    web.serve_folder(dist, "/files/")
    return Remote("listing", ListingConfig(url=web.url + "files/"))
