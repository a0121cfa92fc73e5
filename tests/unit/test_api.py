"""The public functions, and routes that are created in Python."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
from dataclasses import is_dataclass
from inspect import isfunction
from pathlib import Path
from typing import get_args, get_type_hints
from zipfile import ZIP_STORED

import pytest
from packaging.requirements import Requirement
from tests.servers.faulty_store import FaultyStore, WriteOnlySink, staged_files

import wheelrelay
from wheelrelay import PublishOptions, Remote, Route
from wheelrelay.api.connecting import opened_sink
from wheelrelay.backends.index import IndexConfig
from wheelrelay.backends.local.directory import DirectoryConfig
from wheelrelay.errors import Rejected
from wheelrelay.events import Planned, StepBegan
from wheelrelay.records import Action, Outcome
from wheelrelay.testing import make_sdist, make_wheel

WHEEL = "sample-1.0-py3-none-any.whl"
SDIST = "sample-1.0.tar.gz"


@pytest.fixture
def dist(tmp_path):
    make_wheel(tmp_path / "dist")
    make_sdist(tmp_path / "dist")
    return tmp_path / "dist"


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def named(name, path):
    return Remote(name, DirectoryConfig(path=path))


NAMESPACE = {name: getattr(wheelrelay, name) for name in wheelrelay.__all__} | {"Requirement": Requirement}
FUNCTIONS = [name for name in wheelrelay.__all__ if isfunction(getattr(wheelrelay, name))]


def classes_in(*annotations):
    """Return the classes of wheelrelay in annotations, and in the fields of dataclasses in them."""
    found = set()
    todo = list(annotations)
    while todo:
        annotation = todo.pop()
        todo += get_args(annotation)
        if isinstance(annotation, list):  # the arguments of a callable
            todo += annotation
        if isinstance(annotation, type) and annotation.__module__.startswith("wheelrelay."):
            if annotation not in found and is_dataclass(annotation):
                todo += get_type_hints(annotation, localns=NAMESPACE).values()
            found.add(annotation)
    return found


def names(folder):
    return sorted(path.name for path in folder.iterdir())


class TestPublicNames:
    def test_every_listed_name_can_be_imported(self):
        assert [name for name in wheelrelay.__all__ if not hasattr(wheelrelay, name)] == []
        assert dir(wheelrelay) == wheelrelay.__all__
        assert sorted(wheelrelay.__all__) == wheelrelay.__all__

    @pytest.mark.parametrize("name", FUNCTIONS)
    def test_every_type_in_a_signature_is_public(self, name):
        function = getattr(wheelrelay, name)
        used = classes_in(*get_type_hints(function, localns=NAMESPACE).values())
        public = {getattr(wheelrelay, name) for name in wheelrelay.__all__ if name != "RemoteLike"}
        assert used - public == set()

    def test_unknown_name_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match="no_such_name"):
            getattr(wheelrelay, "no_such_" + "name")

    def test_import_loads_nothing_heavy(self):
        heavy = "('requests', 'pydantic', 'rich')"
        code = f"import sys, wheelrelay; print([name for name in {heavy} if name in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n"


class TestRoutes:
    @pytest.mark.parametrize(
        "make",
        [
            lambda dist, out: (str(dist), str(out)),
            lambda dist, out: (named("here", dist), named("there", out)),
            lambda dist, out: (DirectoryConfig(path=dist), str(out)),
        ],
        ids=["addresses", "remotes", "configurations"],
    )
    def test_accepts_addresses_remotes_and_configurations(self, dist, out, make):
        source, sink = make(dist, out)
        assert wheelrelay.relay(Route(source=source, sinks=[sink]), ["sample==1.0"]).is_complete
        assert names(out) == [WHEEL, SDIST]

    def test_accepts_connected_backends(self, tmp_path):
        source, sink = FaultyStore(staged_files(tmp_path, WHEEL)), FaultyStore()
        receipt = wheelrelay.relay(Route(source=source, sinks=[sink]), ["sample"])
        assert receipt.sinks == ("FaultyStore",)
        assert sink.names() == [WHEEL]

    def test_accepts_a_configured_route(self, dist, tmp_path, monkeypatch):
        (tmp_path / "wheelrelay.toml").write_text(
            '[routes.release]\nsource = "./dist"\nsinks = ["./out"]\nprojects = ["sample==1.0"]\n'
        )
        config = wheelrelay.load_config(tmp_path / "wheelrelay.toml")
        route = config.route("release")
        monkeypatch.chdir(tmp_path)
        assert wheelrelay.relay(route).is_complete

    def test_refuses_the_same_sink_twice(self, dist, out):
        with pytest.raises(wheelrelay.ConfigError, match="listed twice"):
            wheelrelay.relay(Route(source=str(dist), sinks=[str(out), str(out)]))

    def test_refuses_a_read_only_sink(self, dist):
        reader = Remote("reader", IndexConfig(url="https://example.org/simple/"))
        with pytest.raises(wheelrelay.ConfigError, match="'reader' is read-only"):
            wheelrelay.plan(Route(source=str(dist), sinks=[reader]))

    def test_refuses_a_write_only_source(self, tmp_path):
        with pytest.raises(wheelrelay.ConfigError, match="write-only"):
            wheelrelay.plan(Route(source=WriteOnlySink(FaultyStore()), sinks=[FaultyStore()]))

    def test_accepts_a_parsed_requirement(self, dist, out):
        plan = wheelrelay.plan(Route(source=str(dist), sinks=[str(out)]), [Requirement("sample==1.0")])
        assert plan.count(str(out), Action.UPLOAD) == 2

    def test_refuses_a_requirement_with_extras(self, dist, out):
        with pytest.raises(wheelrelay.ConfigError, match="extras"):
            wheelrelay.plan(Route(source=str(dist), sinks=[str(out)]), ["sample[all]"])


class TestRelay:
    def test_reports_progress(self, dist, out):
        events = []
        wheelrelay.relay(Route(source=str(dist), sinks=[str(out)]), progress=events.append)
        assert isinstance(events[0], Planned)
        assert any(isinstance(event, StepBegan) for event in events)

    def test_writes_the_receipt_after_success_and_failure(self, tmp_path):
        files = staged_files(tmp_path / "files", WHEEL, SDIST)
        sink, path = FaultyStore(), tmp_path / "receipt.json"
        sink.refusals = {SDIST: [Rejected("Bad.")]}
        route = Route(source=FaultyStore(files), sinks=[sink])
        with pytest.raises(wheelrelay.RelayFailed):
            wheelrelay.relay(route, receipt=path)
        assert json.loads(path.read_text())["complete"] is False
        wheelrelay.relay(route, receipt=path)
        assert json.loads(path.read_text())["complete"] is True
        assert names(tmp_path) == ["files", "receipt.json"]

    def test_writes_sha256_sums(self, dist, out, tmp_path):
        wheelrelay.relay(Route(source=str(dist), sinks=[str(out)]), sums=tmp_path / "SUMS")
        done = subprocess.run(
            ["sha256sum", "--check", "--strict", tmp_path / "SUMS"], cwd=out, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def test_receipt_has_the_versions_of_plugins(self, dist, out):
        receipt = wheelrelay.relay(Route(source=str(dist), sinks=[str(out)]))
        assert set(receipt.versions) == {"wheelrelay"}

    def test_publishes_nothing_without_approval(self, dist, out):
        with pytest.raises(wheelrelay.ReleaseRefused):
            wheelrelay.relay(Route(source=str(dist), sinks=[str(out)]), approve=lambda plan: False)
        assert not out.exists()

    def test_replaces_other_bytes_only_on_request(self, dist, out):
        make_wheel(out, payload=b"other")
        route = Route(source=str(dist), sinks=[str(out)])
        with pytest.raises(wheelrelay.Conflict):
            wheelrelay.relay(route)
        assert wheelrelay.relay(route, options=PublishOptions(replace=True)).is_complete
        assert (out / WHEEL).read_bytes() == (dist / WHEEL).read_bytes()

    def test_confirm_timeout_of_the_call_overrides_that_of_the_sink(self, out):
        sink = Remote("out", DirectoryConfig(path=out, confirm_timeout="20m"))
        with opened_sink(sink) as connected:
            assert connected.confirm_timeout == 1200
        with opened_sink(sink, confirm_timeout=5.0) as connected:
            assert connected.confirm_timeout == 5


class TestListing:
    def test_lists_all_or_selected_files(self, dist):
        make_wheel(dist, "other", "2.0")
        assert len(wheelrelay.list_files(str(dist))) == 3
        assert [file.filename for file in wheelrelay.list_files(str(dist), ["other>1"])] == [
            "other-2.0-py3-none-any.whl"
        ]

    def test_computes_digests_on_request(self, dist):
        assert {file.sha256 for file in wheelrelay.list_files(str(dist))} == {None}
        listed = {file.filename: file.sha256 for file in wheelrelay.list_files(str(dist), with_digests=True)}
        assert listed[WHEEL] == hashlib.sha256((dist / WHEEL).read_bytes()).hexdigest()

    def test_empty_remote_is_an_error(self, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(wheelrelay.NothingMatched):
            wheelrelay.list_files(str(tmp_path / "empty"))

    def test_listed_files_can_be_pickled(self, dist):
        files = wheelrelay.list_files(str(dist))
        assert pickle.loads(pickle.dumps(files)) == files


class TestPush:
    def test_accepts_files_directories_and_patterns(self, dist, out, tmp_path):
        make_wheel(tmp_path / "more", "other")
        receipt = wheelrelay.push([dist / WHEEL, str(dist / "*.gz"), tmp_path / "more"], to=str(out))
        assert receipt.is_complete
        assert names(out) == ["other-1.0-py3-none-any.whl", WHEEL, SDIST]

    def test_accepts_several_versions(self, dist, out):
        make_wheel(dist, version="2.0")
        assert len(wheelrelay.push([dist], to=str(out)).files) == 3

    def test_skips_files_that_are_published(self, dist, out):
        wheelrelay.push([dist], to=str(out))
        receipt = wheelrelay.push([dist], to=str(out))
        assert {file.sinks[str(out)].outcome for file in receipt.files} == {Outcome.SKIPPED}

    def test_replaces_other_bytes_only_on_request(self, dist, out, tmp_path):
        wheelrelay.push([dist], to=str(out))
        path = make_wheel(tmp_path / "again", payload=b"other")
        with pytest.raises(wheelrelay.Conflict):
            wheelrelay.push([path], to=str(out))
        assert (out / WHEEL).read_bytes() == (dist / WHEEL).read_bytes()
        assert wheelrelay.push([path], to=str(out), options=PublishOptions(replace=True)).is_complete
        assert (out / WHEEL).read_bytes() == path.read_bytes()

    def test_publishes_nothing_if_a_file_is_damaged(self, dist, out):
        (dist / "other-1.0-py3-none-any.whl").write_bytes(b"PK no")
        with pytest.raises(wheelrelay.WheelrelayError):
            wheelrelay.push([dist], to=str(out))
        assert not out.exists()

    def test_missing_path_is_an_error(self, tmp_path, out):
        with pytest.raises(wheelrelay.ConfigError, match="does not exist"):
            wheelrelay.push([tmp_path / "nowhere"], to=str(out))


class TestMaintenance:
    def test_check_reports_a_damaged_file(self, dist):
        assert wheelrelay.check([dist]) == []
        (dist / "sample-1.0.tar.gz").write_bytes(b"no archive")
        assert {finding.filename for finding in wheelrelay.check([dist])} == {SDIST}

    def test_verify_compares_a_route_or_a_remote(self, dist, out):
        route = Route(source=str(dist), sinks=[str(out)])
        wheelrelay.relay(route)
        assert wheelrelay.verify(route, download=True) == wheelrelay.verify(str(out)) == []
        (out / SDIST).unlink()
        [finding] = wheelrelay.verify(route)
        assert finding.filename == SDIST

    @pytest.mark.parametrize("download", [False, True])
    def test_verify_compares_with_a_listing(self, dist, web, download):
        web.serve_folder(dist, at="/w/")
        for path in dist.iterdir():
            web.serve(f"/w/{path.name}", path.read_bytes())
        route = Route(source=str(dist), sinks=[f"listing+{web.url}/w/"])
        assert wheelrelay.verify(route, download=download) == []
        make_wheel(dist, version="2.0")
        [finding] = wheelrelay.verify(route, download=download)
        assert finding.check == "verify-missing"

    def test_remove_deletes_files_of_a_container(self, dist):
        assert [file.filename for file in wheelrelay.remove(str(dist), [WHEEL])] == [WHEEL]
        assert names(dist) == [SDIST]
        with pytest.raises(wheelrelay.NothingMatched, match="nothing was removed"):
            wheelrelay.remove(str(dist), [SDIST, WHEEL])
        assert names(dist) == [SDIST]
        with pytest.raises(wheelrelay.InvalidFilename):
            wheelrelay.remove(str(dist), ["../outside.whl"])

    def test_refuses_to_change_an_index(self):
        with pytest.raises(wheelrelay.ConfigError, match="cannot be removed"):
            wheelrelay.remove("pypi", [WHEEL])
        with pytest.raises(wheelrelay.ConfigError, match="not a container"):
            wheelrelay.index("pypi")

    def test_prune_requires_retention_rules(self, dist):
        with pytest.raises(wheelrelay.ConfigError, match="no retention rules") as refused:
            wheelrelay.prune(str(dist))
        assert "[remotes." not in str(refused.value)  # an address has no table in the configuration
        make_wheel(dist, version="2.0")
        pruned = wheelrelay.prune(str(dist), retention=wheelrelay.Retention(keep=1), dry_run=True)
        assert sorted(file.filename for file in pruned) == [WHEEL, SDIST]
        assert len(names(dist)) == 3
        wheelrelay.prune(str(dist), retention=wheelrelay.Retention(keep=1))
        assert names(dist) == ["sample-2.0-py3-none-any.whl"]

    def test_index_rewrites_outdated_pages(self, dist):
        container = DirectoryConfig(path=dist, pages=True)
        assert wheelrelay.check_index(container) != []
        wheelrelay.index(container)
        assert wheelrelay.check_index(container) == []
        assert (dist / "simple" / "sample" / "index.html").is_file()


@pytest.mark.long
def test_memory_does_not_grow_with_the_size_of_a_file(web, open_pypiserver, tmp_path):
    """Relay a file of 300 MB from a listing to an index in less than 100 MB of memory."""
    big = make_wheel(tmp_path / "big", payload=os.urandom(300 << 20), compression=ZIP_STORED)
    page = web.serve_folder(big.parent, "/files/")
    code = (
        "import re, wheelrelay\n"
        "from wheelrelay.backends.index import IndexConfig\n"
        f"sink = IndexConfig(url={open_pypiserver.simple_url!r}, upload_url={open_pypiserver.upload_url!r})\n"
        f"route = wheelrelay.Route(source={f'listing+{page}'!r}, sinks=[sink])\n"
        "assert wheelrelay.relay(route, ['sample']).is_complete\n"
        "print(re.search(r'VmHWM:\\s*(\\d+) kB', open('/proc/self/status').read())[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100 * 1024
    assert (Path(open_pypiserver.folder) / WHEEL).stat().st_size == big.stat().st_size
