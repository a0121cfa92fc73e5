"""A mirror on an engine: workers move batches, and this process plans, records and writes the pages."""

import json
import pickle
from collections import Counter

import pytest
from pydantic import ConfigDict
from tests.servers.pypi import TOKEN
from tests.unit.api.coordination.conftest import mirror_route, names_in

import wheelrelay
from wheelrelay import DirectoryConfig, EngineConfig, IndexConfig, PublishOptions, Remote, Route
from wheelrelay.api.coordination.tasks import Admission, MirrorBatch
from wheelrelay.errors import ConfigError, EngineFailed, RelayFailed
from wheelrelay.events import BytesMoved, FileEnded, Planned, Step, StepBegan, StepEnded
from wheelrelay.model import Shard
from wheelrelay.records import Outcome
from wheelrelay.testing import ThreadEngine, make_wheel


class Unopened(EngineConfig):
    """An engine that must not be opened."""

    type: str = "unopened"

    def open(self):
        raise AssertionError


class Threads(EngineConfig):
    """The configuration of an engine of threads, which is entered when a relay opens it."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    type: str = "threads"
    engine: ThreadEngine = ThreadEngine(2)

    def open(self):
        return self.engine


def batches_of(engine):
    return [task for task in map(pickle.loads, engine.tasks) if isinstance(task, MirrorBatch)]


def on_batch(engine, act):
    """Call a function with the worker and the batch before each batch is submitted."""
    engine.on_submit = lambda worker, task: act(worker, task) if isinstance(task, MirrorBatch) else None


def test_all_files_arrive_and_the_pages_list_them(route, engine, dist, out):
    receipt = wheelrelay.relay(route, engine=engine)
    assert names_in(out) == names_in(dist) == [file.filename for file in receipt.files]
    assert receipt.count(Outcome.PUBLISHED) == len(receipt.files)
    assert {file.sha256 is None for file in receipt.files} == {False}
    assert wheelrelay.check_index(str(out)) == []
    moved = sorted(planned.file.filename for batch in batches_of(engine) for planned in batch.files)
    assert moved == names_in(dist)


def test_the_result_is_that_of_a_relay_without_an_engine(route, engine, dist, out, tmp_path):
    divided = wheelrelay.relay(route, engine=engine)
    plain = wheelrelay.relay(mirror_route(dist, tmp_path / "plain"))

    def described(receipt):
        return [
            (file.filename, file.sha256, file.size, file.sinks["there"].outcome) for file in receipt.files
        ]

    assert described(divided) == described(plain)
    pages = ["index.html", "simple/index.html", "simple/sample0/index.html"]
    assert [(out / page).read_bytes() for page in pages] == [
        (tmp_path / "plain" / page).read_bytes() for page in pages
    ]


def test_progress_is_that_of_the_whole(route, engine, dist):
    events = []
    wheelrelay.relay(route, engine=engine, progress=events.append)
    counts = Counter(map(type, events))
    assert (counts[Planned], counts[StepBegan], counts[StepEnded]) == (1, 1, 1)
    (began,) = [event for event in events if isinstance(event, StepBegan)]
    sizes = {path.name: path.stat().st_size for path in dist.iterdir()}
    assert (began.step, began.files, began.size) == (Step.PUBLISH, len(sizes), sum(sizes.values()))
    ended = [
        event.filename for event in events if isinstance(event, FileEnded) and event.step is Step.PUBLISH
    ]
    assert sorted(ended) == sorted(sizes)
    moved = Counter()
    for event in events:
        if isinstance(event, BytesMoved) and event.step is Step.PUBLISH:
            moved[event.filename] += event.count
    assert moved == sizes


def test_nothing_to_do_needs_no_engine(route, engine):
    wheelrelay.relay(route, engine=engine)
    receipt = wheelrelay.relay(route, engine=Unopened())
    assert receipt.count(Outcome.SKIPPED) == len(receipt.files)


def test_configuration_limits_the_files_of_a_batch(route):
    opened = ThreadEngine(2)
    wheelrelay.relay(route, engine=Threads(engine=opened, batch_files=2))
    assert max(len(batch.files) for batch in batches_of(opened)) == 2


@pytest.mark.parametrize(
    ("jobs", "limit", "expected"), [(None, None, None), (3, None, 3), (8, 12, 2), (1, 12, 1)]
)
def test_connections_of_all_batches_stay_below_the_limit(route, jobs, limit, expected):
    opened = ThreadEngine(3)
    wheelrelay.relay(route, engine=Threads(engine=opened, batch_files=1, host_limit=limit), jobs=jobs)
    assert {batch.jobs for batch in batches_of(opened)} == {expected}


def test_a_limit_below_the_number_of_workers_holds(route):
    running, most = set(), []

    class Counting(ThreadEngine):
        def submit(self, task, worker, report):
            future = super().submit(task, worker, report)
            if isinstance(task, MirrorBatch):
                running.add(future)
                most.append(sum(not one.done() for one in running))
            return future

    config = Threads(engine=Counting(3), batch_files=1, host_limit=2)
    receipt = wheelrelay.relay(route, engine=config)
    assert receipt.is_complete
    assert max(most) == 2


def test_tasks_contain_references_and_no_secret(engine, dist, monkeypatch, pypi):
    monkeypatch.setenv("FARM_TOKEN", TOKEN)
    config = IndexConfig(
        url=pypi.simple_url, upload_url=pypi.upload_url, token=wheelrelay.EnvSecret(env="FARM_TOKEN")
    )
    route = Route(source=str(dist), sinks=[Remote("warehouse", config)], mode="mirror", projects=["sample1"])
    wheelrelay.relay(route, engine=engine, options=PublishOptions(confirm_timeout=5))
    assert len(engine.tasks) > 3
    for task in engine.tasks:
        assert b"FARM_TOKEN" in task
        assert b"open-sesame" not in task
        assert b"open-sesame".hex().encode() not in task


def test_a_bad_file_is_reported_and_the_others_arrive(engine, dist, out, tmp_path):
    bad = tmp_path / "bad"
    bad.mkdir()
    for path in dist.iterdir():
        (bad / path.name).symlink_to(path)
    (bad / "sample9-1.0-py3-none-any.whl").write_bytes(b"PK no archive")
    with pytest.raises(RelayFailed, match="there has 12 of 13 files") as caught:
        wheelrelay.relay(mirror_route(bad, out), engine=engine)
    outcomes = {file.filename: file.sinks["there"] for file in caught.value.receipt.files}
    assert outcomes.pop("sample9-1.0-py3-none-any.whl").lasting
    assert {delivery.outcome for delivery in outcomes.values()} == {Outcome.PUBLISHED}
    assert names_in(out) == names_in(dist)
    assert wheelrelay.check_index(str(out)) == []


def test_the_batch_of_a_lost_worker_is_repeated_after_a_look_at_the_sink(route, engine, dist, out):
    lost = []

    def lose_once(worker, _):
        if not lost:
            lost.append(worker)
            engine.lose(worker)

    on_batch(engine, lose_once)
    receipt = wheelrelay.relay(route, engine=engine)
    assert names_in(out) == names_in(dist)
    assert receipt.is_complete
    assert [batch.reads_sinks for batch in batches_of(engine)].count(True) == 1


def test_files_that_a_lost_worker_has_sent_are_not_sent_again(route, engine, dist, out):
    wheelrelay.relay(route, engine=engine)
    before = {path: path.stat().st_mtime_ns for path in out.glob("sample*")}
    (out / "sample1-1.0.tar.gz").unlink()
    first = []

    def arrive_and_lose(worker, task):
        if not first:
            first.append(worker)
            task(lambda _: None)  # its files arrive, and nobody hears of it
            engine.lose(worker)

    engine.tasks.clear()
    on_batch(engine, arrive_and_lose)
    receipt = wheelrelay.relay(route, engine=engine)
    assert receipt.is_complete
    assert receipt.count(Outcome.PUBLISHED) == 0  # by the last worker, which read the sink
    assert {path: path.stat().st_mtime_ns for path in before if "sample1-1.0.tar" not in path.name} == {
        path: time for path, time in before.items() if "sample1-1.0.tar" not in path.name
    }


def test_files_that_crash_every_worker_fail_and_the_others_arrive(route, dist, out):
    opened = ThreadEngine(6)
    poison = "sample3-1.0.tar.gz"

    def crash(worker, batch):
        if any(planned.file.filename == poison for planned in batch.files):
            opened.lose(worker)

    on_batch(opened, crash)
    with pytest.raises(RelayFailed, match="3 workers were lost one after the other") as caught:
        wheelrelay.relay(route, engine=Threads(engine=opened, batch_files=1))
    outcomes = {file.filename: file.sinks["there"].outcome for file in caught.value.receipt.files}
    assert outcomes.pop(poison) is Outcome.UNCONFIRMED
    assert set(outcomes.values()) <= {Outcome.PUBLISHED, Outcome.SKIPPED}
    assert wheelrelay.check_index(str(out)) == []


def test_an_engine_that_fails_leaves_a_receipt_and_a_second_run_completes(route, engine, dist, out, tmp_path):
    on_batch(engine, lambda *_: engine.fail("The scheduler was lost."))
    path = tmp_path / "receipt.json"
    with pytest.raises(RelayFailed, match=r"^The scheduler was lost: there has 0 of 12 files") as caught:
        wheelrelay.relay(route, engine=engine, receipt=path)
    assert caught.value.hint == "Run the same command again to complete it."
    saved = [file["sinks"]["there"] for file in json.loads(path.read_bytes())["files"]]
    assert any(delivery["reason"] == "It was being sent." for delivery in saved)
    assert wheelrelay.relay(route, engine=Threads()).is_complete
    assert names_in(out) == names_in(dist)


def test_an_engine_without_workers_is_an_error_before_anything_is_sent(route, out):
    with ThreadEngine(0) as engine:
        engine.fail("The scheduler at tls://scheduler:8786 has no workers.")
        with pytest.raises(EngineFailed, match="has no workers"):
            wheelrelay.relay(route, engine=engine)
    assert not out.exists() or names_in(out) == []


def test_a_worker_with_other_versions_is_refused(route, out):
    class Old(ThreadEngine):
        def submit(self, task, worker, report):
            future = super().submit(task, worker, report)
            if isinstance(task, Admission):
                future.result().update({"wheelrelay": "0.0.1", "wheelrelay-s3": "3"})
            return future

    with Old(2) as engine, pytest.raises(ConfigError) as caught:
        wheelrelay.relay(route, engine=engine)
    assert "worker-" in str(caught.value)
    version = wheelrelay.__version__
    assert f"has wheelrelay 0.0.1 instead of {version}, wheelrelay-s3 3 instead of (none)" in str(
        caught.value
    )
    assert names_in(out) == []


def test_a_connected_backend_is_refused(dist, out, engine):
    with DirectoryConfig(path=dist).open() as source:
        route = Route(source=source, sinks=[DirectoryConfig(path=out)], mode="mirror")
        with pytest.raises(ConfigError, match="cannot be sent to the workers"):
            wheelrelay.relay(route, engine=engine)


def test_a_local_directory_is_refused_on_other_machines_unless_it_is_declared_shared(dist, out):
    sources = {
        shared: Route(
            source=Remote("here", DirectoryConfig(path=dist, shared=shared)),
            sinks=[Remote("there", DirectoryConfig(path=out, shared=True))],
            mode="mirror",
        )
        for shared in (False, True)
    }
    with ThreadEngine(2, spans_machines=True) as engine:
        with pytest.raises(ConfigError, match="'here' is a place on this machine") as caught:
            wheelrelay.relay(sources[False], engine=engine)
        assert "shared = true" in str(caught.value)
        assert wheelrelay.relay(sources[True], engine=engine).is_complete


def test_relative_paths_mean_the_same_for_workers(dist, out, engine, monkeypatch, tmp_path):
    monkeypatch.chdir(dist.parent)
    wheelrelay.relay(mirror_route("dist", out), engine=engine)
    (path,) = {batch.circumstances.route.source.config.path for batch in batches_of(engine)}
    assert path == dist


def test_attestations_are_refused(dist, pypi, engine):
    config = IndexConfig(url=pypi.simple_url, upload_url=pypi.upload_url, attest=True)
    route = Route(source=str(dist), sinks=[Remote("warehouse", config)], mode="mirror")
    with pytest.raises(ConfigError, match="attestations"):
        wheelrelay.relay(route, engine=engine)


def test_a_shard_is_divided_among_workers(route, engine, dist):
    receipt = wheelrelay.relay(route, engine=engine, shard=(1, 2))
    shard = Shard(1, 2)
    assert [file.filename for file in receipt.files] == [
        name for name in names_in(dist) if shard.includes(name.split("-")[0])
    ]


def test_what_upstream_lists_is_recorded(engine, out, tmp_path, web):
    """An index knows upload times; pages of the mirror list them."""
    wheel = make_wheel(tmp_path, "sample0")
    web.serve("/files/" + wheel.name, wheel.read_bytes())
    entry = {
        "filename": wheel.name,
        "url": web.url + "files/" + wheel.name,
        "hashes": {},
        "upload-time": "2026-01-02T03:04:05Z",
    }
    page = {"meta": {"api-version": "1.1"}, "name": "sample0", "versions": ["1.0"], "files": [entry]}
    content_type = "application/vnd.pypi.simple.v1+json"
    web.serve("/simple/sample0/", json.dumps(page), content_type=content_type)
    source = Remote("upstream", IndexConfig(url=web.url + "simple/"))
    sink = Remote("there", DirectoryConfig(path=out, pages=True))
    route = Route(source=source, sinks=[sink], mode="mirror", projects=["sample0"])
    assert wheelrelay.relay(route, engine=engine).is_complete
    (listed,) = json.loads((out / "simple/sample0/index.json").read_bytes())["files"]
    assert listed["upload-time"].startswith("2026-01-02T03:04:05")
