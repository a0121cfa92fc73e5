"""Releases on real processes: killed at any moment, and never published in part where that can be known."""

import os
import shutil
from contextlib import contextmanager

import pytest
from tests.servers.dask import ActingPyPI, acting_source, explained_hang, kill_one

import wheelrelay
from wheelrelay import FileSecret, IndexConfig, ListingConfig, Remote, Route
from wheelrelay.errors import RelayFailed
from wheelrelay.events import Step, StepBegan
from wheelrelay.records import Outcome
from wheelrelay.testing import make_sdist, make_wheel

WHEELS = 6
ALL_STAGED = 8
"""Requests until all files are staged: one for the index page, and one for each file."""

MOMENTS = (2, 5, *range(ALL_STAGED, 13), 14, *range(16, 32, 2), 27, 29, 31)
"""Requests at which workers are killed; `test_killed_coordinators` has those for coordinators."""


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


def with_both_workers(cluster):
    """Return the engine once each killed worker was replaced."""
    cluster._client.wait_for_workers(2, timeout=60)
    return cluster


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
        yield route, index, source


def require_published(index, release):
    """Compare the index with the release: the same bytes, each once, and the sdist last."""
    expected = {path.name: path.read_bytes() for path in (release / "dist").iterdir()}
    assert {name: file.content for name, file in index.files.items()} == expected
    accepted = [upload.filename for upload in index.uploads if upload.status == 200]
    assert sorted(accepted) == sorted(expected)
    assert accepted[-1].endswith(".tar.gz")


def test_all_files_are_published_once(cluster, release):
    engine = with_both_workers(cluster)
    with both_sides(release, lambda: None, at=1) as (route, index, _):
        receipt = wheelrelay.relay(route, engine=engine)
        assert receipt.count(Outcome.PUBLISHED) == WHEELS + 1
        require_published(index, release)
        assert len(index.uploads) == WHEELS + 1
        assert index.moments >= max(MOMENTS)


@pytest.mark.parametrize(
    "moment", [pytest.param(number, marks=() if number == 12 else pytest.mark.long) for number in MOMENTS]
)
def test_a_worker_killed_at_any_moment_costs_no_file(cluster, release, moment):
    engine = with_both_workers(cluster)
    with both_sides(release, lambda: kill_one(cluster._client), at=moment) as (route, index, _):
        with explained_hang(cluster._client):
            receipt = wheelrelay.relay(route, engine=engine)
        assert index.moments >= moment
        assert receipt.is_complete
        require_published(index, release)


@pytest.mark.long
def test_a_file_that_changed_after_the_gate_is_not_published_by_another_worker(cluster, release, tmp_path):
    engine = with_both_workers(cluster)
    folder = tmp_path / "release"
    shutil.copytree(release, folder)

    began = []

    def change_and_kill(event):
        if isinstance(event, StepBegan) and event.step is Step.PUBLISH and not began:
            began.append(event)
            for path in (folder / "dist").glob("*.whl"):
                tag = path.stem.removeprefix("sample-1.0-")
                source.serve(f"/{path.name}", make_wheel(tmp_path, "sample", tag=tag, payload=b"other"))
            kill_one(engine._client)

    with both_sides(folder, lambda: None, at=1) as (route, index, source):
        with pytest.raises(RelayFailed, match="at the source now; the gate accepted"):
            wheelrelay.relay(route, engine=engine, progress=change_and_kill)
        for name, file in index.files.items():
            assert file.content == (folder / "dist" / name).read_bytes()
        assert not [name for name in index.sent() if name.endswith(".tar.gz")]
