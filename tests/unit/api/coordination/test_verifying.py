"""Verification on an engine: workers download, and this process compares and reports."""

import pickle

import pytest
from tests.unit.api.coordination.conftest import mirror_route
from tests.unit.api.coordination.test_mirroring import Unopened

import wheelrelay
from wheelrelay import DirectoryConfig, ListingConfig, Remote, Route
from wheelrelay.api.coordination.verifying import ReadBatch
from wheelrelay.errors import EngineFailed
from wheelrelay.events import Verified
from wheelrelay.testing import ThreadEngine


@pytest.fixture
def mirrored(dist, out):
    """A mirror with all files."""
    route = mirror_route(dist, out)
    wheelrelay.relay(route)
    return route


def batches_of(engine):
    return [task for task in map(pickle.loads, engine.tasks) if isinstance(task, ReadBatch)]


def damage(out, name):
    (out / name).write_bytes(b"PK" + (out / name).read_bytes()[2:-1] + b"!")


def described(findings):
    return [(finding.check, finding.filename, finding.message) for finding in findings]


def test_all_files_of_a_remote_are_verified(mirrored, engine, dist, out):
    events = []
    assert wheelrelay.verify(mirrored.sinks[0], engine=engine, progress=events.append) == []
    assert events[-1] == Verified(len(list(dist.iterdir())), 0, 0)
    assert sum(len(batch.files) for batch in batches_of(engine)) == len(list(dist.iterdir()))


def test_findings_are_those_of_a_run_without_an_engine(mirrored, engine, out):
    damage(out, "sample1-1.0.tar.gz")
    damage(out, "sample4-1.0.tar.gz")
    found = wheelrelay.verify(mirrored.sinks[0], engine=engine)
    assert {finding.filename for finding in found} == {"sample1-1.0.tar.gz", "sample4-1.0.tar.gz"}
    assert sorted(described(found)) == sorted(described(wheelrelay.verify(mirrored.sinks[0])))


def test_files_of_a_sink_are_downloaded_by_workers(mirrored, engine, out):
    damage(out, "sample1-1.0.tar.gz")
    (out / "sample2-1.0.tar.gz").unlink()
    found = wheelrelay.verify(mirrored, engine=engine, download=True)
    assert {finding.filename for finding in found} == {"sample1-1.0.tar.gz", "sample2-1.0.tar.gz"}
    assert sorted(described(found)) == sorted(described(wheelrelay.verify(mirrored, download=True)))


def test_digests_alone_need_no_engine(mirrored):
    assert wheelrelay.verify(mirrored, engine=Unopened()) == []


def test_files_of_a_source_without_digests_are_hashed_by_workers(mirrored, engine, dist, out, web):
    web.serve_folder(dist)
    route = Route(source=ListingConfig(url=web.url), sinks=mirrored.sinks, mode="mirror")
    assert wheelrelay.verify(route, engine=engine) == []
    assert sum(len(batch.files) for batch in batches_of(engine)) == len(list(dist.iterdir()))
    damage(out, "sample1-1.0.tar.gz")
    assert {finding.filename for finding in wheelrelay.verify(route, engine=engine)} == {"sample1-1.0.tar.gz"}


def test_a_state_file_is_kept_by_this_process(mirrored, engine, tmp_path):
    state = tmp_path / "state.json"
    assert wheelrelay.verify(mirrored.sinks[0], engine=engine, state=state) == []
    assert wheelrelay.verify(mirrored.sinks[0], engine=Unopened(), state=state) == []


def test_a_read_only_remote_is_verified(dist, engine, web):
    web.serve_folder(dist)
    assert wheelrelay.verify(ListingConfig(url=web.url), engine=engine) == []
    assert batches_of(engine)


def test_batches_of_a_lost_worker_are_repeated(mirrored, engine, out):
    lost = []

    def lose_once(worker, task):
        if isinstance(task, ReadBatch) and not lost:
            lost.append(worker)
            engine.lose(worker)

    engine.on_submit = lose_once
    damage(out, "sample1-1.0.tar.gz")
    found = wheelrelay.verify(mirrored.sinks[0], engine=engine)
    assert [finding.filename for finding in found] == ["sample1-1.0.tar.gz"]
    assert lost


def test_an_engine_that_fails_is_an_error(mirrored):
    with ThreadEngine(2) as engine:
        engine.on_submit = lambda _, task: (
            engine.fail("The scheduler was lost.") if isinstance(task, ReadBatch) else None
        )
        with pytest.raises(EngineFailed, match="The scheduler was lost"):
            wheelrelay.verify(mirrored.sinks[0], engine=engine)


def test_a_shared_directory_is_verified_by_other_machines(mirrored, out):
    remote = Remote("there", DirectoryConfig(path=out, shared=True))
    with ThreadEngine(2, spans_machines=True) as engine:
        assert wheelrelay.verify(remote, engine=engine) == []
        with pytest.raises(wheelrelay.ConfigError, match="is a place on this machine"):
            wheelrelay.verify(mirrored.sinks[0], engine=engine)
