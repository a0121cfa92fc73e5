"""A release on an engine: workers stage and publish, and one gate decides over all files."""

import json
import pickle
from collections import Counter

import pytest
from tests.servers.pypi import TOKEN
from tests.servers.pypi_troubles import Trouble
from tests.unit.api.coordination.conftest import names_in
from tests.unit.api.coordination.test_mirroring import Threads, Unopened

import wheelrelay
from wheelrelay import DirectoryConfig, IndexConfig, ListingConfig, Remote, Route
from wheelrelay.api.coordination import held_files
from wheelrelay.api.coordination.release_tasks import DropFiles, PublishFiles, StageFiles
from wheelrelay.errors import CheckFailed, Conflict, Incomplete, IntegrityError, RelayFailed
from wheelrelay.events import BytesMoved, FileEnded, Step, StepBegan
from wheelrelay.records import Outcome
from wheelrelay.testing import ThreadEngine, make_sdist, make_wheel

WHEELS = [f"sample-1.0-cp3{minor}-cp3{minor}-manylinux_2_28_x86_64.whl" for minor in range(9, 15)]
SDIST = "sample-1.0.tar.gz"


@pytest.fixture
def dist(tmp_path):
    """A release of six wheels and an sdist."""
    for name in WHEELS:
        make_wheel(tmp_path / "dist", "sample", tag="-".join(name.removesuffix(".whl").split("-")[2:]))
    make_sdist(tmp_path / "dist")
    return tmp_path / "dist"


@pytest.fixture
def source(dist, web):
    """A listing of the release: its files have to be downloaded."""
    web.serve_folder(dist)
    return web


@pytest.fixture(autouse=True)
def _no_files_of_lost_workers():
    """Remove what workers hold that a test has ended: they are threads of this process."""
    yield
    for release in list(held_files._releases):
        held_files.drop_release(release)


@pytest.fixture
def engine():
    with ThreadEngine(3) as engine:
        yield engine
    assert held_files._releases == {}


def route_from(source, *sinks, **keys):
    sinks = [
        Remote(f"there{number}", DirectoryConfig(path=sink, pages=True)) for number, sink in enumerate(sinks)
    ]
    return Route(source=Remote("here", ListingConfig(url=source.url)), sinks=sinks, **keys)


def tasks_of(engine, kind):
    return [task for task in map(pickle.loads, engine.tasks) if isinstance(task, kind)]


def on_task(engine, kind, act, *, at=1):
    """Call a function with the worker and the task before one of the tasks of a kind is submitted."""
    count = [0]

    def on_submit(worker, task):
        if isinstance(task, kind):
            count[0] += 1
            if count[0] == at:
                act(worker, task)

    engine.on_submit = on_submit


def test_all_files_are_published_by_the_workers_that_hold_them(source, engine, dist, tmp_path):
    out = tmp_path / "out"
    receipt = wheelrelay.relay(route_from(source, out), engine=engine)
    assert receipt.is_complete
    assert receipt.mode == "release"
    assert names_in(out) == names_in(dist)
    assert [(out / name).read_bytes() == (dist / name).read_bytes() for name in names_in(dist)] == [True] * 7
    assert wheelrelay.check_index(str(out)) == []
    requests = Counter(path for path in source.paths() if path.endswith((".whl", ".gz")))
    assert set(requests.values()) == {1}  # the bytes have stayed with the workers


def test_nothing_to_publish_needs_no_engine(engine, dist, tmp_path):
    route = Route(source=str(dist), sinks=[str(tmp_path / "out")])
    wheelrelay.relay(route, engine=engine)
    assert wheelrelay.relay(route, engine=Unopened()).count(Outcome.SKIPPED) == 7


def test_the_sdist_comes_after_all_wheels(source, engine, tmp_path):
    order = []
    engine.on_submit = lambda _, task: order.extend(task.accepted if isinstance(task, PublishFiles) else ())
    wheelrelay.relay(route_from(source, tmp_path / "out"), engine=engine)
    assert sorted(order[:-1]) == sorted(WHEELS)
    assert order[-1] == SDIST


def test_sinks_follow_each_other_and_each_file_is_downloaded_once(source, engine, dist, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    receipt = wheelrelay.relay(route_from(source, one, two), engine=engine)
    assert receipt.is_complete
    assert names_in(one) == names_in(two) == names_in(dist)
    sinks = [task.sink for task in tasks_of(engine, PublishFiles)]
    assert sinks == sorted(sinks)
    assert max(Counter(source.paths())[f"/{name}"] for name in names_in(dist)) == 1


def test_workers_keep_nothing_at_the_end(source, engine, tmp_path):
    wheelrelay.relay(route_from(source, tmp_path / "out"), engine=engine)
    assert tasks_of(engine, DropFiles)
    assert held_files._releases == {}


def test_progress_has_the_steps_of_the_whole(source, engine, dist, tmp_path):
    events = []
    wheelrelay.relay(route_from(source, tmp_path / "out"), engine=engine, progress=events.append)
    steps = [(event.step, event.files) for event in events if isinstance(event, StepBegan)]
    assert steps[0] == (Step.STAGE, 7)
    assert [step for step in steps if step[0] is Step.PUBLISH] == [(Step.PUBLISH, 6), (Step.PUBLISH, 1)]
    for step in (Step.STAGE, Step.PUBLISH):
        ended = [one.filename for one in events if isinstance(one, FileEnded) and one.step is step]
        assert sorted(ended) == names_in(dist)
    total = sum(path.stat().st_size for path in dist.iterdir())
    assert (
        sum(one.count for one in events if isinstance(one, BytesMoved) and one.step is Step.PUBLISH) == total
    )


def test_one_bad_file_keeps_all_others_from_being_published(source, engine, dist, tmp_path):
    bad = make_wheel(tmp_path / "bad", "sample", tag="cp315-cp315-win_amd64", metadata={"Name": "other"})
    source.serve_folder(dist)
    (dist / bad.name).write_bytes(bad.read_bytes())
    source.serve_folder(dist)
    with pytest.raises(CheckFailed) as caught:
        wheelrelay.relay(route_from(source, tmp_path / "out"), engine=engine)
    assert {finding.filename for finding in caught.value.findings} == {bad.name}
    assert tasks_of(engine, PublishFiles) == []
    assert not (tmp_path / "out").exists()


def test_damaged_files_of_several_workers_are_reported_together(source, engine, tmp_path):
    for name in (WHEELS[0], WHEELS[5]):
        source.serve(f"/{name}", b"PK damaged")
    with pytest.raises(IntegrityError) as caught:
        wheelrelay.relay(
            route_from(source, tmp_path / "out"), engine=Threads(engine=ThreadEngine(3), batch_files=1)
        )
    assert WHEELS[0] in str(caught.value)
    assert WHEELS[5] in str(caught.value)


def test_a_conflict_and_a_missing_file_are_refused(source, engine, dist, tmp_path):
    make_wheel(tmp_path / "out", "sample", tag="cp39-cp39-manylinux_2_28_x86_64", payload=b"other")
    with pytest.raises(Conflict):
        wheelrelay.relay(route_from(source, tmp_path / "out"), engine=engine)
    with pytest.raises(Incomplete):
        wheelrelay.relay(route_from(source, tmp_path / "new", expect={"count": 8}), engine=engine)
    assert tasks_of(engine, PublishFiles) == []


def test_a_release_that_is_not_approved_is_not_published(source, engine, tmp_path):
    with pytest.raises(wheelrelay.ReleaseRefused):
        wheelrelay.relay(route_from(source, tmp_path / "out"), engine=engine, approve=lambda _: False)
    assert tasks_of(engine, PublishFiles) == []


def test_an_upload_form_that_cannot_be_made_is_refused_before_any_upload(engine, dist, web, pypi):
    make_wheel(dist, "sample", tag="cp315-cp315-win_amd64", metadata={"Name": ""})
    web.serve_folder(dist)
    config = IndexConfig(url=pypi.simple_url, upload_url=pypi.upload_url, checks={"profile": "storage"})
    route = Route(source=ListingConfig(url=web.url), sinks=[Remote("warehouse", config)])
    with pytest.raises(wheelrelay.ReleaseRefused):
        wheelrelay.relay(route, engine=engine)
    assert tasks_of(engine, PublishFiles) == []


def test_an_index_gets_all_files_and_no_task_has_its_token(engine, source, pypi, monkeypatch):
    monkeypatch.setenv("FARM_TOKEN", TOKEN)
    config = IndexConfig(url=pypi.simple_url, upload_url=pypi.upload_url, token={"env": "FARM_TOKEN"})
    route = Route(source=ListingConfig(url=source.url), sinks=[Remote("warehouse", config)])
    assert wheelrelay.relay(route, engine=engine).is_complete
    assert [task for task in engine.tasks if b"open-sesame" in task] == []
    assert sum(b"FARM_TOKEN" in task for task in engine.tasks) >= 5


def test_a_worker_without_the_secret_is_refused_before_anything_is_published(
    source, pypi, tmp_path, monkeypatch
):
    monkeypatch.setenv("FARM_TOKEN", TOKEN)
    config = IndexConfig(url=pypi.simple_url, upload_url=pypi.upload_url, token={"env": "FARM_TOKEN"})
    route = Route(source=ListingConfig(url=source.url), sinks=[Remote("warehouse", config)])

    class Forgetful(ThreadEngine):
        def submit(self, task, worker, report):
            monkeypatch.delenv("FARM_TOKEN", raising=False)
            return super().submit(task, worker, report)

    with Forgetful(2) as engine, pytest.raises(wheelrelay.MissingSecret, match="worker-"):
        wheelrelay.relay(route, engine=engine)


@pytest.mark.parametrize("at", range(1, 5))
def test_files_of_a_worker_lost_while_staging_are_staged_again(source, dist, tmp_path, at):
    with ThreadEngine(3) as engine:
        on_task(engine, StageFiles, lambda worker, _: engine.lose(worker), at=at)
        config = wheelrelay.relay(route_from(source, tmp_path / "out"), engine=engine)
    assert config.is_complete
    assert names_in(tmp_path / "out") == names_in(dist)


@pytest.mark.parametrize("at", range(1, 4))
@pytest.mark.parametrize("has_sent", [False, True])
def test_files_of_a_worker_lost_while_publishing_are_looked_for_and_staged_again(
    source, dist, tmp_path, at, has_sent
):
    out = tmp_path / "out"
    saved = []

    def lose(worker, task):
        saved.append(json.loads((tmp_path / "receipt.json").read_bytes()))
        if has_sent:
            task(lambda _: None)
        engine.lose(worker)

    with ThreadEngine(3) as engine:
        on_task(engine, PublishFiles, lose, at=at)
        receipt = wheelrelay.relay(route_from(source, out), engine=engine, receipt=tmp_path / "receipt.json")
    assert receipt.is_complete
    assert names_in(out) == names_in(dist)
    (before,) = saved
    sending = {
        file["filename"] for file in before["files"] if file["sinks"]["there0"]["outcome"] == "unconfirmed"
    }
    lost = tasks_of(engine, PublishFiles)[at - 1]
    assert set(lost.accepted) <= sending  # the receipt had it before the worker
    assert wheelrelay.check_index(str(out)) == []


def test_a_file_that_changed_at_the_source_after_the_gate_is_not_published(source, dist, tmp_path):
    out = tmp_path / "out"

    def lose(worker, task):
        for name in task.accepted:
            source.serve(f"/{name}", make_other(tmp_path, name))
        engine.lose(worker)

    with ThreadEngine(2) as engine:
        on_task(engine, PublishFiles, lose)
        with pytest.raises(RelayFailed, match="at the source now; the gate accepted") as caught:
            wheelrelay.relay(route_from(source, out), engine=engine)
    changed = {
        file.filename for file in caught.value.receipt.files if file.sinks["there0"].outcome is Outcome.FAILED
    }
    assert changed
    assert changed.isdisjoint(names_in(out))


def make_other(folder, name):
    """Return another wheel of the same name."""
    tag = "-".join(name.removesuffix(".whl").split("-")[2:])
    return make_wheel(folder / "other", "sample", tag=tag, payload=b"other").read_bytes()


def test_no_further_upload_begins_after_a_failure(dist, web, pypi, engine, monkeypatch):
    """The index refuses the first file; what is on its way at that moment may still arrive."""
    monkeypatch.setenv("FARM_TOKEN", TOKEN)
    for minor in range(20, 60):
        make_wheel(dist, "sample", tag=f"cp3{minor}-cp3{minor}-manylinux_2_28_x86_64")
    web.serve_folder(dist)
    config = IndexConfig(url=pypi.simple_url, upload_url=pypi.upload_url, token={"env": "FARM_TOKEN"})
    route = Route(source=ListingConfig(url=web.url), sinks=[Remote("warehouse", config)])
    for path in dist.iterdir():
        pypi.trouble(path.name, Trouble(status=400, words="The name is too similar to another."))
    with pytest.raises(RelayFailed) as caught:
        wheelrelay.relay(route, engine=engine, jobs=1)
    outcomes = Counter(file.sinks["warehouse"].outcome for file in caught.value.receipt.files)
    assert outcomes[Outcome.PENDING] > 20
    assert outcomes[Outcome.FAILED] <= 6


def test_a_scheduler_that_ends_leaves_a_receipt_and_a_second_run_completes(source, dist, tmp_path):
    out = tmp_path / "out"
    with ThreadEngine(2) as engine:
        on_task(engine, PublishFiles, lambda *_: engine.fail("The scheduler was lost."), at=2)
        with pytest.raises(RelayFailed, match="The scheduler was lost"):
            wheelrelay.relay(route_from(source, out), engine=engine)
    assert wheelrelay.relay(route_from(source, out), engine=Threads()).is_complete
    assert names_in(out) == names_in(dist)


def test_signatures_are_made_by_workers_and_survive_their_loss(source, dist, tmp_path, keyring):
    out = tmp_path / "out"
    keyring.new_key("Releases <releases@example.org>")
    with ThreadEngine(2) as engine:
        on_task(engine, PublishFiles, lambda worker, _: engine.lose(worker))
        options = wheelrelay.PublishOptions(sign=True)
        assert wheelrelay.relay(route_from(source, out), engine=engine, options=options).is_complete
    assert sorted(path.name for path in out.glob("*.asc")) == [f"{name}.asc" for name in names_in(dist)]
