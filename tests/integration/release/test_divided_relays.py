"""A mirror is divided into several relays whose results are put together."""

import os
import pickle
import subprocess
import sys

import pytest

import wheelrelay
from wheelrelay import (
    ConfigError,
    DirectoryConfig,
    NothingMatched,
    PublishOptions,
    Receipt,
    Remote,
    Route,
    Selection,
    Shard,
)
from wheelrelay.testing import make_sdist, make_wheel

PROJECTS = ("alpha", "beta", "gamma", "delta")


@pytest.fixture
def upstream(tmp_path):
    """A directory with a wheel and an sdist of each project."""
    for name in PROJECTS:
        make_wheel(tmp_path / "upstream", name, "1.0")
        make_sdist(tmp_path / "upstream", name, "1.0")
    return tmp_path / "upstream"


@pytest.fixture
def mirror(tmp_path):
    """A container with pages."""
    return Remote("mirror", DirectoryConfig(path=tmp_path / "mirror", pages=True))


@pytest.fixture
def route(upstream, mirror):
    return Route(source=str(upstream), sinks=[mirror], mode="mirror")


def listed(mirror):
    return sorted(path.parent.name for path in mirror.config.path.glob("simple/*/index.html"))


class TestDeferredPages:
    def test_relay_leaves_the_pages_and_one_writer_updates_them(self, route, mirror):
        options = PublishOptions(finalize=False)
        receipts = [wheelrelay.relay(route, [name], options=options) for name in PROJECTS]
        assert all(receipt.is_complete for receipt in receipts)
        assert listed(mirror) == []
        merged = Receipt.merged(receipts)
        assert merged.projects("mirror") == tuple(sorted(PROJECTS))
        wheelrelay.index(mirror, merged.projects("mirror"))
        assert listed(mirror) == sorted(PROJECTS)
        assert wheelrelay.check_index(mirror) == []

    def test_failed_relay_leaves_the_pages_too(self, route, mirror, upstream):
        (upstream / "alpha-1.0-py3-none-any.whl").write_bytes(b"This is not a wheel.")
        with pytest.raises(wheelrelay.RelayFailed) as caught:
            wheelrelay.relay(route, options=PublishOptions(finalize=False))
        assert listed(mirror) == []
        receipt = pickle.loads(pickle.dumps(caught.value)).receipt
        wheelrelay.index(mirror, receipt.projects("mirror"))
        assert wheelrelay.check_index(mirror) == []

    def test_push_leaves_the_pages_on_request(self, upstream, mirror):
        receipt = wheelrelay.push([upstream], mirror, options=PublishOptions(finalize=False))
        assert listed(mirror) == []
        wheelrelay.index(mirror, receipt.projects("mirror"))
        assert wheelrelay.check_index(mirror) == []

    def test_names_of_projects_may_have_any_spelling(self, upstream, mirror):
        make_wheel(upstream, "Some.Name", "1.0")
        wheelrelay.push([upstream], mirror, options=PublishOptions(finalize=False))
        wheelrelay.index(mirror, ["Some.Name", *PROJECTS])
        assert "some-name" in listed(mirror)
        assert wheelrelay.check_index(mirror) == []

    def test_container_without_pages_stays_without(self, upstream, tmp_path):
        wheelrelay.push([upstream], str(tmp_path / "plain"), options=PublishOptions(finalize=False))
        wheelrelay.index(str(tmp_path / "plain"), ["alpha"])
        assert not (tmp_path / "plain" / "simple").exists()


def names(receipt):
    return sorted({file.project for file in receipt.files})


class TestNarrowedSelections:
    def test_only_these_projects_are_relayed(self, route, upstream):
        make_wheel(upstream, "beta", "1.1rc1")
        narrowed = route.selection().within(["Beta", "delta"])
        assert narrowed.projects() == ("beta", "delta")
        receipt = wheelrelay.relay(route, selection=pickle.loads(pickle.dumps(narrowed)))
        assert names(receipt) == ["beta", "delta"]
        assert "beta-1.1rc1-py3-none-any.whl" in {file.filename for file in receipt.files}

    def test_requirements_and_patterns_still_apply(self, route, upstream):
        make_wheel(upstream, "beta", "2.0")
        narrowed = route.selection(["alpha", "beta<2", "gamma"]).within(["beta"])
        assert narrowed.projects() == ("beta",)
        assert {file.version for file in wheelrelay.relay(route, selection=narrowed).files} == {"1.0"}

    def test_narrowing_twice_takes_what_both_name(self):
        assert Selection().within(["a", "b"]).within(["B", "c"]).projects() == ("b",)
        assert Selection().within(["a"]).within(["b"]).is_empty

    def test_selection_without_projects_is_an_error_and_not_everything(self, route):
        for selection in (
            Selection().within([]),
            route.selection(["alpha"]).within(["beta"]),
            Selection(files=()),
        ):
            with pytest.raises(NothingMatched):
                wheelrelay.relay(route, selection=selection)

    def test_requirements_and_selection_exclude_each_other(self, route):
        with pytest.raises(ConfigError, match="cannot be used together"):
            wheelrelay.relay(route, ["alpha"], selection=Selection())


class TestGivenFiles:
    def test_exactly_these_files_are_relayed(self, route, upstream):
        files = [file for file in wheelrelay.list_files(str(upstream)) if file.project in ("alpha", "beta")]
        batch = pickle.loads(pickle.dumps(Selection(files=tuple(files[:3]))))
        receipt = wheelrelay.relay(route, selection=batch)
        assert receipt.is_complete
        assert [file.filename for file in receipt.files] == sorted(file.filename for file in files[:3])

    def test_source_is_not_listed(self, mirror, open_pypiserver, web):
        make_wheel(open_pypiserver.folder, "alpha", "1.0")
        source = wheelrelay.IndexConfig(url=open_pypiserver.simple_url)
        files = wheelrelay.list_files(source, ["alpha"])
        unlisted = wheelrelay.IndexConfig(url="http://127.0.0.1:9/simple/")
        receipt = wheelrelay.relay(
            Route(source=unlisted, sinks=[mirror], mode="mirror"), selection=Selection(files=tuple(files))
        )
        assert receipt.is_complete

    def test_release_still_has_one_version_of_each_project(self, upstream, mirror):
        make_wheel(upstream, "alpha", "2.0")
        files = tuple(wheelrelay.list_files(str(upstream)))
        with pytest.raises(wheelrelay.SeveralVersions):
            wheelrelay.relay(Route(source=str(upstream), sinks=[mirror]), selection=Selection(files=files))


DIVIDED = {(1, 3): ["beta", "gamma"], (2, 3): ["delta"], (3, 3): ["alpha"]}
"""The shards of `PROJECTS`: no release of wheelrelay may divide them differently."""

SHARDS = list(DIVIDED)


class TestShards:
    def test_each_project_is_in_exactly_one_shard(self, route, mirror):
        receipts = [wheelrelay.relay(route, shard=shard) for shard in SHARDS]
        relayed = [name for receipt in receipts for name in names(receipt)]
        assert sorted(relayed) == sorted(PROJECTS)
        merged = Receipt.merged(receipts)
        assert merged.missing_shards == ()
        assert len(merged.files) == 8
        assert wheelrelay.check_index(mirror) == []

    def test_division_is_the_same_everywhere(self):
        divided = {shard: [name for name in PROJECTS if Shard(*shard).includes(name)] for shard in SHARDS}
        assert divided == DIVIDED
        assert Shard(1, 1).includes("Any.Name")
        assert all(
            Shard(*shard).includes("Some.Name") == Shard(*shard).includes("some-name") for shard in SHARDS
        )

    def test_shard_may_have_no_project(self, route):
        receipts = [wheelrelay.relay(route, ["alpha"], shard=shard) for shard in SHARDS]
        assert sorted(map(names, receipts)) == [[], [], ["alpha"]]
        many = [wheelrelay.relay(route, shard=(number, 40)) for number in range(1, 41)]
        assert sorted(name for receipt in many for name in names(receipt)) == sorted(PROJECTS)

    def test_empty_source_is_an_error_in_every_shard(self, mirror, tmp_path, open_pypiserver):
        (tmp_path / "empty").mkdir()
        for source in (str(tmp_path / "empty"), wheelrelay.IndexConfig(url=open_pypiserver.simple_url)):
            for shard in SHARDS:
                with pytest.raises(NothingMatched):
                    wheelrelay.relay(Route(source=source, sinks=[mirror], mode="mirror"), shard=shard)

    def test_index_is_divided_by_its_list_of_projects(self, mirror, open_pypiserver):
        for name in PROJECTS:
            make_wheel(open_pypiserver.folder, name, "1.0")
        route = Route(
            source=wheelrelay.IndexConfig(url=open_pypiserver.simple_url), sinks=[mirror], mode="mirror"
        )
        relayed = [names(wheelrelay.relay(route, shard=shard)) for shard in SHARDS]
        assert relayed == [sorted(DIVIDED[shard]) for shard in SHARDS]

    def test_verification_is_divided(self, route, mirror, upstream):
        wheelrelay.relay(route)
        (mirror.config.path / "alpha-1.0-py3-none-any.whl").unlink()
        for target in (route, Route(source=str(upstream), sinks=[mirror])):
            found = [len(wheelrelay.verify(target, shard=shard)) for shard in SHARDS]
            assert sorted(found) == [0, 0, 1]
        (mirror.config.path / "alpha-1.0.tar.gz").write_bytes(b"damaged")
        assert sorted(len(wheelrelay.verify(mirror, shard=shard)) for shard in SHARDS) == [0, 0, 1]

    def test_plan_is_divided(self, route):
        plans = [wheelrelay.plan(route, shard=shard) for shard in SHARDS]
        assert sorted(planned.file.filename for plan in plans for planned in plan.files) == sorted(
            planned.file.filename for planned in wheelrelay.plan(route).files
        )

    def test_release_is_not_divided(self, upstream, mirror):
        route = Route(source=str(upstream), sinks=[mirror])
        for call in (wheelrelay.relay, wheelrelay.plan):
            with pytest.raises(ConfigError, match="cannot be divided into shards"):
                call(route, shard=(1, 2))
        assert not mirror.config.path.exists()

    @pytest.mark.parametrize("shard", [(0, 2), (3, 2), (1, 0), (1, 2, 3)])
    def test_invalid_shards_are_refused(self, route, shard):
        with pytest.raises(ConfigError, match="is not a shard"):
            wheelrelay.relay(route, shard=shard)


def test_two_processes_mirror_their_shards_into_one_container(upstream, tmp_path):
    """Both run at once; the pages are complete in the end."""
    for number in range(20):
        make_wheel(upstream, f"project{number}", "1.0")
    (tmp_path / "wheelrelay.toml").write_text(
        '[remotes.mirror]\ntype = "directory"\npath = "mirror"\npages = true\n'
        '[routes.all]\nsource = "./upstream"\nsinks = ["mirror"]\nmode = "mirror"\n'
    )
    base = [sys.executable, "-m", "wheelrelay"]
    started = [
        subprocess.Popen(
            [*base, "relay", "all", "--yes", "--shard", f"{number}/2", "--receipt", f"{number}.json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": str(number)},
            stdin=subprocess.DEVNULL,
        )
        for number in (1, 2)
    ]
    assert [process.wait() for process in started] == [0, 0]
    merge = [*base, "receipt", "merge", "1.json", "2.json", "-o", "all.json"]
    assert subprocess.run(merge, cwd=tmp_path).returncode == 0
    merged = wheelrelay.read_receipt(tmp_path / "all.json")
    assert merged.is_complete
    assert merged.shards == (Shard(1, 2), Shard(2, 2))
    assert len(merged.projects("mirror")) == 24
    assert wheelrelay.check_index(str(tmp_path / "mirror")) == []
    assert subprocess.run([*base, "verify", "all", "--shard", "1/2"], cwd=tmp_path).returncode == 0
