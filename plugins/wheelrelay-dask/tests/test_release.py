"""Releases on real processes: killed at any moment, and never published in part where that can be known."""

import os
from contextlib import ExitStack, contextmanager, suppress

import pytest
from tests.servers.dask import ActingPyPI, acting_source, kill_one

import wheelrelay
from wheelrelay import FileSecret, IndexConfig, ListingConfig, Remote, Route
from wheelrelay.records import Outcome
from wheelrelay.testing import make_sdist, make_wheel
from wheelrelay_dask import DaskConfig

WHEELS = 6
MOMENTS = 30


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A folder with the files of a release, and one with a token."""
    folder = tmp_path_factory.mktemp("release")
    for minor in range(10, 10 + WHEELS):
        tag = f"cp3{minor}-cp3{minor}-manylinux_2_28_x86_64"
        make_wheel(folder / "dist", "sample", tag=tag, payload=os.urandom(3000))
    make_sdist(folder / "dist")
    (folder / "token.txt").write_text("pypi-open-sesame")
    return folder


class Clusters:
    """A cluster of two workers, which is replaced if Dask does not start one for a killed one in time."""

    def __init__(self):
        self._stack = ExitStack()
        self._engine = None

    def engine(self):
        """Return an engine with two workers."""
        if self._engine is not None:
            with suppress(TimeoutError):
                self._engine._client.wait_for_workers(2, timeout=20)
                return self._engine
            self.close()
        self._engine = self._stack.enter_context(DaskConfig(workers=2).open())
        return self._engine

    def close(self):
        """End the cluster."""
        self._stack.close()
        self._engine = None


@pytest.fixture(scope="module")
def clusters():
    clusters = Clusters()
    yield clusters
    clusters.close()


@contextmanager
def both_sides(release, act, *, at):
    """Run a source and an index, and act at one of the moments at which either is asked for something."""
    with ActingPyPI.run(act, at=at) as index, acting_source(release / "dist", index.count, at=0) as source:
        source.act_always = True
        config = IndexConfig(
            url=index.simple_url,
            upload_url=index.upload_url,
            token=FileSecret(file=release / "token.txt"),
        )
        route = Route(source=Remote("here", ListingConfig(url=source.url)), sinks=[Remote("index", config)])
        yield route, index


def require_published(index, release):
    """Compare the index with the release: the same bytes, each once, and the sdist last."""
    expected = {path.name: path.read_bytes() for path in (release / "dist").iterdir()}
    assert {name: file.content for name, file in index.files.items()} == expected
    accepted = [upload.filename for upload in index.uploads if upload.status == 200]
    assert accepted[-1].endswith(".tar.gz")


def test_all_files_are_published_once(clusters, release):
    cluster = clusters.engine()
    with both_sides(release, lambda: None, at=1) as (route, index):
        receipt = wheelrelay.relay(route, engine=cluster)
        assert receipt.count(Outcome.PUBLISHED) == WHEELS + 1
        require_published(index, release)
        assert len(index.uploads) == WHEELS + 1
        assert index.moments >= MOMENTS


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(number, marks=() if number == 12 else pytest.mark.long)
        for number in range(1, MOMENTS + 1)
    ],
)
def test_a_worker_killed_at_any_moment_costs_no_file(clusters, release, moment):
    cluster = clusters.engine()
    with both_sides(release, lambda: kill_one(cluster._client), at=moment) as (route, index):
        receipt = wheelrelay.relay(route, engine=cluster)
        assert index.moments >= moment
        assert receipt.is_complete
        require_published(index, release)
