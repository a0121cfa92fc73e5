"""Mirrors on real processes: all files arrive, also if a worker is killed."""

from collections import Counter

import pytest
from tests.servers.dask import acting_source, exiting, failing, kill_one, names_in, nothing, route_to

import wheelrelay
from wheelrelay.errors import ConfigError, WorkerLost
from wheelrelay.events import FileEnded, Planned, Step


def test_all_files_arrive_with_progress_of_the_whole(cluster, source, dist, tmp_path):
    events = []
    out = tmp_path / "out"
    receipt = wheelrelay.relay(route_to(out, source), engine=cluster, progress=events.append)
    assert names_in(out) == names_in(dist) == [file.filename for file in receipt.files]
    assert wheelrelay.check_index(str(out)) == []
    assert Counter(map(type, events))[Planned] == 1
    ended = [one.filename for one in events if isinstance(one, FileEnded) and one.step is Step.PUBLISH]
    assert sorted(ended) == names_in(dist)


def test_a_killed_worker_costs_no_file(cluster, dist, tmp_path):
    """The worker is killed at the fifth request for a file; Dask starts another one."""
    out = tmp_path / "out"
    before = set(cluster.workers())
    with acting_source(dist, lambda: kill_one(cluster._client), at=5) as source:
        receipt = wheelrelay.relay(route_to(out, source), engine=cluster)
        assert source.has_acted
    assert receipt.is_complete
    assert names_in(out) == names_in(dist)
    assert wheelrelay.check_index(str(out)) == []
    assert len(before - set(cluster.workers())) == 1


def a_worker(engine):
    """Return a worker, once there is one: Dask starts a new process for one that ended."""
    while not (workers := engine.workers()):
        engine._client.wait_for_workers(1, timeout=30)
    return min(workers)


def test_a_task_whose_worker_ends_fails_at_once(cluster):
    with pytest.raises(WorkerLost):
        cluster.submit(exiting, a_worker(cluster), print).result(timeout=30)


def test_an_error_of_a_task_arrives_with_its_hint(cluster):
    worker = a_worker(cluster)
    error = cluster.submit(failing, worker, print).exception(timeout=30)
    assert isinstance(error, ConfigError)
    assert error.hint == "Do it."
    assert cluster.submit(nothing, worker, print).result(timeout=30) is None
