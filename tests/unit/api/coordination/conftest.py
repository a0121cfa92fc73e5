"""Fixtures for relays on engines: workers that are threads, and a source with many small projects."""

import pytest

from wheelrelay import DirectoryConfig, Remote, Route
from wheelrelay.testing import ThreadEngine, make_sdist, make_wheel

PROJECTS = 6


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """A directory with a wheel and an sdist of each project."""
    folder = tmp_path_factory.mktemp("divided") / "dist"
    for number in range(PROJECTS):
        make_wheel(folder, f"sample{number}")
        make_sdist(folder, f"sample{number}")
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def route(dist, out):
    """A mirror into a container with pages."""
    return mirror_route(dist, out)


@pytest.fixture
def engine():
    with ThreadEngine(3) as engine:
        yield engine


def mirror_route(source, sink, **keys):
    remotes = [
        Remote("here", DirectoryConfig(path=source)),
        Remote("there", DirectoryConfig(path=sink, pages=True)),
    ]
    return Route(source=remotes[0], sinks=[remotes[1]], mode="mirror", **keys)


def names_in(folder):
    """Return the names of the distribution files in a folder."""
    return sorted(path.name for path in folder.glob("sample*") if path.name.endswith((".whl", ".gz")))
